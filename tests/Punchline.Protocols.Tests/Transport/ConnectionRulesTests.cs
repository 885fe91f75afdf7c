using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport;
using Punchline.Protocols.Transport.Frames;

namespace Punchline.Protocols.Tests.Transport;

/// <summary>A peer that breaks the rules: which code of RFC 9000 §20 the connection closes with.</summary>
public sealed class ConnectionRulesTests
{
    [Theory]
    [InlineData("02" + "05" + "00" + "00" + "00", nameof(TransportError.ProtocolViolation))] // ACK of packet 5, never sent
    [InlineData("02" + "00" + "00" + "00" + "01", nameof(TransportError.FrameEncodingError))] // ACK range below 0
    [InlineData("06" + "00" + "00", nameof(TransportError.FrameEncodingError))] // CRYPTO is not in use
    [InlineData("1e", nameof(TransportError.FrameEncodingError))] // nor is HANDSHAKE_DONE
    [InlineData("4001", nameof(TransportError.FrameEncodingError))] // PING, not in its shortest form
    [InlineData("3f", nameof(TransportError.FrameEncodingError))]
    [InlineData("01" + "10", nameof(TransportError.FrameEncodingError))] // PING, then MAX_DATA without its limit
    [InlineData("12" + "d000000000000001", nameof(TransportError.FrameEncodingError))] // MAX_STREAMS 2^60 + 1
    [InlineData("13" + "d000000000000001", nameof(TransportError.FrameEncodingError))]
    [InlineData("16" + "d000000000000001", nameof(TransportError.FrameEncodingError))] // STREAMS_BLOCKED at 2^60 + 1
    [InlineData("17" + "d000000000000001", nameof(TransportError.FrameEncodingError))]
    [InlineData("07" + "00", nameof(TransportError.FrameEncodingError))] // NEW_TOKEN is not in use
    [InlineData("32", nameof(TransportError.FrameEncodingError))] // the first type behind DATAGRAM
    [InlineData("02" + "00" + "00", nameof(TransportError.FrameEncodingError))] // truncated: ACK
    [InlineData("03" + "00" + "00" + "00" + "00" + "01", nameof(TransportError.FrameEncodingError))] // its ECN counts
    [InlineData("04" + "00" + "01", nameof(TransportError.FrameEncodingError))] // RESET_STREAM
    [InlineData("05" + "00", nameof(TransportError.FrameEncodingError))] // STOP_SENDING
    [InlineData("0e" + "00" + "05" + "02" + "61", nameof(TransportError.FrameEncodingError))] // STREAM
    [InlineData("0e" + "00" + "ffffffffffffffff" + "01" + "61", nameof(TransportError.FrameEncodingError))] // beyond 2^62 − 1
    [InlineData("11" + "00", nameof(TransportError.FrameEncodingError))] // MAX_STREAM_DATA
    [InlineData("14", nameof(TransportError.FrameEncodingError))] // DATA_BLOCKED
    [InlineData("19", nameof(TransportError.FrameEncodingError))] // RETIRE_CONNECTION_ID
    [InlineData("1a" + "00000000000000", nameof(TransportError.FrameEncodingError))] // PATH_CHALLENGE
    [InlineData("1b" + "00000000000000", nameof(TransportError.FrameEncodingError))] // PATH_RESPONSE
    [InlineData("1c" + "00" + "00" + "02" + "61", nameof(TransportError.FrameEncodingError))] // CONNECTION_CLOSE
    [InlineData("31" + "02" + "61", nameof(TransportError.FrameEncodingError))] // DATAGRAM
    [InlineData("38" + "01" + "1f", nameof(TransportError.FrameEncodingError))] // CANDIDATES with 31 of them
    [InlineData("39" + "01" + "04" + "cb0071", nameof(TransportError.FrameEncodingError))] // OBSERVED_ADDRESS
    [InlineData("3a", nameof(TransportError.FrameEncodingError))] // the first type behind ours
    [InlineData("19" + "01", nameof(TransportError.ProtocolViolation))] // an id that was never issued
    [InlineData("04" + "03" + "00" + "00", nameof(TransportError.StreamStateError))] // RESET_STREAM for a part that only we have
    [InlineData("15" + "03" + "01", nameof(TransportError.StreamStateError))] // STREAM_DATA_BLOCKED likewise
    [InlineData("05" + "02" + "00", nameof(TransportError.StreamStateError))] // STOP_SENDING for a part that only the peer has
    [InlineData("11" + "02" + "01", nameof(TransportError.StreamStateError))] // MAX_STREAM_DATA likewise
    [InlineData("04" + "01" + "00" + "00", nameof(TransportError.StreamStateError))] // a stream of ours that does not exist
    [InlineData("15" + "01" + "01", nameof(TransportError.StreamStateError))]
    [InlineData("04" + "4190" + "00" + "00", nameof(TransportError.StreamLimitError))] // each kind of frame opens stream 400, the 101st
    [InlineData("05" + "4190" + "00", nameof(TransportError.StreamLimitError))]
    [InlineData("11" + "4190" + "01", nameof(TransportError.StreamLimitError))]
    [InlineData("15" + "4190" + "01", nameof(TransportError.StreamLimitError))]
    [InlineData("04" + "02" + "00" + "80100001", nameof(TransportError.FlowControlError))]
    [InlineData("04" + "00" + "00" + "05" + "04" + "00" + "00" + "06", nameof(TransportError.FinalSizeError))] // two final sizes
    [InlineData("0a" + "00" + "03" + "017861" + "04" + "00" + "00" + "02", nameof(TransportError.FinalSizeError))] // below what was received
    [InlineData("0a" + "01" + "01" + "61", nameof(TransportError.StreamStateError))] // data on a stream of ours that does not exist
    [InlineData("0a" + "03" + "01" + "61", nameof(TransportError.StreamStateError))] // on a unidirectional one of ours
    [InlineData("0a" + "4192" + "01" + "61", nameof(TransportError.StreamLimitError))] // stream 402 is the 101st unidirectional one
    [InlineData("0a" + "4190" + "01" + "61", nameof(TransportError.StreamLimitError))] // stream 400 is the 101st
    [InlineData("11" + "01" + "01", nameof(TransportError.StreamStateError))]
    [InlineData("05" + "01" + "01", nameof(TransportError.StreamStateError))]
    [InlineData("04" + "00" + "00" + "80100001", nameof(TransportError.FlowControlError))] // RESET_STREAM with a final size of 1 MiB + 1
    [InlineData("0e" + "00" + "80100000" + "01" + "61", nameof(TransportError.FlowControlError))] // a byte at 1 MiB
    [InlineData("0b" + "00" + "01" + "61" + "0a" + "00" + "02" + "6162", nameof(TransportError.FinalSizeError))] // data beyond FIN
    public void A_broken_rule_closes_the_connection(string frames, string error)
    {
        var peer = new ScriptedPeer();
        Assert.True(peer.SendHex(frames));
        peer.AssertClosedWith(Enum.Parse<TransportError>(error));
        var close = Assert.Single(peer.Drain());
        var reader = new SpanReader(close.Frames);
        Assert.True(reader.TryReadByte(out var type));
        Assert.Equal((byte)FrameType.ConnectionClose, type);
        Assert.True(ConnectionCloseFrame.TryRead(ref reader, isApplication: false, out var frame));
        Assert.Equal(error, ((TransportError)frame.Code).ToString());
        Assert.Equal(ConnectionEventKind.Closed, Assert.Single(peer.Events(), e => e.Kind != ConnectionEventKind.StreamOpened && e.Kind != ConnectionEventKind.StreamReadable).Kind);
    }

