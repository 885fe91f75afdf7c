using Punchline.Protocols.Primitives;
using Punchline.Protocols.Rooms;

namespace Punchline.Protocols.Tests.Rooms;

public sealed class ChatFrameTests
{
    [Fact]
    public void Frames_have_the_recorded_bytes()
    {
        Assert.Equal("0103" + "05" + "6869", Convert.ToHexStringLower(ChatFrame.WriteMessage(5, "hi"u8)));
        Assert.Equal("0202" + "4040", Convert.ToHexStringLower(ChatFrame.WriteDelivered(64)));
        var longest = ChatFrame.WriteMessage(1, new byte[ChatFrame.MaxTextBytes]);
        Assert.Equal(1 + 4 + 1 + ChatFrame.MaxTextBytes, longest.Length);
        Assert.Equal("01" + "80100001" + "01", Convert.ToHexStringLower(longest.AsSpan(0, 6)));
    }

    [Fact]
    public void A_stream_split_at_any_byte_gives_the_same_frames()
    {
        byte[] stream =
        [
            .. ChatFrame.WriteMessage(1, "one"u8), .. ChatFrame.WriteDelivered(1_000_000), 0x40, 0x63, 3, 1, 2, 3, 9, 0,
            .. ChatFrame.WriteMessage(70, new byte[100]),
        ];
        var expected = Read(new ChatFrameReader(), stream);
        Assert.Equal([1, 2, 99, 9, 1], expected.Select(frame => (int)frame.Type));
        for (var split = 0; split <= stream.Length; split++)
        {
            var reader = new ChatFrameReader();
            var frames = Read(reader, stream.AsSpan(0, split));
            frames.AddRange(Read(reader, stream.AsSpan(split)));
            Assert.Equal(expected, frames);
        }
        var bytewise = new ChatFrameReader();
        var collected = new List<(ulong, string)>();
        foreach (var b in stream) collected.AddRange(Read(bytewise, [b]));
        Assert.Equal(expected, collected);
    }

    [Fact]
    public void A_body_longer_than_the_longest_message_is_malformed_before_it_is_there()
    {
        var reader = new ChatFrameReader();
        Assert.Empty(Read(reader, Header(ChatFrame.MaxBodyBytes)));
        Assert.False(reader.IsMalformed);
        var tooLong = new ChatFrameReader();
        Assert.Empty(Read(tooLong, Header(ChatFrame.MaxBodyBytes + 1)));
        Assert.True(tooLong.IsMalformed);
        var largest = new ChatFrameReader();
        Assert.Empty(Read(largest, Header(SpanWriter.MaxVarInt)));
        Assert.True(largest.IsMalformed);
    }

    private static byte[] Header(ulong length)
    {
        var buffer = new byte[16];
        var writer = new SpanWriter(buffer);
        writer.WriteVarInt(ChatFrame.Message);
        writer.WriteVarInt(length);
        return writer.Written.ToArray();
    }

    private static List<(ulong Type, string Body)> Read(ChatFrameReader reader, ReadOnlySpan<byte> bytes)
    {
        var frames = new List<(ulong, string)>();
        bytes.CopyTo(reader.GetSpan());
        reader.Advance(bytes.Length);
        while (reader.TryRead(out var type, out var body)) frames.Add((type, Convert.ToHexStringLower(body)));
        return frames;
    }
}
