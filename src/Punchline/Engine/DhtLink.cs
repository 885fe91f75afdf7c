using System.Net;
using System.Net.Sockets;
using Punchline.Protocols.Dht;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;
using Punchline.Sockets;

namespace Punchline.Engine;

/// <summary>How a node joins the DHT.</summary>
internal sealed record DhtLinkOptions
{
    /// <summary>Who runs nodes for others to begin with. The first line of a table, not an authority: they name nodes, and nothing rests on them later.</summary>
    public static readonly IReadOnlyList<string> DefaultBootstrapHosts =
        ["router.bittorrent.com:6881", "dht.transmissionbt.com:6881", "router.utorrent.com:6881", "dht.libtorrent.org:25401"];

    /// <summary>What to say where no node answers: what happened, why that may be, and what helps.</summary>
    public static string SilenceOf(IReadOnlyList<string> hosts) =>
        $"No node of the DHT answers: {string.Join(", ", hosts)} and those met earlier were asked for 15 s. The network may block UDP, or these hosts may be away: "
        + "name other nodes, as a BitTorrent client on another network lists them, or meet at a coordination server.";

    /// <summary>Whether a text names a node: HOST:PORT.</summary>
    public static bool IsHost(string text) =>
        Endpoint.TryParse(text, out var literal) ? literal.Port != 0 : text.LastIndexOf(':') is > 0 and var colon && ushort.TryParse(text[(colon + 1)..], out var port) && port != 0;

    /// <summary>HOST:PORT each; asked while few nodes are known.</summary>
    public IReadOnlyList<string> BootstrapHosts { get; init; } = DefaultBootstrapHosts;

    /// <summary>Where the nodes are kept that this run knew; null for nowhere.</summary>
    public string? StateDirectory { get; init; }

    /// <summary>Whether others are not answered (BEP 43): right behind a NAT.</summary>
    public bool IsReadOnly { get; init; } = true;
}

/// <summary>What a search in the DHT found.</summary>
/// <param name="Peers">Peers under the topic, each once.</param>
/// <param name="Value">The item, bencoded; empty where there is none.</param>
/// <param name="Outcome">What it took.</param>
internal sealed record DhtFinding(IReadOnlyList<Endpoint> Peers, ReadOnlyMemory<byte> Value, DhtSearchOutcome Outcome);

/// <summary>What is known of the DHT and of our place in it, for whoever looks into the network.</summary>
/// <param name="Statistics">Nodes known, queries, answers.</param>
/// <param name="Networks">Ours, IPv4's first: where the nodes of each see us, and who we are there.</param>
/// <param name="IsReadOnly">Others' queries are not answered (BEP 43).</param>
/// <param name="LastSearch">What the owner's last search came to, and how long it took; null before the first has ended.</param>
internal sealed record DhtStatus(DhtStatistics Statistics, IReadOnlyList<DhtNetworkView> Networks, bool IsReadOnly, DhtSearchOutcome? LastSearch);

/// <summary>The engine's way into the DHT: names of bootstrap hosts, the file with the nodes of the last run, searches as tasks.</summary>
internal sealed class DhtLink : IDhtObserver, IAsyncDisposable
{
    public const string FileName = "dht-nodes";

    private static readonly TimeSpan SaveInterval = TimeSpan.FromMinutes(10);

    private readonly NodeEngine _engine;
    private readonly DhtLinkOptions _options;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private readonly Dictionary<int, Search> _searches = [];
    private Task _running = Task.CompletedTask;
    private DhtSearchOutcome? _lastSearch; // under the engine's gate

    private DhtLink(NodeEngine engine, DhtLinkOptions options) => (_engine, _options) = (engine, options);

    /// <summary>Joins, and goes on looking up the bootstrap hosts' addresses in the background.</summary>
    public static DhtLink Start(NodeEngine engine, DhtLinkOptions options)
    {
        var link = new DhtLink(engine, options);
        engine.DhtBootstrapHosts = options.BootstrapHosts;
        engine.StartDht(link.Read(), options.IsReadOnly, link);
        link._running = Task.Run(link.RunAsync, CancellationToken.None);
        return link;
    }

    /// <summary>How things stand. A room's own searches are told in its events.</summary>
    public DhtStatus Status => _engine.Run((node, _) => new DhtStatus(node.Dht!.Statistics, [.. node.Dht.Networks], node.Dht.IsReadOnly, _lastSearch));

