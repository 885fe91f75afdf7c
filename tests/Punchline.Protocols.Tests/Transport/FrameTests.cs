using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport;
using Punchline.Protocols.Transport.Frames;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Tests.Transport;

public sealed class FrameTests
{
    private delegate void Write(ref SpanWriter writer);

    private static string Hex(Write write)
    {
        var writer = new SpanWriter(new byte[1_200]);
        write(ref writer);
        return Convert.ToHexStringLower(writer.Written);
    }

    // Golden bytes, put together by hand from the diagrams of RFC 9000 §19.
    [Fact]
    public void Frames_have_the_layout_of_RFC_9000()
    {
        Assert.Equal("04" + "08" + "4123" + "7bbd", Hex((ref SpanWriter w) => new ResetStreamFrame(new StreamId(8), 0x123, 15_293).Write(ref w)));
        Assert.Equal("05" + "08" + "01", Hex((ref SpanWriter w) => new StopSendingFrame(new StreamId(8), 1).Write(ref w)));
        Assert.Equal("10" + "9d7f3e7d", Hex((ref SpanWriter w) => new ConnectionLimitFrame(FrameType.MaxData, 494_878_333).Write(ref w)));
        Assert.Equal("12" + "25", Hex((ref SpanWriter w) => new ConnectionLimitFrame(FrameType.MaxStreamsBidi, 37).Write(ref w)));
        Assert.Equal("11" + "04" + "7bbd", Hex((ref SpanWriter w) => new StreamLimitFrame(FrameType.MaxStreamData, new StreamId(4), 15_293).Write(ref w)));
        Assert.Equal("15" + "04" + "7bbd", Hex((ref SpanWriter w) => new StreamLimitFrame(FrameType.StreamDataBlocked, new StreamId(4), 15_293).Write(ref w)));
        Assert.Equal("1a" + "0102030405060708", Hex((ref SpanWriter w) => new PathFrame(FrameType.PathChallenge, 0x0102030405060708).Write(ref w)));
        Assert.Equal(
            "38" + "7bbd" + "02" + "02" + "04" + "cb007105" + "1388" + "01" + "10" + "20010db8000000000000000000000001" + "01bb",
            Hex((ref SpanWriter w) => new CandidatesFrame(
                15_293,
                [new(CandidateKind.ServerReflexive, Endpoint.Parse("203.0.113.5:5000")), new(CandidateKind.Host, Endpoint.Parse("[2001:db8::1]:443"))]).Write(ref w)));
        Assert.Equal("39" + "04" + "04" + "cb007105" + "1388", Hex((ref SpanWriter w) => new ObservedAddressFrame(4, Endpoint.Parse("203.0.113.5:5000")).Write(ref w)));
        Assert.Equal("1c" + "0a" + "02" + "02" + "6869", Hex((ref SpanWriter w) => new ConnectionCloseFrame(false, 10, 2, "hi"u8).Write(ref w)));
        Assert.Equal("1d" + "0a" + "02" + "6869", Hex((ref SpanWriter w) => new ConnectionCloseFrame(true, 10, 2, "hi"u8).Write(ref w)));
        Assert.Equal("0a" + "04" + "03", Hex((ref SpanWriter w) => StreamFrame.WriteHeader(ref w, new StreamId(4), 0, 3, false)));
        Assert.Equal("0f" + "04" + "7bbd" + "03", Hex((ref SpanWriter w) => StreamFrame.WriteHeader(ref w, new StreamId(4), 15_293, 3, true)));
        // Packets 20 to 18, 15, and 10 to 0.
        Assert.Equal(
            "02" + "14" + "05" + "02" + "02" + "0100" + "030a",
            Hex((ref SpanWriter w) => AckFrame.TryWrite(ref w, [new PacketRange(18, 20), new PacketRange(15, 15), new PacketRange(0, 10)], 5)));
    }

    [Theory]
    [InlineData("38" + "05" + "01" + "02" + "05" + "cb00710500" + "1388")] // an address of 5 bytes
    [InlineData("38" + "05" + "01" + "02" + "04" + "cb007105" + "13")] // truncated
    [InlineData("38" + "05" + "1f")] // 31 of them
    [InlineData("39" + "05" + "06" + "cb0071050000" + "1388")]
    [InlineData("39" + "05" + "04" + "cb007105")]
    public void Addresses_that_cannot_be_do_not_parse(string hex)
    {
        var reader = new SpanReader(Convert.FromHexString(hex[2..]));
        Assert.False(hex.StartsWith("38", StringComparison.Ordinal) ? CandidatesFrame.TryRead(ref reader, out _) : ObservedAddressFrame.TryRead(ref reader, out _));
    }

