using Punchline.Simulation.Peers;

namespace Punchline.Simulation.Tests.Peers;

/// <summary>What a packet of an established connection costs in a whole node: routes, rooms, sessions and timers, not the connection alone.</summary>
public sealed class NodeAllocationTests
{
    [Fact]
    public void Packets_of_an_established_connection_allocate_nothing()
    {
        using var pair = new NodePair(seed: 1);
        Run(pair, packets: 400); // tables reach their size
        // What a packet allocates it does in every round; what the runtime does once on whatever thread, a compiler's statics say, is in one of
        // them. All are over before the hour is: a new key is a new cipher.
        Assert.Equal(0, Enumerable.Range(0, 3).Min(_ => AllocatedBy(pair, packets: 250)));
    }

    private static long AllocatedBy(NodePair pair, long packets)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        Run(pair, packets);
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private static void Run(NodePair pair, long packets)
    {
        var end = pair.Packets + packets;
        // A keep-alive each way every 5 s, and its acknowledgement: hardly a step goes by without a packet.
        for (var steps = 0; pair.Packets < end; steps++)
        {
            Assert.True(steps < 4 * packets, "The nodes have fallen silent.");
            pair.Step();
        }
    }
}
