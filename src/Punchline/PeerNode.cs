using System.Net;
using System.Net.Sockets;
using System.Text;
using Punchline.Engine;
using Punchline.Engine.Telemetry;
using Punchline.Protocols.Coordination;
using Punchline.Protocols.Rooms;

namespace Punchline;

/// <summary>
/// This process as a peer: one identity and one UDP port, from which it meets others in rooms. Thread-safe.
/// </summary>
public sealed class PeerNode : IAsyncDisposable
{
    private readonly PeerIdentity _identity;
    private readonly bool _ownsIdentity;
    private readonly IKnownServers _knownServers;
    private readonly KeptRoomKeys? _keptRoomKeys;
    private readonly NodeEngine _engine;
    private readonly Lock _gate = new();
    private readonly List<IAsyncDisposable> _open = [];
    private readonly DhtLinkOptions _dhtOptions;
    private DhtLink? _dht;

    private PeerNode(PeerNodeOptions options)
    {
        _ownsIdentity = options.Identity is null;
        _identity = options.Identity ?? PeerIdentity.Create();
        _knownServers = options.StateDirectory is { } directory ? new KnownServers(directory) : new RememberedServers();
        _keptRoomKeys = options.StateDirectory is { } state ? new KeptRoomKeys(state) : null;
        _dhtOptions = new DhtLinkOptions
        {
            BootstrapHosts = options.DhtBootstrapHosts is { } hosts ? [.. hosts] : DhtLinkOptions.DefaultBootstrapHosts,
            StateDirectory = options.StateDirectory,
        };
        _engine = new NodeEngine(
            _identity.KeyPair, options.LocalEndPoint, options.HideHostCandidates, options.QlogDirectory, mapsPort: !options.DisablePortMapping, options.TcpEndPoint,
            options.StateDirectory is { } kept ? new KeptKnowledge(kept) : null, usesMdns: !options.DisableMulticastDns);
    }

    /// <summary>Who this node is.</summary>
    public PeerId Id => _identity.Id;

    /// <summary>The UDP port that everything leaves from; its address is [::] where that is of both families.</summary>
    public IPEndPoint LocalEndPoint => _engine.LocalEndPoint;

    /// <summary>The TCP port that connections of peers come in at, and leave from; its address is [::] where it is of both families. Null where none could be had.</summary>
    public IPEndPoint? LocalTcpEndPoint => _engine.TcpEndPoint;

    internal NodeEngine Engine => _engine;

    /// <summary>Binds the port and starts.</summary>
    /// <exception cref="PunchlineException">The port is taken, the address is not this machine's, or the directory for qlog files cannot be made.</exception>
    public static async ValueTask<PeerNode> StartAsync(PeerNodeOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.DhtBootstrapHosts?.FirstOrDefault(host => !DhtLinkOptions.IsHost(host)) is { } malformed)
            throw new PunchlineException(PunchlineError.InvalidInput, $"'{malformed}' is no node of the DHT: HOST:PORT is wanted.");
        try
        {
            // Reading the interfaces takes some milliseconds, during which the caller can do other things.
            return await Task.Run(() => new PeerNode(options), cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (options.QlogDirectory is not null && exception is IOException or UnauthorizedAccessException)
        {
            throw new PunchlineException(PunchlineError.InvalidInput, $"{options.QlogDirectory} cannot be used for qlog files: {exception.Message}", exception);
        }
        catch (SocketException exception)
        {
            throw new PunchlineException(
                PunchlineError.InvalidInput, $"{(options.TcpEndPoint is { } tcp ? $"UDP {options.LocalEndPoint} or TCP {tcp}" : $"UDP {options.LocalEndPoint}")} cannot be used: {exception.Message}. Choose another port, or none.", exception);
        }
    }

    /// <summary>
    /// Joins a room and returns when the server has introduced us to its members, the DHT has answered, or a member on our own network is connected; connecting to the others goes
    /// on by itself.
    /// </summary>
    /// <exception cref="PunchlineException">The options are not valid; the server cannot be reached, is not trusted, or refuses; or no node of the DHT answers.</exception>
    /// <exception cref="OperationCanceledException">The caller's token.</exception>
    public async ValueTask<Room> JoinRoomAsync(RoomOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.UseDht && options.Server is not null)
            throw new PunchlineException(PunchlineError.InvalidInput, "A room's members meet at a server or in the DHT: set Server or UseDht, and not both.");
        if (!options.UseDht && options.Server is null && !IsFoundLocally(options))
            throw new PunchlineException(PunchlineError.InvalidInput, "A room's members have to meet somewhere: set Server or UseDht, or give it a secret and let its members find each other on their own network.");
        var address = options.Server is { } server ? ParseServer(server) : null;
        CheckName(options.DisplayName);
        return await PeerActivities.TraceAsync(PeerActivities.Start(PeerActivities.Join, Id, address), () => JoinRoomAsync(options, address, cancellationToken)).ConfigureAwait(false);
    }

