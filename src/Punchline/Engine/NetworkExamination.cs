using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;
using Punchline.Sockets;

namespace Punchline.Engine;

/// <summary>A server to examine the network by.</summary>
/// <param name="Host">A name or an address.</param>
/// <param name="Port">Of its STUN, over UDP and TCP.</param>
/// <param name="HasNextPort">It answers on the next UDP port as well, as Punchline's do.</param>
internal sealed record StunServerName(string Host, ushort Port, bool HasNextPort);

/// <summary>Finds out what the network is, with a node of its own.</summary>
internal static class NetworkExamination
{
    /// <summary>For names: without an answer by then, whom they stand for is not asked.</summary>
    public static readonly TimeSpan ResolveTimeout = TimeSpan.FromMilliseconds(500);

    /// <summary>What is known, whenever that is more; the last is complete.</summary>
    public static async IAsyncEnumerable<NetworkReport> RunAsync(
        NodeEngine engine, IReadOnlyList<StunServerName> servers, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // The newest says all: who is slow to show one misses it.
        var reports = Channel.CreateBounded<NetworkReport>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });
        await engine.Nat64Sought.WaitAsync(cancellationToken).ConfigureAwait(false);
        var endpoints = (await Task.WhenAll(servers.Select(server => ResolveAsync(engine, server, cancellationToken))).ConfigureAwait(false)).SelectMany(found => found).Distinct().ToList();
        var finding = StartFindingRouters(engine, endpoints, cancellationToken);
        engine.Examine(endpoints, report =>
        {
            reports.Writer.TryWrite(report);
            if (report.IsComplete) reports.Writer.TryComplete();
        });
        var routers = TellRoutersAsync(engine, finding);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var web = TryWebAsync(engine, endpoints, over.Token);
        await foreach (var report in reports.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false)) yield return report;
        await routers.ConfigureAwait(false);
        await over.CancelAsync().ConfigureAwait(false);
        await web.ConfigureAwait(false);
    }

    // Of use where nothing else gets out: then the examination lasts longer than this.
    private static async Task TryWebAsync(NodeEngine engine, List<Endpoint> servers, CancellationToken cancellationToken)
    {
        if (servers.Count == 0) return;
        try
        {
            var isWebOnly = await TcpReach.IsWebOnlyAsync(engine.Nat64.ToWire(servers[0]).ToIPEndPoint(), cancellationToken).ConfigureAwait(false);
            engine.Run((node, now) => node.SetWebOnly(isWebOnly, now));
        }
        catch (OperationCanceledException)
        {
            // All else is known.
        }
    }

    private static async Task<IReadOnlyList<Endpoint>> ResolveAsync(NodeEngine engine, StunServerName server, CancellationToken cancellationToken)
    {
        try
        {
            var addresses = IPAddress.TryParse(server.Host, out var literal)
                ? [literal]
                : await Dns.GetHostAddressesAsync(server.Host, cancellationToken).WaitAsync(ResolveTimeout, cancellationToken).ConfigureAwait(false);
            return
            [
                .. addresses.Select(address => engine.Nat64.FromWire(Endpoint.From(address, server.Port)))
                    .Where(endpoint => !AddressScope.IsLinkLocal(endpoint)).DistinctBy(endpoint => endpoint.IsIPv4)
                    .SelectMany(endpoint => server is { HasNextPort: true, Port: < ushort.MaxValue } ? new[] { endpoint, endpoint.WithPort((ushort)(server.Port + 1)) } : [endpoint]),
            ];
        }
        catch (Exception exception) when (exception is SocketException or TimeoutException)
        {
            return [];
        }
    }

    /// <summary>Looks for the first routers on the way to one of the servers: before all else goes there, for a router sends only so many ICMP messages a second.</summary>
    public static Task<IReadOnlyList<Endpoint?>> StartFindingRouters(NodeEngine engine, IReadOnlyList<Endpoint> servers, CancellationToken cancellationToken) =>
        servers.Select(server => (Endpoint?)server).FirstOrDefault(server => server!.Value.IsIPv4 && !AddressScope.IsLoopback(server.Value)) is { } server
            ? FirstRouters.FindAsync(server.ToIPEndPoint(), router => engine.Run((node, now) => node.SetUdpRejection(router, now)), cancellationToken)
            : Task.FromResult<IReadOnlyList<Endpoint?>>([]);

    /// <summary>Looks for them and has the node know them.</summary>
    public static Task FindRoutersAsync(NodeEngine engine, IReadOnlyList<Endpoint> servers, CancellationToken cancellationToken) =>
        TellRoutersAsync(engine, StartFindingRouters(engine, servers, cancellationToken));

    /// <summary>Has the node know them.</summary>
    public static async Task TellRoutersAsync(NodeEngine engine, Task<IReadOnlyList<Endpoint?>> finding)
    {
        var routers = await finding.ConfigureAwait(false);
        engine.Run((node, now) => node.SetRouters(routers, hearsRejections: FirstRouters.IsCheap && routers.Count > 0, now));
    }
}
