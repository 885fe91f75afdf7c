using Punchline.Protocols.Transport;

namespace Punchline.Protocols.Tests.Transport;

public sealed class PacketFramingTests
{
    [Theory] // however TCP cuts them
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(700)]
    [InlineData(40_000)]
    public void Packets_come_out_as_they_went_in(int piece)
    {
        int[] lengths = [1, 2, 250, 1_200, PacketFraming.MaxPacket, 3, PacketFraming.MaxPacket];
        var stream = new List<byte>();
        foreach (var length in lengths) stream.AddRange(Framed(length));
        var framing = new PacketFraming();
        var taken = new List<int>();
        for (var at = 0; at < stream.Count; at += piece)
        {
            ReadOnlySpan<byte> bytes = stream.Skip(at).Take(piece).ToArray();
            while (framing.TryTake(ref bytes, out var packet, out var isBroken))
            {
                Assert.False(isBroken);
                Assert.Equal(Packet(packet.Length), packet.ToArray());
                taken.Add(packet.Length);
            }
            Assert.True(bytes.IsEmpty);
        }
        Assert.Equal(lengths, taken);
        Assert.Equal(0, framing.Kept);
    }

    [Theory] // behind the first bytes, or in one piece
    [InlineData(0, PacketFraming.MaxPacket, 1)]
    [InlineData(0, PacketFraming.MaxPacket, 2)]
    [InlineData(PacketFraming.MaxPacket + 1, PacketFraming.MaxPacket, 2)]
    [InlineData(1_453, 1_452, 1)]
    public void A_length_that_no_packet_has_breaks_the_stream(int length, int limit, int piece)
    {
        var framing = new PacketFraming { Limit = limit };
        var isBroken = false;
        foreach (var part in new byte[] { (byte)(length >> 8), (byte)length }.Chunk(piece))
        {
            ReadOnlySpan<byte> bytes = part;
            Assert.False(framing.TryTake(ref bytes, out _, out isBroken));
        }
        ReadOnlySpan<byte> more = [1];
        Assert.True(isBroken || (!framing.TryTake(ref more, out _, out isBroken) && isBroken));
    }

    private static byte[] Framed(int length)
    {
        var buffer = new byte[PacketFraming.PrefixLength + length];
        Packet(length).CopyTo(buffer, 0);
        Assert.Equal(buffer.Length, PacketFraming.Frame(buffer, length));
        return buffer;
    }

    private static byte[] Packet(int length) => [.. Enumerable.Range(0, length).Select(i => (byte)(i + length))];
}
