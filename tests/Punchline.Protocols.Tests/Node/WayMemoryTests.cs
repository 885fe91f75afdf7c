using Punchline.Protocols.Node;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Tests.Node;

public sealed class WayMemoryTests
{
    private static readonly PeerId Bob = new(Enumerable.Repeat((byte)1, PeerId.ByteLength).ToArray());

    [Fact]
    public void The_last_way_counts_until_another_takes_its_place_and_only_changes_are_news()
    {
        var memory = new WayMemory();
        Assert.False(memory.TryTakeKnown(out _));
        memory.Note(1, null);
        Assert.False(memory.TryTakeKnown(out _));
        memory.Note(1, WayKind.Search);
        Assert.Equal((WayKind.Search, null), (memory.Find(1), memory.Find(2)));
        Assert.True(memory.TryTakeKnown(out _));
        memory.Note(1, WayKind.Search);
        Assert.False(memory.TryTakeKnown(out _));
        memory.Note(1, WayKind.Tcp);
        Assert.Equal(WayKind.Tcp, memory.Find(1));
        memory.Note(1, null);
        Assert.Null(memory.Find(1));
        Assert.True(memory.TryTakeKnown(out var known));
        Assert.Empty(known);
    }

    [Fact]
    public void The_oldest_pair_goes_first()
    {
        var memory = new WayMemory();
        memory.Remember([.. Enumerable.Range(0, WayMemory.MaxPairs + 1).Select(pair => new KnownWay((ulong)pair, WayKind.Search))]);
        Assert.Equal((null, WayKind.Search), (memory.Find(0), memory.Find(1)));
        memory.Note(1_000, WayKind.Tcp);
        Assert.Equal((null, WayKind.Search, WayKind.Tcp), (memory.Find(1), memory.Find(2), memory.Find(1_000)));
    }

    [Fact]
    public void A_pair_is_this_network_the_peer_and_its_routers_address_whatever_the_port()
    {
        Candidate[] home = [new(CandidateKind.Host, Endpoint.Parse("192.168.1.2:4000")), new(CandidateKind.ServerReflexive, Endpoint.Parse("198.51.100.1:4000"))];
        Candidate[] again = [new(CandidateKind.ServerReflexive, Endpoint.Parse("198.51.100.1:5000"))];
        Candidate[] elsewhere = [new(CandidateKind.ServerReflexive, Endpoint.Parse("198.51.100.2:4000"))];
        var pair = WayMemory.Identify(7, Bob, home);
        Assert.Equal(pair, WayMemory.Identify(7, Bob, again));
        Assert.NotEqual(pair, WayMemory.Identify(7, Bob, elsewhere));
        Assert.NotEqual(pair, WayMemory.Identify(8, Bob, home));
        Assert.NotEqual(pair, WayMemory.Identify(7, default, home));
    }
}
