using Punchline.Protocols.Node;
using Punchline.Protocols.Primitives;
using Punchline.Simulation.Nat;
using Punchline.Simulation.Peers;

namespace Punchline.Simulation.Tests.Peers;

/// <summary>Packets of strangers: nothing throws, nothing is kept, and the chat goes on.</summary>
public sealed class ForgeryTests
{
    private const int Packets = 100_000;

    [Fact]
    public void A_hundred_thousand_random_mutated_and_replayed_packets_leave_no_trace()
    {
        SimulationRun.Check(SimulationSeeds.Take(1).First(), internet =>
        {
            using var room = new RoomScenario(internet, LinkConditions.Of(20), NatBehavior.Open, NatBehavior.Open);
            var (victim, other) = (room.Peers[0], room.Peers[1]);
            var genuine = new List<(Endpoint Source, byte[] Packet)>();
            victim.Overheard = (source, packet) =>
            {
                if (genuine.Count < 500) genuine.Add((source, packet.ToArray()));
            };
            Assert.True(room.JoinAllAndConnect(TimeSpan.FromSeconds(5)));
            internet.RunFor(TimeSpan.FromSeconds(2));
            for (var i = 0; i < 50; i++)
            {
                Assert.True(other.Send($"overheard {i}"));
                internet.RunFor(TimeSpan.FromMilliseconds(50));
            }
            victim.Overheard = null;
            Assert.Contains(genuine, packet => packet.Packet[0] == 0xc0 || packet.Packet[0] == 0xc1);
            Assert.Contains(genuine, packet => packet.Packet[0] == 0x80);
            var routes = victim.Node.RouteCount;
            var events = victim.Events.Count;

            var random = internet.NewRandom();
            for (var i = 0; i < Packets; i++)
            {
                var (source, packet) = genuine[random.NextInt32(genuine.Count)];
                if (random.NextInt32(2) == 0) source = Endpoint.FromIPv4((uint)random.NextUInt64(), (ushort)random.NextUInt64());
                victim.Node.HandleDatagram(source, Forge(random, packet), internet.Now);
                if (i % 1_000 == 0) internet.RunFor(TimeSpan.FromMilliseconds(1));
            }
            internet.RunFor(TimeSpan.FromSeconds(5));

            Assert.Equal(routes, victim.Node.RouteCount);
            Assert.Equal(events, victim.Events.Count);
            Assert.True(other.Send("still here"));
            Assert.True(victim.Send("so am I"));
            internet.RunFor(TimeSpan.FromSeconds(1));
            Assert.Equal("still here", victim.TextsFrom(other).Last());
            Assert.Equal(["so am I"], other.TextsFrom(victim));
            Assert.Equal(0, other.Undelivered + victim.Undelivered);
            Assert.Equal(51, victim.EventsOf<NodeEvent.MessageReceived>().Count());
        });
    }

    // Noise behind a plausible first byte, a genuine packet with a few bytes changed, cut or lengthened, or as it was.
    private static byte[] Forge(IRandomSource random, byte[] packet)
    {
        switch (random.NextInt32(4))
        {
            case 0:
                var noise = random.NextBytes(1 + random.NextInt32(300));
                noise[0] = ((byte[])[0x00, 0x64, 0x80, 0x9f, 0xc0, 0xc1, 0xc2, 0xc3, 0xff])[random.NextInt32(9)];
                return noise;
            case 1:
                byte[] changed = [.. packet];
                for (var i = random.NextInt32(3); i >= 0; i--) changed[1 + random.NextInt32(changed.Length - 1)] ^= (byte)(1 + random.NextInt32(255));
                return changed;
            case 2:
                return random.NextInt32(2) == 0 ? packet[..(1 + random.NextInt32(packet.Length))] : [.. packet, .. random.NextBytes(1 + random.NextInt32(20))];
            default:
                return packet;
        }
    }
}
