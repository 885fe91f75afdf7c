using Punchline.Protocols.Dht;
using Punchline.Protocols.Primitives;
using Punchline.Simulation;

namespace Punchline.Protocols.Tests.Dht;

public sealed class DhtFuzzTests
{
    private const int Seeds = 10_000;
    private static readonly Endpoint Host = Endpoint.Parse("20.1.1.1:6881");
    private static readonly Endpoint Stranger = Endpoint.Parse("198.51.100.7:6881");

    [Fact]
    public void Ten_thousand_seeds_of_malformed_traffic_change_nothing()
    {
        var (fuzzed, spared) = (Node(), Node());
        var dropped = 0UL;
        var corpus = Corpus(fuzzed);
        for (var seed = 1; seed <= Seeds; seed++)
        {
            var random = new SeededRandom((ulong)seed);
            var datagram = Mutate(corpus[random.NextInt32(corpus.Count)], random);
            // What is still a message may do what messages do; the other test has those.
            if (KrpcMessage.TryRead(datagram, out _)) continue;
            fuzzed.Receive(random.NextInt32(2) == 0 ? Host : Stranger, datagram);
            dropped++;
            Assert.True(fuzzed.Drain().Count == 0, $"seed {seed}");
        }
        Assert.InRange(dropped, Seeds / 2UL, (ulong)Seeds);
        Assert.Equal(spared.Node.NextTimeout, fuzzed.Node.NextTimeout);
        Assert.Equal(spared.Node.Statistics, fuzzed.Node.Statistics with { Dropped = 0 });
        Assert.Equal(spared.Node.Save(), fuzzed.Node.Save());
        Assert.Empty(fuzzed.Events());
    }

    [Fact]
    public void Whatever_is_a_message_stays_within_the_limits()
    {
        var scripted = Node();
        var corpus = Corpus(scripted);
        var read = 0;
        for (var seed = 1; seed <= Seeds; seed++)
        {
            var random = new SeededRandom((ulong)seed);
            var datagram = Mutate(corpus[random.NextInt32(corpus.Count)], random);
            read += KrpcMessage.TryRead(datagram, out _) ? 1 : 0;
            scripted.Receive(Endpoint.FromIPv4((uint)random.NextUInt64(), (ushort)random.NextUInt64()), datagram);
            // One answer, and one question to who may come into the table.
            Assert.True(scripted.Drain().Count <= 2, $"seed {seed}");
            scripted.RunFor(TimeSpan.FromMilliseconds(100));
        }
        Assert.InRange(read, Seeds / 20, Seeds);
        // None of the addresses was asked, or answered under a transaction of ours.
        Assert.InRange(scripted.Node.Statistics.Nodes, 0, 1);
    }

    private static ScriptedNode Node()
    {
        var scripted = new ScriptedNode();
        scripted.Node.SetReadOnly(false, scripted.Now);
        scripted.Node.AddBootstrap(Host, scripted.Now);
        scripted.Node.FindPeers(default, scripted.Now);
        scripted.Drain();
        return scripted;
    }

    private static List<byte[]> Corpus(ScriptedNode scripted)
    {
        var random = new SeededRandom(7);
        var id = NodeId.Generate(random);
        var nodes = ScriptedNode.Compact((id, Host), (NodeId.Generate(random), Stranger));
        var buffer = new byte[KrpcAnswer.MaxLength];
        var length = new KrpcAnswer
        {
            Transaction = "abcd"u8, Id = id, Destination = Stranger, Nodes = nodes, Token = "token"u8, Value = "12:Hello World!"u8, Peers = [Host, Stranger],
        }.Write(buffer);
        Assert.NotEqual(id, scripted.Node.Id);
        return
        [
            ScriptedNode.Query(KrpcMethod.Ping, id), ScriptedNode.Query(KrpcMethod.FindNode, id, id, want: KrpcWant.IPv4 | KrpcWant.IPv6),
            ScriptedNode.Query(KrpcMethod.GetPeers, id, id), ScriptedNode.Query(KrpcMethod.AnnouncePeer, id, id, [1, 2, 3, 4, 5, 6, 7, 8]),
            ScriptedNode.Query(KrpcMethod.Put, id, default, [1, 2, 3, 4, 5, 6, 7, 8], "12:Hello World!"u8.ToArray()), buffer[..length],
            "d1:eli201e23:A Generic Error Ocurrede1:t2:aa1:y1:ee"u8.ToArray(),
        ];
    }

    private static byte[] Mutate(byte[] message, SeededRandom random)
    {
        var mutated = message.ToArray();
        switch (random.NextInt32(5))
        {
            case 0: return random.NextBytes(random.NextInt32(1_500));
            case 1: return mutated[..random.NextInt32(mutated.Length)];
            case 2: return [.. mutated, .. random.NextBytes(1 + random.NextInt32(20))];
            case 3:
                // The structure's own characters elsewhere.
                for (var i = random.NextInt32(4); i >= 0; i--) mutated[random.NextInt32(mutated.Length)] = "dile0123456789:-"u8[random.NextInt32(16)];
                return mutated;
            default:
                mutated[random.NextInt32(mutated.Length)] ^= (byte)(1 << random.NextInt32(8));
                return mutated;
        }
    }
}
