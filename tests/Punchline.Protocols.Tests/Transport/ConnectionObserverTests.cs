using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport;
using Punchline.Protocols.Transport.Observation;

namespace Punchline.Protocols.Tests.Transport;

public sealed class ConnectionObserverTests
{
    private readonly Recorder _sender = new();
    private readonly Recorder _receiver = new();
    private readonly Connection _initiator;
    private readonly Connection _responder;
    private readonly byte[] _packet = new byte[1_452];
    private readonly byte[] _copy = new byte[1_452];
    private Timestamp _now = Timestamp.FromMilliseconds(1_000);

    public ConnectionObserverTests()
    {
        _initiator = new Connection(Pair.Setup(ConnectionRole.Initiator, TransportParameters.Default, TransportParameters.Default) with { Observer = _sender }, _now);
        _responder = new Connection(Pair.Setup(ConnectionRole.Responder, TransportParameters.Default, TransportParameters.Default) with { Observer = _receiver }, _now);
    }

    [Fact]
    public void Packets_are_seen_in_clear_at_both_ends_as_they_were_sent()
    {
        Assert.True(_initiator.TryOpenStream("echo", StreamDirection.Bidirectional, out var stream));
        Assert.Equal(5, _initiator.Write(stream, "hello"u8));
        Move(_initiator, _responder);
        var sent = Assert.Single(_sender.Sent);
        Assert.Equal(0UL, sent.Number);
        Assert.Equal(Pair.ResponderAddress, sent.Remote);
        Assert.Equal(_initiator.Statistics.BytesSent, (ulong)sent.Length);
        Assert.Contains("hello", System.Text.Encoding.ASCII.GetString(sent.Frames), StringComparison.Ordinal);
        var received = Assert.Single(_receiver.Received);
        Assert.Equal((sent.Number, sent.Length), (received.Number, received.Length));
        Assert.Equal(sent.Frames, received.Frames);
        Assert.Equal(Pair.InitiatorAddress, received.Remote);
    }

    [Fact]
    public void What_is_dropped_is_seen_with_its_reason()
    {
        _initiator.Ping();
        Assert.True(_initiator.TryDequeueTransmit(_now, _packet, out var transmit));
        var packet = _packet.AsSpan(0, transmit.Length);
        packet.CopyTo(_copy);
        _copy[transmit.Length - 1] ^= 1;
        Assert.False(_responder.HandleDatagram(Pair.InitiatorAddress, _copy.AsSpan(0, transmit.Length), _now));
        Assert.True(_responder.HandleDatagram(Pair.InitiatorAddress, packet, _now));
        Assert.False(_responder.HandleDatagram(Pair.InitiatorAddress, packet, _now));
        Assert.Equal([(PacketDrop.Unauthentic, transmit.Length), (PacketDrop.Duplicate, transmit.Length)], _receiver.Dropped);
    }

    [Fact]
    public void Losses_and_what_they_do_to_the_window_are_seen()
    {
        Assert.True(_initiator.TryOpenStream("bulk", StreamDirection.Bidirectional, out var stream));
        _initiator.Write(stream, new byte[60_000]);
        Assert.True(_initiator.TryDequeueTransmit(_now, _packet, out _)); // is lost
        for (var i = 0; i < 20; i++)
        {
            _now += TimeSpan.FromMilliseconds(20);
            Move(_initiator, _responder);
            _now += TimeSpan.FromMilliseconds(20);
            _responder.HandleTimeout(_now);
            Move(_responder, _initiator);
            _initiator.HandleTimeout(_now);
        }
        Assert.Equal([0UL], _sender.Lost);
        Assert.Equal(1UL, _initiator.Statistics.PacketsLost);
        Assert.Equal([CongestionState.SlowStart, CongestionState.CongestionAvoidance], _sender.Metrics.Select(metrics => metrics.State).Distinct());
        Assert.Equal(_initiator.SmoothedRtt, _sender.Metrics[^1].SmoothedRtt);
        Assert.Equal(0, _sender.Metrics[^1].BytesInFlight);
    }

    [Fact]
    public void A_change_of_address_is_seen_from_the_first_challenge_to_its_end()
    {
        var moved = Endpoint.Parse("203.0.113.9:4000");
        _initiator.Ping();
        Assert.True(_initiator.TryDequeueTransmit(_now, _packet, out var transmit));
        Assert.True(_responder.HandleDatagram(moved, _packet.AsSpan(0, transmit.Length), _now));
        Move(_responder, _initiator);
        Move(_initiator, _responder, moved);
        Assert.Equal([(MigrationStep.ProbingStarted, moved), (MigrationStep.Completed, moved)], _receiver.Migrations);
        Assert.Equal(moved, _responder.Path.Remote);
    }