    /// <summary>
    /// Calls a peer by its id, and returns when it has taken the call; connecting to it goes on by itself, in a room of the two.
    /// The peer learns this machine's addresses with the first ring; its own it gives with its consent.
    /// </summary>
    /// <exception cref="PunchlineException">
    /// The peer is offline, busy, does not want to or does not answer; the options are not valid; the server cannot be
    /// reached, is not trusted, or refuses; or no node of the DHT answers.
    /// </exception>
    /// <exception cref="OperationCanceledException">The caller's token. The call is withdrawn.</exception>
    public async ValueTask<Room> CallAsync(CallOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        var address = ParsePlace(options.Server, options.UseDht);
        CheckName(options.DisplayName);
        CheckOther(options.Peer);
        return await PeerActivities.TraceAsync(
            PeerActivities.Start(PeerActivities.Call, Id, address)?.SetTag(PeerActivities.Peer, options.Peer.ToString()), () => CallAsync(options, address, hasChat: true, cancellationToken)).ConfigureAwait(false);
    }

    /// <summary>
    /// Connects to a peer by its id: calls it as <see cref="CallAsync(CallOptions, CancellationToken)"/> does, where it listens (<see cref="ListenAsync"/>) or takes calls, and returns when
    /// there is a way. The connection is the caller's to dispose of.
    /// </summary>
    /// <exception cref="PunchlineException">
    /// The peer is offline, busy, does not want to or does not answer, or no way to it was found (<see cref="PunchlineError.PeerUnreachable"/>); the options are
    /// not valid, or the server cannot be reached, is not trusted, or refuses.
    /// </exception>
    /// <exception cref="OperationCanceledException">The caller's token. The call is withdrawn.</exception>
    public async ValueTask<PeerConnection> ConnectAsync(CallOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        var address = ParsePlace(options.Server, options.UseDht);
        CheckName(options.DisplayName);
        CheckOther(options.Peer);
        return await PeerActivities.TraceAsync(
            PeerActivities.Start(PeerActivities.Call, Id, address)?.SetTag(PeerActivities.Peer, options.Peer.ToString()), () => ConnectAsync(options, address, cancellationToken)).ConfigureAwait(false);
    }