    [Fact]
    public void Candidates_of_unknown_kinds_are_left_out_and_30_are_read()
    {
        var reader = new SpanReader(Convert.FromHexString("05" + "02" + "03" + "04" + "cb007105" + "1388" + "01" + "04" + "cb007106" + "1389"));
        Assert.True(CandidatesFrame.TryRead(ref reader, out var frame));
        Assert.Equal([new Candidate(CandidateKind.Host, Endpoint.Parse("203.0.113.6:5001"))], frame.Candidates);
        var writer = new SpanWriter(new byte[CandidatesFrame.MaxLength]);
        Candidate[] many = [.. Enumerable.Range(1, Candidate.MaxPerPeer).Select(i => new Candidate(CandidateKind.Host, Endpoint.Parse($"[2001:db8::{i}]:5000")))];
        new CandidatesFrame((1UL << 62) - 1, many).Write(ref writer);
        Assert.Equal(CandidatesFrame.MaxLength, writer.Length);
        reader = new SpanReader(writer.Written[1..]);
        Assert.True(CandidatesFrame.TryRead(ref reader, out frame));
        Assert.Equal(many, frame.Candidates);
    }

    [Fact]
    public void Ack_ranges_are_read_from_the_largest_down()
    {
        var reader = new SpanReader(Convert.FromHexString("1405020201" + "00" + "030a" + "010203"));
        Assert.True(AckFrame.TryRead(ref reader, hasEcnCounts: true, out var frame));
        Assert.True(reader.IsEmpty);
        var ranges = new List<PacketRange>();
        foreach (var range in frame) ranges.Add(range);
        Assert.Equal([new PacketRange(18, 20), new PacketRange(15, 15), new PacketRange(0, 10)], ranges);
        Assert.Equal((20UL, 5UL), (frame.Largest, frame.Delay));
    }

    [Theory]
    [InlineData("0500" + "00" + "06")] // the first range reaches below 0
    [InlineData("0500" + "01" + "00" + "0400")] // the gap reaches below 0
    [InlineData("0a00" + "01" + "00" + "0009")] // the second range has 10 numbers up to 8
    [InlineData("0500" + "ffffffffffffffff" + "00")] // more ranges than bytes
    [InlineData("0500")]
    [InlineData("")]
    public void Impossible_acks_do_not_parse(string hex)
    {
        var reader = new SpanReader(Convert.FromHexString(hex));
        Assert.False(AckFrame.TryRead(ref reader, hasEcnCounts: false, out _));
    }

    [Fact]
    public void An_ack_that_does_not_fit_drops_its_oldest_ranges()
    {
        var ranges = Enumerable.Range(0, 32).Select(i => new PacketRange((ulong)(1_000_000 - (i * 10)), (ulong)(1_000_000 - (i * 10)))).ToArray();
        var writer = new SpanWriter(new byte[20]);
        Assert.True(AckFrame.TryWrite(ref writer, ranges, 0));
        Assert.Equal(20, writer.Length);
        var reader = new SpanReader(writer.Written[1..]);
        Assert.True(AckFrame.TryRead(ref reader, hasEcnCounts: false, out var frame));
        var count = 0;
        foreach (var range in frame) Assert.Equal(ranges[count++], range);
        Assert.Equal(7, count); // 1 type + 4 + 1 + 1 + 1 for the first, 2 for each other
        var tiny = new SpanWriter(new byte[7]);
        Assert.False(AckFrame.TryWrite(ref tiny, ranges, 0));
        Assert.Equal(0, tiny.Length);
    }

    [Theory]
    [InlineData(0x08, "04616263", 0UL, "abc", false)] // to the packet's end
    [InlineData(0x09, "04616263", 0UL, "abc", true)]
    [InlineData(0x0a, "0402616263", 0UL, "ab", false)]
    [InlineData(0x0f, "047bbd0361626399", 15_293UL, "abc", true)]
    public void Stream_frames_come_in_all_shapes(byte type, string hex, ulong offset, string data, bool isFinal)
    {
        var reader = new SpanReader(Convert.FromHexString(hex));
        Assert.True(StreamFrame.TryRead(ref reader, type, out var frame));
        Assert.Equal((4UL, offset, data, isFinal), (frame.Id.Value, frame.Offset, System.Text.Encoding.ASCII.GetString(frame.Data), frame.IsFinal));
    }

    [Theory]
    [InlineData(0x0e, "04ffffffffffffffff0161")] // ends at 2^62
    [InlineData(0x0a, "040461")]
    [InlineData(0x0c, "04")]
    public void Stream_frames_that_cannot_be_do_not_parse(byte type, string hex)
    {
        var reader = new SpanReader(Convert.FromHexString(hex));
        Assert.False(StreamFrame.TryRead(ref reader, type, out _));
    }
}
