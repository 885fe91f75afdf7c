using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport;
using Punchline.Protocols.Transport.Observation;

namespace Punchline.Protocols.Tests.Transport;

public sealed class ConnectionAllocationTests
{
    private readonly byte[] _packet = new byte[Connection.MaxPacketSize];
    private readonly byte[] _block = new byte[65_536];
    private Timestamp _now = Timestamp.FromMilliseconds(1_000);
    private int _lossInterval = int.MaxValue;
    private int _moved;

    [Theory] // the largest packet, of how many one is lost, and whether somebody looks on: what that one is told is no object
    [InlineData(1_200, int.MaxValue, 14_000, 15_500, false)]
    [InlineData(8_952, int.MaxValue, 2_000, 2_100, false)]
    [InlineData(1_200, 10, 15_500, 17_000, false)]
    [InlineData(1_200, 10, 15_500, 17_000, true)]
    public void A_bulk_transfer_allocates_nothing(int maxPacketSize, int lossInterval, ulong minPackets, ulong maxPackets, bool isObserved)
    {
        _lossInterval = lossInterval;
        var observer = isObserved ? new Counter() : null;
        var sender = new Connection(Pair.Setup(ConnectionRole.Initiator, TransportParameters.Default, TransportParameters.Default, maxPacketSize: maxPacketSize) with { Observer = observer }, _now);
        var receiver = new Connection(Pair.Setup(ConnectionRole.Responder, TransportParameters.Default, TransportParameters.Default, maxPacketSize: maxPacketSize), _now);
        Assert.True(sender.TryOpenStream("bulk", StreamDirection.Bidirectional, out var id));
        for (var i = 0; i < 3; i++) Transfer(sender, receiver, id, 16 << 20); // tables reach their size
        var sent = sender.Statistics.PacketsSent;
        var before = GC.GetAllocatedBytesForCurrentThread();
        Transfer(sender, receiver, id, 16 << 20);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.InRange(sender.Statistics.PacketsSent - sent, minPackets, maxPackets);
        if (observer is null) return;
        var statistics = sender.Statistics;
        Assert.Equal((statistics.PacketsSent, statistics.PacketsReceived, statistics.PacketsLost), (observer.Sent, observer.Received, observer.Lost));
        Assert.InRange(observer.MostInFlight, 1_200, 1 << 24);
    }

    [Fact]
    public void Datagrams_allocate_nothing()
    {
        var sender = new Connection(Pair.Setup(ConnectionRole.Initiator, TransportParameters.Default, TransportParameters.Default), _now);
        var receiver = new Connection(Pair.Setup(ConnectionRole.Responder, TransportParameters.Default, TransportParameters.Default), _now);
        Exchange(sender, receiver, 2_000); // queues and pools reach their size
        var before = GC.GetAllocatedBytesForCurrentThread();
        Exchange(sender, receiver, 2_000);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private void Exchange(Connection sender, Connection receiver, int datagrams)
    {
        var received = 0;
        while (received < datagrams)
        {
            for (var i = 0; i < 10; i++) Assert.True(sender.TrySendDatagram(_block.AsSpan(0, 1_000)));
            Move(sender, receiver);
            while (receiver.TryReceiveDatagram(_block, out _)) received++;
            _now += TimeSpan.FromMilliseconds(1);
            Move(receiver, sender);
            sender.HandleTimeout(_now);
            receiver.HandleTimeout(_now);
            while (sender.TryDequeueEvent(out _) || receiver.TryDequeueEvent(out _)) continue;
        }
    }

    private void Transfer(Connection sender, Connection receiver, StreamId id, int length)
    {
        var received = 0;
        while (received < length)
        {
            sender.Write(id, _block);
            Move(sender, receiver);
            while (receiver.Read(id, _block, out _) is > 0 and var count) received += count;
            _now += TimeSpan.FromMilliseconds(1);
            Move(receiver, sender);
            sender.HandleTimeout(_now);
            receiver.HandleTimeout(_now);
            while (sender.TryDequeueEvent(out _) || receiver.TryDequeueEvent(out _)) continue;
        }
    }

    private void Move(Connection from, Connection to)
    {
        while (from.TryDequeueTransmit(_now, _packet, out var transmit))
        {
            // Only full packets are lost, so that data goes one way, and its acknowledgements come back.
            if (transmit.Length > 1_000 && ++_moved % _lossInterval == 0) continue;
            Assert.True(to.HandleDatagram(transmit.Destination == Pair.ResponderAddress ? Pair.InitiatorAddress : Pair.ResponderAddress, _packet.AsSpan(0, transmit.Length), _now));
        }
    }

    private sealed class Counter : IConnectionObserver
    {
        public ulong Sent { get; private set; }

        public ulong Received { get; private set; }

        public ulong Lost { get; private set; }

        public long MostInFlight { get; private set; }

        public void OnPacketSent(in ObservedPacket packet, Timestamp now) => Sent++;

        public void OnPacketReceived(in ObservedPacket packet, Timestamp now) => Received++;

        public void OnPacketDropped(PacketDrop reason, Endpoint source, int length, Timestamp now) => Assert.Fail("Nothing is dropped here.");

        public void OnPacketLost(ulong number, Timestamp now) => Lost++;

        public void OnRecovery(in RecoveryMetrics metrics, Timestamp now) => MostInFlight = Math.Max(MostInFlight, metrics.BytesInFlight);

        public void OnMigration(MigrationStep step, Endpoint remote, Timestamp now) => Assert.Fail("Nobody moves here.");

        public void OnKeyUpdated(bool isSendKey, bool isPeers, ulong keyPhase, Timestamp now) => Assert.Fail("The keys last for longer.");

        public void OnClosed(CloseReason reason, Timestamp now) => Assert.Fail("It goes on.");

        public void OnForgotten(Timestamp now) => Assert.Fail("It goes on.");
    }
}