    /// <summary>
    /// Listens for connections of peers that know this one's id, and returns when they can come. It is an inbox (<see cref="OpenInboxAsync(InboxOptions, CancellationToken)"/>) that takes
    /// calls by itself: a node has one of either at a server.
    /// </summary>
    /// <exception cref="PunchlineException">The options are not valid, or the server cannot be reached, is not trusted, or refuses.</exception>
    /// <exception cref="OperationCanceledException">The caller's token.</exception>
    public async ValueTask<PeerListener> ListenAsync(PeerListenerOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.AllowedPeers is null && options.Consent is null)
            throw new PunchlineException(PunchlineError.InvalidInput, "Say who may connect: a connection shows this machine's addresses. AllowedPeers is a list, Consent is asked for each.");
        var inboxOptions = new InboxOptions
        {
            Server = options.Server,
            TrustFirst = options.TrustFirst,
            DisplayName = options.DisplayName,
            AllowedCallers = options.AllowedPeers,
            Protocols = options.Protocols,
        };
        return new PeerListener(await OpenInboxAsync(inboxOptions, hasChat: false, cancellationToken).ConfigureAwait(false), options.Consent);
    }

    /// <summary>
    /// Opens this peer's inbox at a server or in the DHT, and returns when calls can come: whoever knows the id may call there. A node has one
    /// inbox at a server; an id that opens it from another process takes it over.
    /// </summary>
    /// <exception cref="PunchlineException">The options are not valid, or the server cannot be reached, is not trusted, or refuses.</exception>
    /// <exception cref="OperationCanceledException">The caller's token.</exception>
    public ValueTask<PeerInbox> OpenInboxAsync(InboxOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        return OpenInboxAsync(options, hasChat: true, cancellationToken);
    }

    /// <summary>
    /// Closes what there is with a peer and keeps it out: in every room, call and inbox of this node, those to come too, nothing is sent to it or taken from it, and its calls are refused. Or lets it in
    /// again. To the peer it looks as if this one had left. In a room it stays a member, of whom <see cref="RoomEvent.Failed"/> with the cause <c>blocked</c> is told, and reads this peer's addresses in its
    /// introduction. It lasts as long as the node: <see cref="KnownPeers.SetBlocked"/> remembers.
    /// </summary>
    /// <exception cref="InvalidOperationException"><see cref="KnownPeers.MaxBlocked"/> peers are blocked.</exception>
    public void SetBlocked(PeerId peer, bool isBlocked)
    {
        var hasRoom = _engine.Run((node, now) =>
        {
            if (isBlocked && node.BlockedCount >= KnownPeers.MaxBlocked && !node.IsBlocked(peer)) return false;
            node.SetBlocked(peer, isBlocked, now);
            return true;
        });
        if (!hasRoom) throw new InvalidOperationException($"At most {KnownPeers.MaxBlocked} peers can be blocked.");
    }

    /// <summary>Finds out what the network is between this machine and the internet: what is known, whenever that is more. The last is complete.</summary>
    internal IAsyncEnumerable<Protocols.Traversal.NetworkReport> ExamineNetworkAsync(IReadOnlyList<StunServerName> servers, CancellationToken cancellationToken = default) =>
        NetworkExamination.RunAsync(_engine, servers, cancellationToken);

    /// <summary>Joins the DHT, and finds out how it does from here.</summary>
    internal Task<DhtReport> ExamineDhtAsync(CancellationToken cancellationToken = default)
    {
        JoinDht();
        return DhtExamination.RunAsync(_dht!, _dhtOptions.BootstrapHosts, cancellationToken);
    }

    /// <summary>Leaves all rooms, closes all inboxes, and then the port.</summary>
    public async ValueTask DisposeAsync()
    {
        IAsyncDisposable[] open;
        lock (_gate)
        {
            open = [.. _open];
            _open.Clear();
        }
        await Task.WhenAll(open.Select(one => one.DisposeAsync().AsTask())).ConfigureAwait(false);
        if (_dht is { } dht) await dht.DisposeAsync().ConfigureAwait(false);
        // Behind the goodbyes, which go by the mapped port.
        await _engine.ClosePortMappingsAsync().ConfigureAwait(false);
        await _engine.CloseLinksAsync().ConfigureAwait(false);
        _engine.Dispose();
        if (_ownsIdentity) _identity.Dispose();
    }

    private async Task<Room> JoinRoomAsync(RoomOptions options, ServerAddress? address, CancellationToken cancellationToken)
    {
        var rehearsal = Rehearsal.Played;
        var keys = await DeriveKeysAsync(options, cancellationToken).ConfigureAwait(false);
        await rehearsal.ConfigureAwait(false);
        if (options.UseDht) JoinDht();
        var room = Room.Open(options, _engine, keys);
        if (IsFoundLocally(options)) room.ShowOnLinks(hasServer: address is not null);
        await StartAsync(
            room,
            address is not null ? room.StartAsync(LinkTo(room.Number, keys.Tag, PlaceKind.Room, address, options.TrustFirst), cancellationToken)
            : options.UseDht ? room.StartInDhtAsync(cancellationToken)
            : Task.CompletedTask).ConfigureAwait(false);
        return room;
    }

    private bool IsFoundLocally(RoomOptions options) => options.LocalDiscovery && options.Secret.Length > 0 && _engine.HasLinks;

    private async Task<PeerConnection> ConnectAsync(CallOptions options, ServerAddress? address, CancellationToken cancellationToken)
    {
        var room = await CallAsync(options, address, hasChat: false, cancellationToken).ConfigureAwait(false);
        try
        {
            return await room.ConnectAsync(options.Peer, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await room.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private async Task<Room> CallAsync(CallOptions options, ServerAddress? address, bool hasChat, CancellationToken cancellationToken)
    {
        await Rehearsal.Played.ConfigureAwait(false);
        if (options.UseDht) JoinDht();
        var room = Room.Call(options, _engine, hasChat);
        var tag = RoomKeys.OfInbox(options.Peer).Tag;
        await StartAsync(
            room,
            address is null ? room.StartInDhtAsync(cancellationToken) : room.StartAsync(LinkTo(room.Number, tag, PlaceKind.Inbox, address, options.TrustFirst), cancellationToken)).ConfigureAwait(false);
        return room;
    }

    private async ValueTask<PeerInbox> OpenInboxAsync(InboxOptions options, bool hasChat, CancellationToken cancellationToken)
    {
        var address = ParsePlace(options.Server, options.UseDht);
        CheckName(options.DisplayName);
        return await PeerActivities.TraceAsync(
            PeerActivities.Start(PeerActivities.Inbox, Id, address), () => OpenInboxAsync(options, address, hasChat, cancellationToken)).ConfigureAwait(false);
    }

    private async Task<PeerInbox> OpenInboxAsync(InboxOptions options, ServerAddress? address, bool hasChat, CancellationToken cancellationToken)
    {
        await Rehearsal.Played.ConfigureAwait(false);
        if (options.UseDht) JoinDht();
        var inbox = new PeerInbox(options, _engine, Adopt, hasChat);
        var tag = RoomKeys.OfInbox(Id).Tag;
        await StartAsync(
            inbox,
            address is null ? inbox.StartInDhtAsync(cancellationToken) : inbox.StartAsync(LinkTo(inbox.Number, tag, PlaceKind.Inbox, address, options.TrustFirst), cancellationToken)).ConfigureAwait(false);
        return inbox;
    }

    // Whatever was opened is closed where its start fails, and else with the node.
    private async Task StartAsync(IAsyncDisposable opened, Task start)
    {
        try
        {
            await start.ConfigureAwait(false);
        }
        catch
        {
            await opened.DisposeAsync().ConfigureAwait(false);
            throw;
        }
        Adopt(opened);
    }

    private void Adopt(IAsyncDisposable opened)
    {
        lock (_gate)
        {
            _open.RemoveAll(one => one is Room { IsLeft: true });
            _open.Add(opened);
        }
    }

    private void JoinDht()
    {
        lock (_gate) _dht ??= DhtLink.Start(_engine, _dhtOptions);
    }

    private ServerLink LinkTo(int number, byte[] tag, PlaceKind kind, ServerAddress address, bool trustFirst) =>
        new(_engine, number, CoordinationUrl.PathOf(tag, kind), address, _knownServers, trustFirst);

    // Null: the DHT.
    private static ServerAddress? ParsePlace(string? server, bool useDht) => useDht == (server is null)
        ? server is null ? null : ParseServer(server)
        : throw new PunchlineException(PunchlineError.InvalidInput, "Caller and callee meet at a server or in the DHT: set Server or UseDht, and not both.");

    private static ServerAddress ParseServer(string server) =>
        ServerAddress.TryParse(server, out var address, out var error) ? address : throw new PunchlineException(PunchlineError.InvalidInput, error);

    private void CheckOther(PeerId peer)
    {
        if (peer == Id) throw new PunchlineException(PunchlineError.InvalidInput, "This is the caller's own id: nobody calls itself.");
    }

    private static void CheckName(string name)
    {
        var nameBytes = Encoding.UTF8.GetByteCount(name);
        if (nameBytes is 0 or > IntroductionBlob.MaxNameBytes)
        {
            throw new PunchlineException(
                PunchlineError.InvalidInput, $"A display name has 1 to {IntroductionBlob.MaxNameBytes} bytes in UTF-8; this one has {nameBytes}.");
        }
    }

    private async Task<RoomKeys> DeriveKeysAsync(RoomOptions options, CancellationToken cancellationToken)
    {
        try
        {
            return await Task.Run(() => new RoomKeys(DeriveRoomKey(options.Room, options.Secret)), cancellationToken).ConfigureAwait(false);
        }
        catch (ArgumentException exception)
        {
            throw new PunchlineException(PunchlineError.InvalidInput, exception.Message, exception);
        }
    }

    private byte[] DeriveRoomKey(string name, string secret)
    {
        if (_keptRoomKeys?.Find(name, secret) is { } kept) return kept;
        var roomKey = RoomKeys.DeriveRoomKey(name, secret);
        _keptRoomKeys?.Keep(name, secret, roomKey);
        return roomKey;
    }

    // Trust that ends with the process.
    private sealed class RememberedServers : IKnownServers
    {
        private readonly System.Collections.Concurrent.ConcurrentDictionary<string, KnownServer> _servers = new(StringComparer.Ordinal);

        public KnownServer? Find(string authority) => _servers.GetValueOrDefault(authority);

        public void Remember(KnownServer server) => _servers[server.Authority] = server;
    }
}