    [Theory]
    [InlineData("0a" + "418c" + "01" + "01")] // stream 396 is the 100th
    [InlineData("0e" + "00" + "800fffff" + "01" + "61")] // the last byte of the window
    [InlineData("04" + "00" + "00" + "80100000")]
    [InlineData("13" + "05" + "17" + "05" + "14" + "05" + "15" + "00" + "05")] // limits of no consequence
    [InlineData("03" + "00" + "00" + "00" + "00" + "010203")] // ACK with ECN counts
    public void The_limits_themselves_are_kept(string frames)
    {
        var peer = new ScriptedPeer();
        peer.Connection.Ping();
        Assert.Single(peer.Drain());
        Assert.True(peer.SendHex(frames));
        Assert.Null(peer.Connection.CloseReason);
    }

    [Fact]
    public void The_connections_window_counts_all_streams()
    {
        var peer = new ScriptedPeer(TransportParameters.Default with { InitialMaxData = 1_000 });
        peer.SendStream(0, 0, [1, (byte)'x', .. new byte[498]]);
        peer.SendStream(4, 499, [1]);
        Assert.False(peer.Connection.IsClosed);
        peer.SendStream(4, 500, [1]);
        peer.AssertClosedWith(TransportError.FlowControlError);
    }

    [Theory]
    [InlineData("0a" + "00" + "01" + "00")] // a name of no bytes
    [InlineData("0a" + "00" + "01" + "41")] // of 65
    [InlineData("0a" + "00" + "02" + "01ff")] // not UTF-8
    [InlineData("0b" + "00" + "03" + "036162")] // the end within the name
    [InlineData("04" + "00" + "05" + "02")] // a reset before the name
    public void A_stream_without_a_protocol_is_refused_and_never_heard_of(string frames)
    {
        var peer = new ScriptedPeer();
        peer.SendHex(frames);
        Assert.Empty(peer.Events());
        Assert.False(peer.Connection.IsClosed);
        peer.Now += TimeSpan.FromMilliseconds(25);
        peer.Connection.HandleTimeout(peer.Now);
        var reply = string.Concat(peer.Drain().Select(p => Convert.ToHexStringLower(p.Frames)));
        Assert.Contains("04" + "00" + "01" + "00", reply, StringComparison.Ordinal); // RESET_STREAM 0, UNKNOWN_PROTOCOL, size 0
        var isEnded = frames.StartsWith("0b", StringComparison.Ordinal) || frames.StartsWith("04", StringComparison.Ordinal);
        Assert.Equal(!isEnded, reply.Contains("05" + "00" + "01", StringComparison.Ordinal)); // STOP_SENDING
    }

