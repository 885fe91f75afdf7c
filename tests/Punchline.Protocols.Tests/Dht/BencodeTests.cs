using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Punchline.Protocols.Dht;

namespace Punchline.Protocols.Tests.Dht;

public sealed class BencodeTests
{
    [Theory] // BEP 3's examples, and the ends of the range.
    [InlineData("4:spam")]
    [InlineData("0:")]
    [InlineData("i3e")]
    [InlineData("i-3e")]
    [InlineData("i0e")]
    [InlineData("i9223372036854775807e")]
    [InlineData("i-9223372036854775808e")]
    [InlineData("le")]
    [InlineData("l4:spam4:eggse")]
    [InlineData("de")]
    [InlineData("d3:cow3:moo4:spam4:eggse")]
    [InlineData("d4:spaml1:a1:bee")]
    [InlineData("lllllllli1eeeeeeeee")]
    public void Well_formed_values_are_read(string text) => Assert.True(BencodeValue.TryRead(Encoding.ASCII.GetBytes(text), out _));

    [Theory]
    [InlineData("")]
    [InlineData("i-0e")]
    [InlineData("i03e")]
    [InlineData("ie")]
    [InlineData("i-e")]
    [InlineData("i+3e")]
    [InlineData("i3")]
    [InlineData("i1 e")]
    [InlineData("i9223372036854775808e")]
    [InlineData("i-9223372036854775809e")]
    [InlineData("i99999999999999999999e")]
    [InlineData("4:spa")]
    [InlineData("04:spam")]
    [InlineData("-1:")]
    [InlineData(":")]
    [InlineData("4spam")]
    [InlineData("99999999:")]
    [InlineData("9999999:a")]
    [InlineData("l")]
    [InlineData("l4:spam")]
    [InlineData("d")]
    [InlineData("d3:cowe")]
    [InlineData("di1e3:mooe")]
    [InlineData("d4:spam4:eggs3:cow3:mooe")] // out of order
    [InlineData("d3:cow3:moo3:cow3:mooe")] // twice
    [InlineData("i3ei4e")]
    [InlineData("e")]
    [InlineData("x")]
    [InlineData("llllllllli1eeeeeeeeee")] // deeper than 8
    public void Malformed_values_are_not(string text) => Assert.False(BencodeValue.TryRead(Encoding.ASCII.GetBytes(text), out _));

    [Fact]
    public void No_more_values_than_the_limit_are_read()
    {
        var most = "l" + string.Concat(Enumerable.Repeat("0:", BencodeValue.MaxValues - 1)) + "e";
        Assert.True(BencodeValue.TryRead(Encoding.ASCII.GetBytes(most), out _));
        Assert.False(BencodeValue.TryRead(Encoding.ASCII.GetBytes("l0:" + most[1..]), out _));
    }

    [Fact]
    public void A_dictionarys_values_are_found_by_their_keys()
    {
        Assert.True(BencodeValue.TryRead("d1:ai-7e1:b3:xyz1:cli1ei2eee"u8, out var root));
        Assert.True(root.TryFindInteger("a"u8, out var integer));
        Assert.Equal(-7, integer);
        Assert.True(root.TryFindBytes("b"u8, out var bytes));
        Assert.Equal("xyz"u8, bytes);
        Assert.True(root.TryFind("c"u8, out var list));
        Assert.Equal("li1ei2ee"u8, list.Encoding);
        var sum = 0L;
        foreach (var item in list.Items)
        {
            Assert.True(item.TryGetInteger(out var value));
            sum = (sum * 10) + value;
        }
        Assert.Equal(12, sum);
        Assert.False(root.TryFind("d"u8, out _));
        Assert.False(root.TryFindInteger("b"u8, out _));
        Assert.False(root.TryFindBytes("a"u8, out _));
        Assert.False(list.TryFind("a"u8, out _));
    }

    [Fact]
    public void What_is_written_is_read_again()
    {
        Prop.ForAll(ArbMap.Default.ArbFor<long>(), ArbMap.Default.ArbFor<byte[]>(), (integer, bytes) =>
        {
            bytes = bytes[..Math.Min(bytes.Length, 300)];
            var buffer = new byte[1_000];
            var writer = new BencodeWriter(buffer);
            writer.BeginDictionary();
            writer.Write("a"u8, integer);
            writer.Write("b"u8, bytes);
            writer.End();
            Assert.True(BencodeValue.TryRead(buffer.AsSpan(0, writer.Length), out var root));
            Assert.True(root.TryFindInteger("a"u8, out var readInteger));
            Assert.True(root.TryFindBytes("b"u8, out var readBytes));
            Assert.Equal(integer, readInteger);
            Assert.Equal(bytes, readBytes);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Reading_allocates_nothing()
    {
        var message = "d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe"u8.ToArray();
        KrpcMessage.TryRead(message, out _);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++) KrpcMessage.TryRead(message, out _);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }
}