    /// <summary>Carries out a search to its end.</summary>
    /// <param name="start">The command that begins it.</param>
    /// <param name="onPeer">Hears of each peer at once; must not wait. Null for nobody.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <exception cref="InvalidOperationException">There are <see cref="DhtNode.MaxSearches"/> already.</exception>
    /// <exception cref="OperationCanceledException">The caller's token.</exception>
    public async Task<DhtFinding> SearchAsync(Func<DhtNode, Timestamp, int?> start, Action<Endpoint>? onPeer, CancellationToken cancellationToken)
    {
        var search = new Search(onPeer);
        // Within the engine's gate, so that no event comes before its search is known.
        var number = _engine.Run((node, now) =>
        {
            if (start(node.Dht!, now) is not { } started) return 0;
            lock (_gate) _searches.Add(started, search);
            return started;
        });
        if (number == 0) throw new InvalidOperationException($"At most {DhtNode.MaxSearches} searches run at once.");
        try
        {
            return await search.Ended.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            lock (_gate) _searches.Remove(number);
            if (!search.Ended.Task.IsCompleted) _engine.Run((node, now) => node.Dht!.Cancel(number, now));
        }
    }

    void IDhtObserver.OnEvent(DhtEvent dhtEvent)
    {
        lock (_gate)
        {
            if (dhtEvent is DhtEvent.SearchEnded { Outcome: var outcome }) _lastSearch = outcome;
            switch (dhtEvent)
            {
                case DhtEvent.PeerFound found when _searches.TryGetValue(found.Search, out var search):
                    search.Peers.Add(found.Peer);
                    search.OnPeer?.Invoke(found.Peer);
                    break;
                case DhtEvent.ItemFound found when _searches.TryGetValue(found.Search, out var search):
                    search.Value = found.Value;
                    break;
                case DhtEvent.SearchEnded ended when _searches.TryGetValue(ended.Search, out var search):
                    search.Ended.TrySetResult(new DhtFinding(search.Peers, search.Value, ended.Outcome));
                    break;
            }
        }
    }

    /// <summary>Keeps the nodes for the next run. Before the engine's end.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        Write();
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        try
        {
            var bootstraps = (await Task.WhenAll(_options.BootstrapHosts.Select(BootstrapAsync)).ConfigureAwait(false)).SelectMany(addresses => addresses).ToList();
            // How far openers have to go. A node on our own network has no NAT of ours before it.
            var outside = bootstraps.FindAll(node => !AddressScope.IsPrivate(node));
            if (FirstRouters.IsCheap && outside.Count > 0) await NetworkExamination.FindRoutersAsync(_engine, outside, _stop.Token).ConfigureAwait(false);
            using var timer = new PeriodicTimer(SaveInterval);
            while (await timer.WaitForNextTickAsync(_stop.Token).ConfigureAwait(false))
            {
                _engine.Run((node, now) => node.SetUtc(DateTimeOffset.UtcNow - DateTimeOffset.UnixEpoch, now));
                Write();
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    private async Task<IReadOnlyList<Endpoint>> BootstrapAsync(string host)
    {
        if (Endpoint.TryParse(host, out var literal) && literal.Port != 0)
        {
            _engine.Run((node, now) => node.Dht!.AddBootstrap(literal, now));
            return [literal];
        }
        var colon = host.LastIndexOf(':');
        if (colon < 0 || !ushort.TryParse(host[(colon + 1)..], out var port)) return [];
        try
        {
            var addresses = await Dns.GetHostAddressesAsync(host[..colon], _stop.Token).ConfigureAwait(false);
            // One of its addresses in each network: a host is one seed, however many it has.
            var nodes = addresses.DistinctBy(address => address.AddressFamily).Select(address => Endpoint.From(address, port)).ToList();
            foreach (var node in nodes) _engine.Run((core, now) => core.Dht!.AddBootstrap(node, now));
            return nodes;
        }
        catch (SocketException)
        {
            // No such name, or no network yet: the others, and the nodes of the last run, do as well.
            return [];
        }
    }

    private byte[] Read()
    {
        if (_options.StateDirectory is not { } directory) return [];
        try
        {
            var path = Path.Combine(directory, FileName);
            return new FileInfo(path) is { Exists: true, Length: <= DhtNode.MaxSavedLength } ? File.ReadAllBytes(path) : [];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private void Write()
    {
        if (_options.StateDirectory is not { } directory) return;
        try
        {
            // A run that met nobody takes nothing from what the last one knew.
            var saved = _engine.Run((node, _) => node.Dht!.Statistics.UsableNodes > 0 ? node.Dht.Save() : []);
            if (saved.Length > 0) AtomicFile.WriteAllBytes(Path.Combine(directory, FileName), saved);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Then the next run begins with the bootstrap hosts.
        }
    }

    private sealed class Search(Action<Endpoint>? onPeer)
    {
        public Action<Endpoint>? OnPeer { get; } = onPeer;

        public List<Endpoint> Peers { get; } = [];

        public ReadOnlyMemory<byte> Value { get; set; }

        public TaskCompletionSource<DhtFinding> Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