    [Fact]
    public void A_key_update_is_seen_by_who_begins_it_and_by_who_follows()
    {
        var limits = new AeadLimits { RekeyPackets = 3 };
        using var initiator = new Connection(Pair.Setup(ConnectionRole.Initiator, TransportParameters.Default, TransportParameters.Default, limits) with { Observer = _sender }, _now);
        using var responder = new Connection(Pair.Setup(ConnectionRole.Responder, TransportParameters.Default, TransportParameters.Default) with { Observer = _receiver }, _now);
        for (var i = 0; i < 6; i++)
        {
            initiator.Ping();
            Move(initiator, responder, Pair.InitiatorAddress);
            _now += TimeSpan.FromMilliseconds(40);
            responder.HandleTimeout(_now);
            Move(responder, initiator, Pair.ResponderAddress);
        }
        Assert.Equal([(true, false, 1), (false, false, 1)], _sender.KeyUpdates.Take(2));
        Assert.Equal([(true, true, 1), (false, true, 1)], _receiver.KeyUpdates.Take(2));
        Assert.Equal((initiator.Statistics.KeyUpdates, responder.Statistics.KeyUpdates), ((ulong)_sender.KeyUpdates.Count / 2, (ulong)_receiver.KeyUpdates.Count / 2));
    }

    [Fact]
    public void The_end_is_seen_once_with_its_reason_and_then_that_it_is_forgotten()
    {
        _initiator.Close(7, "done", _now);
        Move(_initiator, _responder);
        _initiator.Dispose();
        Assert.Equal(_initiator.CloseReason, Assert.Single(_sender.Closed));
        Assert.Equal(new CloseReason(CloseOrigin.Remote, IsApplication: true, 7, "done"), Assert.Single(_receiver.Closed));
        Assert.Equal((1, 0), (_sender.Forgotten, _receiver.Forgotten));
    }

    private void Move(Connection from, Connection to, Endpoint? source = null)
    {
        while (from.TryDequeueTransmit(_now, _packet, out var transmit))
        {
            Assert.True(to.HandleDatagram(
                source ?? (from == _initiator ? Pair.InitiatorAddress : Pair.ResponderAddress), _packet.AsSpan(0, transmit.Length), _now));
        }
    }

    private sealed class Recorder : IConnectionObserver
    {
        public List<(ulong Number, byte[] Frames, Endpoint Remote, int Length)> Sent { get; } = [];

        public List<(ulong Number, byte[] Frames, Endpoint Remote, int Length)> Received { get; } = [];

        public List<(PacketDrop, int)> Dropped { get; } = [];

        public List<ulong> Lost { get; } = [];

        public List<RecoveryMetrics> Metrics { get; } = [];

        public List<(MigrationStep, Endpoint)> Migrations { get; } = [];

        public List<(bool IsSendKey, bool IsPeers, ulong KeyPhase)> KeyUpdates { get; } = [];

        public List<CloseReason> Closed { get; } = [];

        public int Forgotten { get; private set; }

        public void OnPacketSent(in ObservedPacket packet, Timestamp now) => Sent.Add((packet.Number, packet.Frames.ToArray(), packet.Remote, packet.Length));

        public void OnPacketReceived(in ObservedPacket packet, Timestamp now) => Received.Add((packet.Number, packet.Frames.ToArray(), packet.Remote, packet.Length));

        public void OnPacketDropped(PacketDrop reason, Endpoint source, int length, Timestamp now) => Dropped.Add((reason, length));

        public void OnPacketLost(ulong number, Timestamp now) => Lost.Add(number);

        public void OnRecovery(in RecoveryMetrics metrics, Timestamp now) => Metrics.Add(metrics);

        public void OnMigration(MigrationStep step, Endpoint remote, Timestamp now) => Migrations.Add((step, remote));

        public void OnKeyUpdated(bool isSendKey, bool isPeers, ulong keyPhase, Timestamp now) => KeyUpdates.Add((isSendKey, isPeers, keyPhase));

        public void OnClosed(CloseReason reason, Timestamp now) => Closed.Add(reason);

        public void OnForgotten(Timestamp now) => Forgotten++;
    }
}
