using Punchline.Protocols.Node;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport;
using Punchline.Protocols.Transport.Handshake;
using Punchline.Protocols.Transport.Observation;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Tests.Node;

public sealed class NodeObserverTests
{
    private readonly Recorder _seen = new();

    [Fact]
    public void An_attempt_that_fails_is_seen_packet_by_packet_with_its_cause()
    {
        using var room = new StagedRoom(_seen, members: 1, rank: 0);
        var sent = room.PassAll(TimeSpan.FromSeconds(30));
        var failed = Assert.Single(room.Events.OfType<NodeEvent.Failed>());
        var openers = sent.Where(packet => packet.Bytes[0] == 0xff).Select(packet => $"opener to {packet.To} ttl {packet.TimeToLive}").ToList();
        Assert.NotEmpty(openers);
        Assert.Equal([$"attempt to {room.Members[0].Id} as Initiator"], _seen.Lines.Take(1));
        Assert.Equal(openers, _seen.Lines.Where(line => line.StartsWith("opener", StringComparison.Ordinal)));
        Assert.Equal(
            sent.Where(packet => packet.Bytes[0] == HandshakePacket.Message1).Select(packet => $"sent c0 {packet.To} {packet.Bytes.Length}"),
            _seen.Lines.Where(line => line.StartsWith("sent", StringComparison.Ordinal)));
        Assert.Equal($"failed {failed.Failure.Cause}", _seen.Lines[^1]);
        Assert.Equal((ulong)sent.Count, room.Node.Statistics.Probes);
        Assert.Equal(1UL, room.Node.Statistics.FiveTuples);
    }

    [Fact]
    public void A_handshake_is_seen_to_its_end_and_the_connection_to_its_own()
    {
        using (var room = new StagedRoom(_seen, members: 1, rank: 0))
        {
            var member = room.Members[0];
            var message1 = room.PassAll(TimeSpan.FromMilliseconds(100)).First(packet => packet.Bytes[0] == HandshakePacket.Message1);
            Assert.True(ReceivedMessage1.TryRead(member.Context, message1.Bytes, out var received));
            Assert.True(ResponderHandshake.TryRespond(member.Context, received, 42, Parameters(), room.Random, out var responder));
            _seen.Lines.Clear();
            room.Deliver(member.Source, responder.Message2.ToArray());
            responder.Dispose();
            Assert.Equal(
                [$"received c1 {member.Source} {responder.Message2.Length}", $"sent c2 {member.Source} {_seen.LastLength}", $"connected {member.Source} to 2a", "packet 0"],
                _seen.Lines);
            Assert.Equal((1, 1, 1UL), (room.Node.Statistics.Rooms, room.Node.Statistics.Connections, room.Node.Statistics.PacketsSent));
            _seen.Lines.Clear();
        }
        Assert.Equal(["forgotten"], _seen.Lines);
    }

    [Fact]
    public void An_attempt_that_nobody_needs_any_more_is_let_go()
    {
        using (var room = new StagedRoom(_seen, members: 1, rank: 0)) room.PassAll(TimeSpan.FromMilliseconds(100));
        Assert.Equal("abandoned", _seen.Lines[^1]);
    }

    private static byte[] Parameters()
    {
        var buffer = new byte[TransportParameters.MaxEncodedLength];
        var writer = new SpanWriter(buffer);
        TransportParameters.Default.Write(ref writer, 1);
        return writer.Written.ToArray();
    }

    private sealed class Recorder : INodeObserver, IAttemptObserver, IConnectionObserver
    {
        public List<string> Lines { get; } = [];

        public int LastLength { get; private set; }

        public IAttemptObserver OnAttempt(PeerId peer, ConnectionRole role, Timestamp now)
        {
            Lines.Add($"attempt to {peer} as {role}");
            return this;
        }

        public void OnOpener(Endpoint destination, byte timeToLive, int length, Timestamp now) => Lines.Add($"opener to {destination} ttl {timeToLive}");

        public void OnHandshakePacket(byte type, bool isSent, Endpoint remote, int length, Timestamp now)
        {
            LastLength = length;
            Lines.Add($"{(isSent ? "sent" : "received")} {type:x2} {remote} {length}");
        }

        public IConnectionObserver OnConnected(Endpoint remote, ulong localConnectionId, ulong remoteConnectionId, Timestamp now)
        {
            Lines.Add($"connected {remote} to {remoteConnectionId:x}");
            return this;
        }

        public void OnFailed(PunchFailure failure, Timestamp now) => Lines.Add($"failed {failure.Cause}");

        public void OnAbandoned() => Lines.Add("abandoned");

        public void OnPacketSent(in ObservedPacket packet, Timestamp now) => Lines.Add($"packet {packet.Number}");

        public void OnPacketReceived(in ObservedPacket packet, Timestamp now) => Assert.Fail("The member sends none.");

        public void OnPacketDropped(PacketDrop reason, Endpoint source, int length, Timestamp now) => Assert.Fail("The member sends none.");

        public void OnPacketLost(ulong number, Timestamp now) => Assert.Fail("Nothing is acknowledged.");

        public void OnRecovery(in RecoveryMetrics metrics, Timestamp now)
        {
        }

        public void OnMigration(MigrationStep step, Endpoint remote, Timestamp now) => Assert.Fail("Nobody moves.");

        public void OnKeyUpdated(bool isSendKey, bool isPeers, ulong keyPhase, Timestamp now) => Assert.Fail("The keys are new.");

        public void OnClosed(CloseReason reason, Timestamp now) => Lines.Add("closed");

        public void OnForgotten(Timestamp now) => Lines.Add("forgotten");
    }
}
