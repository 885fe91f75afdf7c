using System.Diagnostics.CodeAnalysis;
using Punchline.Protocols.Coordination;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Node;

/// <summary>What has a connection to the coordination server of its own. It hears of it from its <see cref="ServerEntry"/>.</summary>
internal interface IServerEnd
{
    ServerEntry Server { get; }

    Timestamp NextTimeout { get; }

    /// <summary>A connection stands: the first <see cref="ServerEntry.Announce"/> joins.</summary>
    void HandleServerConnected(Timestamp now);

    void HandleServerEvent(CoordinationClientEvent serverEvent, Timestamp now);

    /// <summary>The connection broke, or the server fell silent.</summary>
    /// <param name="isNews">It had us until then, or never had.</param>
    /// <param name="now">The time.</param>
    void HandleServerLost(bool isNews, Timestamp now);

    /// <summary>Our own candidates changed. A room of its own hears of that by itself.</summary>
    void HandleCandidatesChanged(Timestamp now)
    {
    }

    /// <summary>Whether a refusal with this code says nothing of us, so that it is for the owner to act on it.</summary>
    bool OutlastsRefusal(string code) => false;

    void HandleTimeout(Timestamp now);

    /// <summary>Nodes of the DHT, which takes the server's place, have answered: others can find us.</summary>
    void HandleDhtAnswered()
    {
    }

    /// <summary>None of them has.</summary>
    void HandleDhtSilent()
    {
    }

    /// <summary>Whether there is a connection to a peer that was met here.</summary>
    bool IsConnectedTo(PeerId peer) => false;

    /// <summary>Says goodbye, where no room does.</summary>
    void Leave(Timestamp now);

    /// <summary>What happened while there was no room to tell it.</summary>
    bool TryDequeueEvent([NotNullWhen(true)] out NodeEvent? nodeEvent)
    {
        nodeEvent = null;
        return false;
    }
}

/// <summary>Our entry in one room or inbox of the coordination server, over however many connections.</summary>
/// <param name="services">The node's.</param>
/// <param name="owner">Who hears of it.</param>
/// <param name="tag">The room's or inbox's.</param>
/// <param name="instance">Which process of ours is there.</param>
internal sealed class ServerEntry(NodeServices services, IServerEnd owner, byte[] tag, InstanceId instance) : ISignalling
{
    private readonly List<Endpoint> _stunServers = [];
    private CoordinationClient? _client;
    private bool _hasJoined;
    private bool _wasMember;
    private bool _closes;

    /// <summary>The server has us as a member, so its word on who is there counts.</summary>
    public bool IsServed => _hasJoined && _client is { IsOver: false };

    /// <summary>Another process took our place, the server never let us in, or we left: there is no coming back.</summary>
    public bool IsFinal { get; private set; }

    /// <summary>The server is on this machine.</summary>
    public bool IsLoopback { get; private set; }

    public int MaxSignalLength => CoordinationLimits.MaxSignalBytes;

    public Timestamp NextTimeout => _client?.NextTimeout ?? Timestamp.Never;

    /// <summary>A WebSocket to the server stands.</summary>
    /// <param name="host">The host as dialled.</param>
    /// <param name="certificateKeyHash">Of the certificate that TLS showed; empty without TLS.</param>
    /// <param name="isLoopback">The server is on this machine.</param>
    /// <param name="now">The time.</param>
    public void HandleConnected(string host, ReadOnlySpan<byte> certificateKeyHash, bool isLoopback, Timestamp now)
    {
        IsLoopback = isLoopback;
        _hasJoined = false;
        _closes = false;
        _client = new CoordinationClient(services.Identity, instance, host, tag, certificateKeyHash, now);
        owner.HandleServerConnected(now);
    }

    public void HandleMessage(ReadOnlySpan<byte> utf8, Timestamp now)
    {
        _client?.HandleMessage(utf8, now);
        Drain(now);
    }

    public void HandleDisconnected(Timestamp now)
    {
        if (_client is null) return;
        var wasOver = _client.IsOver;
        _client = null;
        _closes = false;
        if (!wasOver) Lose(now);
    }

    public void HandleTimeout(Timestamp now)
    {
        if (_client is null) return;
        _client.HandleTimeout(now);
        Drain(now);
    }

    /// <summary>What to say of us there: the first blob of a connection joins, every later one updates. Nothing without a connection.</summary>
    /// <param name="generation">Above every earlier one.</param>
    /// <param name="blob">Sealed.</param>
    /// <param name="now">The time.</param>
    public void Announce(uint generation, ReadOnlySpan<byte> blob, Timestamp now)
    {
        if (_client is { IsOver: false }) _client.ProvideBlob(generation, blob, now);
    }

    /// <summary>Whether a connection stands on which to announce anything.</summary>
    public bool IsConnected => _client is { IsOver: false };

    /// <summary>Something for one other in an inbox; lost where the server does not have us just now.</summary>
    public void Signal(PeerId to, ReadOnlySpan<byte> data)
    {
        if (IsServed) _client!.Signal(to, data);
    }

    /// <summary>The number of an echo that comes when the server has dealt with all that we said; null without a server.</summary>
    public uint? RequestEcho() => IsServed ? _client!.RequestEcho() : null;

    public Endpoint? WhereIs(PeerId peer) => null;

    /// <summary>The network may have changed: the server is asked for a sign of life, and is lost if none comes.</summary>
    public void Doubt(Timestamp now)
    {
        if (IsServed) _client!.Doubt(now);
    }

    public void Leave(Timestamp now)
    {
        IsFinal = true;
        _client?.Leave(now);
    }

    public bool TryDequeueMessage(out ReadOnlyMemory<byte> utf8)
    {
        utf8 = default;
        return _client is not null && _client.TryDequeueMessage(out utf8);
    }

    /// <summary>Once, when nothing more is to be heard on the present connection, and it is to be closed.</summary>
    public bool TryTakeClose()
    {
        var closes = _closes;
        _closes = false;
        return closes;
    }

    /// <summary>STUN servers that the server named since the last time.</summary>
    public Endpoint[] TakeStunServers()
    {
        if (_stunServers.Count == 0) return [];
        Endpoint[] servers = [.. _stunServers];
        _stunServers.Clear();
        return servers;
    }

    private void Drain(Timestamp now)
    {
        while (_client is not null && _client.TryDequeueEvent(out var serverEvent))
        {
            switch (serverEvent)
            {
                case CoordinationClientEvent.Challenged challenged:
                    _stunServers.AddRange(challenged.StunServers);
                    break;
                // Whoever was in stays in: places come free, a server is replaced, and a network with something in between is
                // left again. Whoever never was hears why.
                case CoordinationClientEvent.Refused refused when _wasMember && !owner.OutlastsRefusal(refused.Code):
                case CoordinationClientEvent.ServerSilent:
                    Lose(now);
                    break;
                default:
                    _hasJoined |= serverEvent is CoordinationClientEvent.Welcomed;
                    _wasMember |= _hasJoined;
                    IsFinal |= serverEvent is CoordinationClientEvent.Replaced
                        || (serverEvent is CoordinationClientEvent.Refused { Code: var code } && !owner.OutlastsRefusal(code));
                    owner.HandleServerEvent(serverEvent, now);
                    break;
            }
            _closes |= _client is { IsOver: true };
        }
    }

    private void Lose(Timestamp now)
    {
        var isNews = _hasJoined || !_wasMember;
        _hasJoined = false;
        owner.HandleServerLost(isNews, now);
    }
}