    [Fact]
    public void A_name_in_pieces_is_put_together()
    {
        var peer = new ScriptedPeer();
        peer.SendStream(0, 3, "t!"u8.ToArray());
        peer.SendStream(0, 0, [4]);
        Assert.Empty(peer.Events());
        peer.SendStream(0, 1, "ch"u8.ToArray(), isFinal: false);
        Assert.Equal([new ConnectionEvent(ConnectionEventKind.StreamOpened, new StreamId(0), Text: "cht!")], peer.Events());
        peer.SendStream(0, 5, "x"u8.ToArray(), isFinal: true);
        Assert.Equal([new ConnectionEvent(ConnectionEventKind.StreamReadable, new StreamId(0))], peer.Events());
        var read = new byte[10];
        Assert.Equal(1, peer.Connection.Read(new StreamId(0), read, out var isFinished));
        Assert.True(isFinished);
    }

    [Fact]
    public void Stop_sending_is_answered_by_a_reset_with_its_code()
    {
        var peer = new ScriptedPeer();
        peer.SendStream(0, 0, [1, (byte)'x']);
        peer.Events();
        Assert.Equal(3, peer.Connection.Write(new StreamId(0), [1, 2, 3]));
        peer.Drain();
        peer.SendHex("05" + "00" + "2a");
        Assert.Equal([new ConnectionEvent(ConnectionEventKind.StreamStopped, new StreamId(0), 42)], peer.Events());
        var reply = Assert.Single(peer.Drain());
        Assert.EndsWith("04" + "00" + "2a" + "03" + "0000000000", Convert.ToHexStringLower(reply.Frames), StringComparison.Ordinal); // padded to 43 bytes
    }

    [Fact]
    public void A_replayed_packet_is_dropped_before_decryption()
    {
        var peer = new ScriptedPeer();
        var packet = peer.Seal((ref SpanWriter writer) => writer.WriteByte((byte)FrameType.Ping));
        Assert.True(peer.Connection.HandleDatagram(peer.Source, packet, peer.Now));
        Assert.False(peer.Connection.HandleDatagram(peer.Source, packet, peer.Now));
        packet[^1] ^= 1;
        Assert.False(peer.Connection.HandleDatagram(peer.Source, packet, peer.Now));
        var statistics = peer.Connection.Statistics;
        Assert.Equal((1UL, 2UL, 0UL), (statistics.PacketsReceived, statistics.DuplicatesDropped, statistics.Forgeries));
    }

    [Fact]
    public void A_packet_for_another_connection_is_dropped_before_decryption()
    {
        var peer = new ScriptedPeer();
        var packet = peer.Seal((ref SpanWriter writer) => writer.WriteByte((byte)FrameType.Ping));
        packet[1] ^= 1;
        Assert.False(peer.Connection.HandleDatagram(peer.Source, packet, peer.Now));
        Assert.Equal(0UL, peer.Connection.Statistics.Forgeries);
    }

    [Fact]
    public void A_closed_connection_answers_less_and_less()
    {
        var peer = new ScriptedPeer();
        peer.Connection.Close(1, "", peer.Now);
        var closes = peer.Drain().Count;
        for (var i = 0; i < 100; i++)
        {
            peer.SendHex("01");
            closes += peer.Drain().Count;
        }
        Assert.Equal(1 + 7, closes); // at once, and to the 1st, 2nd, 4th, … 64th packet
    }

    [Fact]
    public void The_sending_key_stops_before_its_limit_with_a_close()
    {
        var peer = new ScriptedPeer(limits: new AeadLimits { MaxPackets = 40 });
        for (var i = 0; i < 100 && !peer.Connection.IsClosed; i++)
        {
            peer.Connection.Ping();
            peer.Drain();
            peer.SendHex("02" + $"{peer.Connection.Statistics.PacketsSent - 1:x2}" + "00" + "00" + "00");
        }
        peer.AssertClosedWith(TransportError.AeadLimitReached);
        // 16 of the 40 are kept for closing: the close was the 25th packet.
        Assert.Equal(25UL, peer.Connection.Statistics.PacketsSent);
        for (var i = 0; i < 1_000; i++)
        {
            peer.SendHex("01");
            peer.Drain();
        }
        Assert.InRange(peer.Connection.Statistics.PacketsSent, 30UL, 40UL);
    }

    [Fact]
    public void Forgeries_beyond_the_limit_close_the_connection()
    {
        var peer = new ScriptedPeer(limits: new AeadLimits { MaxForgeries = 10 });
        for (var i = 0; i < 10; i++)
        {
            Assert.False(peer.Connection.IsClosed);
            var packet = peer.Seal((ref SpanWriter writer) => writer.WriteByte(1));
            packet[20] ^= 0x80;
            Assert.False(peer.Connection.HandleDatagram(peer.Source, packet, peer.Now));
        }
        peer.AssertClosedWith(TransportError.AeadLimitReached);
    }
}
