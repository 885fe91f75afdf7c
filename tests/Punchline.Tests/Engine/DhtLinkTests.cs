using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Punchline.Engine;
using Punchline.Protocols.Dht;
using Punchline.Protocols.Noise;
using Punchline.Protocols.Primitives;

namespace Punchline.Tests.Engine;

/// <summary>The DHT's node on real sockets, on the loopback.</summary>
public sealed class DhtLinkTests : IDisposable
{
    private static readonly byte[] Ours = "21:what a peer of us put"u8.ToArray();
    private static readonly NodeId Topic = NodeId.Read("punchline-loopback-1"u8);

    private readonly string _state = Directory.CreateTempSubdirectory("punchline-dht").FullName;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_state, recursive: true);

    [Fact]
    public async Task Nodes_find_what_others_announced_and_put_and_begin_anew_with_what_they_kept()
    {
        using var identity = P256KeyPair.Generate(SystemRandomSource.Instance);
        using var first = new NodeEngine(identity, Loopback, hideHostCandidates: true);
        await using var firstLink = DhtLink.Start(first, new DhtLinkOptions { BootstrapHosts = [], IsReadOnly = false });
        using var second = new NodeEngine(identity, Loopback, hideHostCandidates: true);
        var bootstrap = first.LocalEndPoint.ToString();
        await using var secondLink = DhtLink.Start(second, new DhtLinkOptions { BootstrapHosts = [bootstrap] });
        await MeetAsync(secondLink);
        var announced = await secondLink.SearchAsync((node, now) => node.Announce(Topic, 1, now), onPeer: null, Cancellation);
        Assert.Equal(1, announced.Outcome.Stored);
        Assert.Equal((1, announced.Outcome), (secondLink.Status.Statistics.UsableNodes, secondLink.Status.LastSearch));
        using (var third = new NodeEngine(identity, Loopback, hideHostCandidates: true))
        {
            await using var thirdLink = DhtLink.Start(third, new DhtLinkOptions { BootstrapHosts = [bootstrap], StateDirectory = _state });
            await MeetAsync(thirdLink);
            var told = new List<Endpoint>();
            var found = await thirdLink.SearchAsync((node, now) => node.FindPeers(Topic, now), told.Add, Cancellation);
            Assert.Equal([Endpoint.From(second.LocalEndPoint)], found.Peers);
            Assert.Equal(found.Peers, told);
            await thirdLink.SearchAsync((node, now) => node.PutItem(Ours, now), onPeer: null, Cancellation);
        }
        using var again = new NodeEngine(identity, Loopback, hideHostCandidates: true);
        await using var againLink = DhtLink.Start(again, new DhtLinkOptions { BootstrapHosts = [], StateDirectory = _state });
        var item = await againLink.SearchAsync((node, now) => node.GetItem(ItemStore.TargetOf(Ours), now), onPeer: null, Cancellation);
        Assert.Equal(Ours, item.Value.ToArray());
    }

    [Fact]
    public async Task Nodes_of_IPv6_are_found_and_announced_at_as_well()
    {
        Assert.SkipUnless(HasIPv6Loopback(), "This machine has no IPv6 loopback.");
        using var identity = P256KeyPair.Generate(SystemRandomSource.Instance);
        var local = new IPEndPoint(IPAddress.IPv6Loopback, 0);
        using var first = new NodeEngine(identity, local, hideHostCandidates: true);
        await using var firstLink = DhtLink.Start(first, new DhtLinkOptions { BootstrapHosts = [], IsReadOnly = false });
        using var second = new NodeEngine(identity, local, hideHostCandidates: true);
        Assert.True(DhtLinkOptions.IsHost(first.LocalEndPoint.ToString()));
        await using var secondLink = DhtLink.Start(second, new DhtLinkOptions { BootstrapHosts = [first.LocalEndPoint.ToString()] });
        await MeetAsync(secondLink);
        var announced = await secondLink.SearchAsync((node, now) => node.Announce(Topic, 1, now), onPeer: null, Cancellation);
        Assert.Equal((1, 1, false), (announced.Outcome.Stored, Assert.Single(secondLink.Status.Networks).UsableNodes, secondLink.Status.Networks[0].IsIPv4));
        using var third = new NodeEngine(identity, local, hideHostCandidates: true);
        await using var thirdLink = DhtLink.Start(third, new DhtLinkOptions { BootstrapHosts = [first.LocalEndPoint.ToString()] });
        await MeetAsync(thirdLink);
        var found = await thirdLink.SearchAsync((node, now) => node.FindPeers(Topic, now), onPeer: null, Cancellation);
        Assert.Equal([Endpoint.From(second.LocalEndPoint)], found.Peers);
    }

    private static bool HasIPv6Loopback()
    {
        try
        {
            using var socket = new Socket(AddressFamily.InterNetworkV6, SocketType.Dgram, ProtocolType.Udp);
            socket.Bind(new IPEndPoint(IPAddress.IPv6Loopback, 0));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static IPEndPoint Loopback => new(IPAddress.Loopback, 0);

    // The bootstrap host is known a moment after the start.
    private static async Task MeetAsync(DhtLink link)
    {
        var watch = Stopwatch.StartNew();
        DhtFinding found;
        do
        {
            found = await link.SearchAsync((node, now) => node.FindPeers(default, now), onPeer: null, Cancellation);
            if (found.Outcome.Answered == 0) await Task.Delay(50, Cancellation);
        }
        while (found.Outcome.Answered == 0 && watch.Elapsed < TimeSpan.FromSeconds(30));
        Assert.NotEqual(0, found.Outcome.Answered);
    }
}
