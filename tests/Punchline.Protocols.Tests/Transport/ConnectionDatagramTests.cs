using Punchline.Protocols.Transport;

namespace Punchline.Protocols.Tests.Transport;

public sealed class ConnectionDatagramTests
{
    private readonly byte[] _buffer = new byte[1_452];

    [Fact]
    public void A_datagram_arrives_whole_and_in_one_packet()
    {
        var pair = new Pair();
        var largest = new byte[pair.Initiator.Connection.MaxDatagramSize];
        largest[^1] = 7;
        Assert.Equal(1_168, largest.Length); // 1,200 − 13 header − 16 tag − 3 type and length
        Assert.True(pair.Initiator.Connection.TrySendDatagram(largest));
        Assert.True(pair.Initiator.Connection.TrySendDatagram([]));
        Assert.False(pair.Initiator.Connection.TrySendDatagram(new byte[largest.Length + 1]));
        pair.Run(TimeSpan.FromMilliseconds(20));
        Assert.Equal(2, pair.Initiator.Sent.Count);
        Assert.Equal([new ConnectionEvent(ConnectionEventKind.DatagramReceived)], pair.Responder.Events);
        Assert.Throws<ArgumentException>(() => pair.Responder.Connection.TryReceiveDatagram(new byte[1_167], out _));
        Assert.Equal(largest, Take(pair.Responder)!);
        Assert.Empty(Take(pair.Responder)!);
        Assert.Null(Take(pair.Responder));
    }

    [Fact]
    public void A_lost_datagram_is_gone()
    {
        var pair = new Pair { Passes = (side, _) => side.Name != "initiator" };
        pair.Initiator.Connection.TrySendDatagram([1]);
        pair.Run(TimeSpan.FromMilliseconds(50));
        pair.Passes = (_, _) => true;
        pair.Initiator.Connection.TrySendDatagram([2]);
        pair.Run(TimeSpan.FromSeconds(5));
        Assert.Equal([2], Take(pair.Responder));
        Assert.Null(Take(pair.Responder));
        Assert.Equal(1UL, pair.Initiator.Connection.Statistics.PacketsLost);
    }

    [Fact]
    public void Of_too_many_the_oldest_are_dropped_on_both_sides()
    {
        var pair = new Pair();
        // More than the queue holds, and more than the first congestion window lets go at once.
        for (var i = 0; i < DatagramQueue.MaxCount + 3; i++) Assert.True(pair.Initiator.Connection.TrySendDatagram([(byte)(i >> 8), (byte)i, .. new byte[900]]));
        Assert.Equal(3UL, pair.Initiator.Connection.Statistics.OutgoingDatagramsDropped);
        pair.Run(TimeSpan.FromSeconds(5));
        for (var i = 0; i < 2; i++) Assert.True(pair.Initiator.Connection.TrySendDatagram([0xff, (byte)i]));
        pair.Run(TimeSpan.FromSeconds(5));
        Assert.Equal(2UL, pair.Responder.Connection.Statistics.IncomingDatagramsDropped);
        Assert.Equal(1, pair.Responder.Count(ConnectionEventKind.DatagramReceived));
        var taken = new List<int>();
        while (Take(pair.Responder) is { } datagram) taken.Add((datagram[0] << 8) | datagram[1]);
        Assert.Equal([.. Enumerable.Range(5, DatagramQueue.MaxCount - 2), 0xff00, 0xff01], taken);
    }

    [Fact]
    public void Bytes_that_wait_are_limited_too()
    {
        using var queue = new DatagramQueue();
        var datagram = new byte[DatagramQueue.MaxBytes / 4];
        for (var i = 0; i < 5; i++)
        {
            datagram[0] = (byte)i;
            queue.Enqueue(datagram);
        }
        Assert.Equal((4, 1UL), (queue.Count, queue.Dropped));
        Assert.Equal(datagram.Length, queue.Dequeue(datagram));
        Assert.Equal(1, datagram[0]);
    }

    [Fact]
    public void A_peer_that_takes_none_is_sent_none()
    {
        var pair = new Pair(responderParameters: TransportParameters.Default with { MaxDatagramFrameSize = 0 });
        Assert.Equal(0, pair.Initiator.Connection.MaxDatagramSize);
        Assert.False(pair.Initiator.Connection.TrySendDatagram([]));
    }

    [Theory]
    [InlineData(0, "30")] // none are taken
    [InlineData(4, "31" + "03" + "616263")] // a frame of 5 bytes
    [InlineData(4, "30" + "61626364")]
    public void A_datagram_beyond_the_announced_size_is_a_protocol_violation(int announced, string frames)
    {
        var peer = new ScriptedPeer(TransportParameters.Default with { MaxDatagramFrameSize = (ulong)announced });
        peer.SendHex(frames);
        peer.AssertClosedWith(TransportError.ProtocolViolation);
    }

    [Fact]
    public void A_large_datagram_does_not_starve_behind_acknowledgements()
    {
        var peer = new ScriptedPeer();
        var datagram = new byte[peer.Connection.MaxDatagramSize];
        for (var i = 0; i < 10; i++)
        {
            // Each packet of the peer's leaves an ACK waiting that no longer fits beside the datagram.
            peer.SendHex("01");
            peer.Connection.TrySendDatagram(datagram);
            Assert.Contains(peer.Drain(), packet => packet.Frames.Length == 3 + datagram.Length);
        }
    }

    private byte[]? Take(Side side) => side.Connection.TryReceiveDatagram(_buffer, out var length) ? _buffer[..length] : null;
}
