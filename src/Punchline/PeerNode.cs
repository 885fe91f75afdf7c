using System.Net;
using System.Net.Sockets;
using System.Text;
using Punchline.Engine;
using Punchline.Engine.Telemetry;
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
    private readonly List<Room> _rooms = [];

    private PeerNode(PeerNodeOptions options)
    {
        _ownsIdentity = options.Identity is null;
        _identity = options.Identity ?? PeerIdentity.Create();
        _knownServers = options.StateDirectory is { } directory ? new KnownServers(directory) : new RememberedServers();
        _keptRoomKeys = options.StateDirectory is { } state ? new KeptRoomKeys(state) : null;
        _engine = new NodeEngine(_identity.KeyPair, options.LocalEndPoint ?? new IPEndPoint(IPAddress.Any, 0), options.HideHostCandidates, options.QlogDirectory);
    }

    /// <summary>Who this node is.</summary>
    public PeerId Id => _identity.Id;

    /// <summary>The UDP port that everything leaves from.</summary>
    public IPEndPoint LocalEndPoint => _engine.LocalEndPoint;

    internal NodeEngine Engine => _engine;

    /// <summary>Binds the port and starts.</summary>
    /// <exception cref="PunchlineException">The port is taken, the address is not this machine's, or the directory for qlog files cannot be made.</exception>
    public static async ValueTask<PeerNode> StartAsync(PeerNodeOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
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
                PunchlineError.InvalidInput, $"UDP {options.LocalEndPoint} cannot be used: {exception.Message}. Choose another port, or none.", exception);
        }
    }

    /// <summary>
    /// Joins a room and returns when the server has introduced us to its members; connecting to them goes on by itself.
    /// </summary>
    /// <exception cref="PunchlineException">The options are not valid, or the server cannot be reached, is not trusted, or refuses.</exception>
    /// <exception cref="OperationCanceledException">The caller's token.</exception>
    public async ValueTask<Room> JoinRoomAsync(RoomOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (!ServerAddress.TryParse(options.Server, out var address, out var error)) throw new PunchlineException(PunchlineError.InvalidInput, error);
        using var activity = PeerActivities.StartJoin(Id, address);
        try
        {
            return await JoinRoomAsync(options, address, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            PeerActivities.Fail(activity, exception);
            throw;
        }
    }

    /// <summary>Leaves all rooms and closes the port.</summary>
    public async ValueTask DisposeAsync()
    {
        Room[] rooms;
        lock (_gate)
        {
            rooms = [.. _rooms];
            _rooms.Clear();
        }
        await Task.WhenAll(rooms.Select(room => room.DisposeAsync().AsTask())).ConfigureAwait(false);
        _engine.Dispose();
        if (_ownsIdentity) _identity.Dispose();
    }

    private async Task<Room> JoinRoomAsync(RoomOptions options, ServerAddress address, CancellationToken cancellationToken)
    {
        var rehearsal = Rehearsal.Played;
        var keys = await DeriveKeysAsync(options, cancellationToken).ConfigureAwait(false);
        await rehearsal.ConfigureAwait(false);
        var room = new Room(options, _engine, keys);
        try
        {
            await room.JoinAsync(new ServerLink(_engine, room.Number, keys, address, _knownServers, options.TrustFirst), cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await room.DisposeAsync().ConfigureAwait(false);
            throw;
        }
        lock (_gate) _rooms.Add(room);
        return room;
    }

    private async Task<RoomKeys> DeriveKeysAsync(RoomOptions options, CancellationToken cancellationToken)
    {
        var nameBytes = Encoding.UTF8.GetByteCount(options.DisplayName);
        if (nameBytes is 0 or > IntroductionBlob.MaxNameBytes)
        {
            throw new PunchlineException(
                PunchlineError.InvalidInput, $"A display name has 1 to {IntroductionBlob.MaxNameBytes} bytes in UTF-8; this one has {nameBytes}.");
        }
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
