using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Tests.Primitives;

public sealed class PrimitivesTests
{
    [Theory] // RFC 9000 §A.1
    [InlineData("c2197c5eff14e88c", 151_288_809_941_952_652)]
    [InlineData("9d7f3e7d", 494_878_333)]
    [InlineData("7bbd", 15_293)]
    [InlineData("25", 37)]
    public void Variable_length_integers_are_those_of_RFC_9000(string hex, ulong value)
    {
        var reader = new SpanReader(Convert.FromHexString(hex));
        Assert.True(reader.TryReadVarInt(out var read));
        Assert.Equal(value, read);
        Assert.True(reader.IsEmpty);

        var writer = new SpanWriter(new byte[8]);
        writer.WriteVarInt(value);
        Assert.Equal(hex, Convert.ToHexStringLower(writer.Written));
    }

    [Fact]
    public void A_truncated_integer_moves_nothing()
    {
        var reader = new SpanReader([0xc2, 0x19]);
        Assert.False(reader.TryReadVarInt(out _));
        Assert.Equal(2, reader.Remaining.Length);
    }

    [Theory] // RFC 4648 §10
    [InlineData("", "")]
    [InlineData("f", "my")]
    [InlineData("fo", "mzxq")]
    [InlineData("foo", "mzxw6")]
    [InlineData("foob", "mzxw6yq")]
    [InlineData("fooba", "mzxw6ytb")]
    [InlineData("foobar", "mzxw6ytboi")]
    public void Base32_is_that_of_RFC_4648(string plain, string encoded)
    {
        Assert.Equal(encoded, Base32.Encode(System.Text.Encoding.ASCII.GetBytes(plain)));
        Assert.True(Base32.TryDecode(encoded, out var bytes));
        Assert.Equal(plain, System.Text.Encoding.ASCII.GetString(bytes));
    }

    [Theory]
    [InlineData("m")]
    [InlineData("mz1q")]
    [InlineData("mzxr")] // bits behind the last byte
    public void Base32_refuses_what_no_encoder_writes(string text) => Assert.False(Base32.TryDecode(text, out _));

    [Fact]
    public void Ids_order_as_their_bytes_and_survive_text()
    {
        var low = new PeerId([.. new byte[31], 1]);
        var high = new PeerId([1, .. new byte[31]]);
        Assert.True(low < high);
        Assert.Equal(high, PeerId.Parse(high.ToString()));
        Assert.Equal(high, PeerId.Parse(high.ToString().ToUpperInvariant()));
        Assert.Equal(PeerId.TextLength, low.ToString().Length);
        Assert.False(PeerId.TryParse("0" + low.ToString()[1..], out _));
    }

    [Theory]
    [InlineData("192.0.2.1:443", true)]
    [InlineData("[2001:db8::1]:8080", false)]
    [InlineData("[::ffff:192.0.2.1]:443", true)]
    public void Endpoints_hold_both_families(string text, bool isIPv4)
    {
        var endpoint = Endpoint.Parse(text);
        Assert.Equal(isIPv4, endpoint.IsIPv4);
        Assert.Equal(endpoint, Endpoint.From(endpoint.ToIPEndPoint()));
        Assert.Equal(text.Replace("[::ffff:192.0.2.1]", "192.0.2.1", StringComparison.Ordinal), endpoint.ToString());
    }
}
