using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport;
using Punchline.Simulation;

namespace Punchline.Protocols.Tests.Transport;

public sealed class KeyUpdateTests
{
    [Fact] // Sealed by pyca/cryptography's AESGCM; its keys by REKEY (Noise revision 34 §4.2) from 00 01 … 1f
    public void The_next_key_is_that_of_Noises_rekey()
    {
        using var sealer = new PacketSealer(Pair.InitiatorKey, AeadLimits.Default, Timestamp.Zero);
        Assert.Equal(0x80, Seal(sealer)[0]);
        sealer.UpdateKey(Timestamp.Zero);
        Assert.Equal("810102030405060708000000017b386d94ae899aa800f3677b418dd6909b", Convert.ToHexStringLower(Seal(sealer)));
        sealer.UpdateKey(Timestamp.Zero);
        Assert.Equal("8001020304050607080000000209e2c9d3a8e82891a71e8ab5c7e1bef461", Convert.ToHexStringLower(Seal(sealer)));

        static byte[] Seal(PacketSealer sealer)
        {
            byte[] packet = [.. new byte[PacketHeader.Length], 0x01, .. new byte[PacketHeader.TagLength]];
            Assert.True(sealer.TrySeal(packet, 0x0102030405060708));
            return packet;
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Bytes_flow_through_many_updates_over_a_bad_link(ulong seed)
    {
        var pair = new Pair(
            seed, new LinkBehaviour { Loss = 0.02, Duplication = 0.02, Reordering = 0.1 }, limits: new AeadLimits { RekeyPackets = 50, MaxPackets = 1_000 });
        var bytes = new SeededRandom(seed).NextBytes(2_000_000);
        var id = pair.Initiator.Send("bulk", bytes);
        Assert.True(pair.RunUntil(() => pair.Responder.Finished.Contains(id), TimeSpan.FromMinutes(10)), $"seed {seed}");
        Assert.Equal(bytes, pair.Responder.Received[id].ToArray());
        Assert.InRange(pair.Initiator.Connection.Statistics.KeyUpdates, 5UL, 60UL);
        // Late packets of a key that is gone are dropped without a trial, those of one that never was do not exist.
        Assert.Equal((0UL, 0UL), (pair.Initiator.Connection.Statistics.Forgeries, pair.Responder.Connection.Statistics.Forgeries));
    }

    [Fact]
    public void A_key_is_updated_after_its_packets_and_by_both_sides_once()
    {
        var pair = new Pair(limits: new AeadLimits { RekeyPackets = 10 });
        for (var i = 0; i < 9; i++) Exchange(pair);
        Assert.Equal(0UL, pair.Initiator.Connection.Statistics.KeyUpdates);
        for (var i = 0; i < 9; i++) Exchange(pair);
        Assert.Equal((1UL, 1UL), (pair.Initiator.Connection.Statistics.KeyUpdates, pair.Responder.Connection.Statistics.KeyUpdates));
        Assert.Equal(0x81, pair.Initiator.Sent[^1].Bytes[0]);
        Assert.Equal(0x81, pair.Responder.Sent[^1].Bytes[0]);
    }

    [Fact]
    public void A_key_is_updated_when_it_is_an_hour_old()
    {
        var pair = new Pair(keepAlive: TimeSpan.FromSeconds(10));
        pair.Run(TimeSpan.FromMinutes(59));
        Assert.Equal(0UL, pair.Initiator.Connection.Statistics.KeyUpdates);
        pair.Run(TimeSpan.FromMinutes(2));
        Assert.Equal((1UL, 1UL), (pair.Initiator.Connection.Statistics.KeyUpdates, pair.Responder.Connection.Statistics.KeyUpdates));
        pair.Run(TimeSpan.FromMinutes(60));
        Assert.Equal((2UL, 2UL), (pair.Initiator.Connection.Statistics.KeyUpdates, pair.Responder.Connection.Statistics.KeyUpdates));
        Assert.Null(pair.Initiator.Connection.CloseReason);
    }

    [Fact]
    public void No_update_begins_before_the_one_before_is_acknowledged()
    {
        var pair = new Pair(limits: new AeadLimits { RekeyPackets = 5 });
        for (var i = 0; i < 5; i++) Exchange(pair);
        pair.Passes = (side, _) => side.Name == "initiator"; // nothing comes back
        for (var i = 0; i < 20; i++) Exchange(pair);
        Assert.Equal(1UL, pair.Initiator.Connection.Statistics.KeyUpdates);
    }

    [Theory]
    [InlineData(7, 9UL, 3UL)] // by small packets
    [InlineData(2_049, 4UL, 1UL)] // by large ones, of which one key seals fewer
    public void Packets_are_counted_by_their_size(int size, ulong most, ulong due)
    {
        using var sealer = new PacketSealer(
            Pair.InitiatorKey, new AeadLimits { RekeyPackets = 3, RekeyLargePackets = 1, MaxPackets = 9, LargePacketWeight = 2 }, Timestamp.Zero);
        var packet = new byte[Math.Max(size, PacketHeader.MinPacketLength)];
        for (ulong i = 0; i < most; i++)
        {
            Assert.Equal(i >= due, sealer.IsUpdateDue(Timestamp.Zero));
            Assert.True(sealer.TrySeal(packet, 1));
        }
        Assert.False(sealer.TrySeal(packet, 1));
        sealer.UpdateKey(Timestamp.Zero);
        Assert.Equal(9UL, sealer.PacketsLeft);
        Assert.True(sealer.TrySeal(packet, 1));
        Assert.Equal(most + 1, sealer.NextNumber);
    }

    [Fact]
    public void The_old_key_opens_what_the_update_overtook_and_is_then_forgotten()
    {
        var peer = new ScriptedPeer();
        Converse(peer);
        var (late, tooLate) = (Ping(peer), Ping(peer));
        peer.Sealer.UpdateKey(peer.Now);
        Assert.True(peer.Send(Ping));
        Assert.True(peer.Connection.HandleDatagram(peer.Source, late, peer.Now));
        peer.Drain();
        peer.Now = peer.Connection.NextTimeout;
        while (peer.Now < Timestamp.FromMilliseconds(3_000))
        {
            peer.Connection.HandleTimeout(peer.Now);
            peer.Drain();
            peer.Now = peer.Connection.NextTimeout;
        }
        Assert.False(peer.Connection.HandleDatagram(peer.Source, tooLate, peer.Now));
        Assert.Equal(0UL, peer.Connection.Statistics.Forgeries);
    }

    [Fact]
    public void A_flipped_phase_is_a_forgery_and_changes_nothing()
    {
        var peer = new ScriptedPeer();
        Converse(peer);
        var packet = Ping(peer);
        packet[0] ^= 1;
        Assert.False(peer.Connection.HandleDatagram(peer.Source, packet, peer.Now));
        Assert.Equal((1UL, 0UL), (peer.Connection.Statistics.Forgeries, peer.Connection.Statistics.KeyUpdates));
        packet[0] ^= 1;
        Assert.True(peer.Connection.HandleDatagram(peer.Source, packet, peer.Now));
    }

    [Fact]
    public void Two_updates_at_once_close_the_connection()
    {
        var peer = new ScriptedPeer();
        Converse(peer);
        peer.Sealer.UpdateKey(peer.Now);
        peer.Send(Ping);
        peer.Sealer.UpdateKey(peer.Now);
        peer.Send(Ping);
        peer.AssertClosedWith(TransportError.KeyUpdateError);
    }

    [Fact]
    public void An_acknowledgement_of_a_new_key_under_the_old_one_closes_the_connection()
    {
        var peer = new ScriptedPeer();
        Converse(peer);
        var old = peer.Seal((ref SpanWriter writer) => writer.WriteBytes([0x02, 0x01, 0x00, 0x00, 0x00])); // ACK of packet 1
        peer.Sealer.UpdateKey(peer.Now);
        peer.Send(Ping);
        peer.Connection.Ping();
        Assert.Single(peer.Drain()); // packet 1, under the new key
        Assert.True(peer.Connection.HandleDatagram(peer.Source, old, peer.Now));
        peer.AssertClosedWith(TransportError.KeyUpdateError);
    }

    // Both sides have sent under the first key, and heard.
    private static void Converse(ScriptedPeer peer)
    {
        peer.Connection.Ping();
        Assert.Single(peer.Drain());
        peer.SendHex("02" + "00" + "00" + "00" + "00");
    }

    private static byte[] Ping(ScriptedPeer peer) => peer.Seal(Ping);

    private static void Ping(ref SpanWriter writer) => writer.WriteByte(0x01);

    // A PING there, and its ACK back.
    private static void Exchange(Pair pair)
    {
        pair.Initiator.Connection.Ping();
        pair.Run(TimeSpan.FromMilliseconds(100));
    }
}
