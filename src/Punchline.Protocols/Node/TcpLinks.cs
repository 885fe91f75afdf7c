using System.Diagnostics.CodeAnalysis;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport;
using Punchline.Protocols.Transport.Paths;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Node;

/// <summary>
/// The connections of the node's TCP port: those it makes, those that come in, and what each may have before anything authentic
/// has come on it.
/// </summary>
internal sealed class TcpLinks : ICarrierRoom
{
    /// <summary>Connections at once: two for each member of a full room, and as many again that are being made.</summary>
    public const int MaxLinks = 256;

    /// <summary>Beside them, those of a search: ports that are held, or a second's probes.</summary>
    public const int MaxSearchLinks = SearchBudget.MaxMappings;

    /// <summary>Of them, those that came in and have shown nothing yet.</summary>
    public const int MaxUnproven = 32;

    /// <summary>Of those, from one IPv4 address or IPv6 /64: some peers behind one router.</summary>
    public const int MaxUnprovenPerAddress = 8;

    /// <summary>Bytes before anything authentic: both handshake messages, with a cookie, take 1,500 at most.</summary>
    public const int MaxUnprovenBytes = 4_096;

    /// <summary>Bytes handed to the driver that its socket has not taken: what the socket itself holds comes on top (PROTOCOL §7).</summary>
    public const int MaxUntaken = 64 << 10;

    /// <summary>What a connection that came in gets to show something authentic.</summary>
    public static readonly TimeSpan UnprovenTime = TimeSpan.FromSeconds(10);

    // No handshake packet is larger, nor the first data packets.
    private const int MaxUnprovenPacket = 1_452;

    private readonly OrderedDictionary<int, TcpLink> _links = [];
    private readonly Queue<TcpCommand> _commands = new();
    private int _lastNumber;
    private int _ofSearch;
    private bool _hasIPv6;

    /// <summary>Our port, which the driver has bound and listens on; 0 where it has none.</summary>
    public ushort Port { get; private set; }

    /// <summary>Whether IPv4 has it.</summary>
    public bool HasIPv4 { get; private set; }

    public int Count => _links.Count;

    public ConnectBudget Budget { get; } = new();

    public Timestamp NextTimeout
    {
        get
        {
            var next = Timestamp.Never;
            foreach (var link in _links.Values)
            {
                if (!link.IsProven) next = Timestamp.Min(next, link.Deadline);
            }
            return next;
        }
    }

    /// <summary>The driver has the port, in one family or in both.</summary>
    public void Open(ushort port, bool hasIPv4, bool hasIPv6) => (Port, HasIPv4, _hasIPv6) = (port, hasIPv4, hasIPv6);

    /// <summary>Whether the port is of an address's family.</summary>
    public bool IsOf(Endpoint address) => Port != 0 && (address.IsIPv4 ? HasIPv4 : _hasIPv6);

    /// <summary>Begins a connection. Null where there are too many, or too many SYNs went there.</summary>
    /// <param name="owner">Hears of it.</param>
    /// <param name="remote">Where to.</param>
    /// <param name="timeToLive">Of its packets; 0 for the default.</param>
    /// <param name="patience">Until it is given up.</param>
    /// <param name="now">The time.</param>
    /// <param name="openerLead">How long a SYN that dies behind our own router goes ahead; zero for none.</param>
    /// <param name="isSide">From a port of its own.</param>
    public PathAddress? Connect(ITcpLinkOwner owner, Endpoint remote, byte timeToLive, TimeSpan patience, Timestamp now, TimeSpan openerLead = default, bool isSide = false)
    {
        var syns = ConnectBudget.SynsIn(patience) + (openerLead > TimeSpan.Zero ? 1 : 0);
        if (Port == 0 || _links.Count - _ofSearch >= MaxLinks || !Budget.TryTake(remote, syns, now)) return null;
        return Begin(TcpCommandKind.Connect, owner, remote, now, openerLead + patience, openerLead, timeToLive, isSide);
    }

    /// <summary>Holds a port of its own open towards an address; nothing of it gets there. Null where there are too many. What may be held is the search's budget.</summary>
    public PathAddress? Hold(ITcpLinkOwner owner, Endpoint remote, TimeSpan patience, Timestamp now) => MaySearch
        ? Begin(TcpCommandKind.Hold, owner, remote, now, patience, TcpSearchPlan.HoldInterval, isSide: true, isOfSearch: true)
        : null;

    /// <summary>Tries one port of a search, with one SYN, on the search's budget. Null where there are too many.</summary>
    public PathAddress? Probe(ITcpLinkOwner owner, Endpoint remote, Timestamp now) => MaySearch
        ? Begin(TcpCommandKind.Connect, owner, remote, now, TcpSearchPlan.ProbePatience, isOfSearch: true)
        : null;

    private bool MaySearch => Port != 0 && _ofSearch < MaxSearchLinks;

    private PathAddress Begin(
        TcpCommandKind kind, ITcpLinkOwner owner, Endpoint remote, Timestamp now, TimeSpan patience, TimeSpan openerLead = default, byte timeToLive = 0, bool isSide = false, bool isOfSearch = false)
    {
        var path = new PathAddress(new SocketId(Carrier.Tcp, ++_lastNumber), remote);
        _links.Add(path.Local.Number, new TcpLink(path, owner, now, now + patience) { IsOfSearch = isOfSearch });
        if (isOfSearch) _ofSearch++;
        _commands.Enqueue(new TcpCommand(kind, path.Local, remote, timeToLive, openerLead) { IsSide = isSide });
        return path;
    }

    /// <summary>Gives up or closes a connection. Its owner is not told.</summary>
    public void Close(SocketId id) => End(id, TcpCommandKind.Close);

    /// <summary>
    /// Ends a connection at whose other end nobody answers. Its owner is not told. To close it would take the system minutes, in which no other can
    /// have the same two ends.
    /// </summary>
    public void Abort(SocketId id) => End(id, TcpCommandKind.Abort);

    private void End(SocketId id, TcpCommandKind how)
    {
        if (TryRemove(id, out var link)) _commands.Enqueue(new TcpCommand(how, id, link.Path.Remote));
    }

    private bool TryRemove(SocketId id, [NotNullWhen(true)] out TcpLink? link)
    {
        if (!_links.Remove(id.Number, out link)) return false;
        if (link.IsOfSearch) _ofSearch--;
        return true;
    }

    public bool TryDequeueCommand(out TcpCommand command) => _commands.TryDequeue(out command);

    public TcpLink? Find(SocketId id) => id.Carrier == Carrier.Tcp ? _links.GetValueOrDefault(id.Number) : null;

    /// <summary>A connection came in. False where there are too many that nothing is known of.</summary>
    public bool TryAccept(Endpoint remote, Timestamp now, out SocketId id)
    {
        id = new SocketId(Carrier.Tcp, _lastNumber + 1);
        var (unproven, ofAddress) = (0, 0);
        foreach (var known in _links.Values)
        {
            if (known.Owner is not null) continue;
            unproven++;
            if (AddressScope.SiteOf(known.Path.Remote) == AddressScope.SiteOf(remote)) ofAddress++;
        }
        if (_links.Count - _ofSearch >= MaxLinks || unproven >= MaxUnproven || ofAddress >= MaxUnprovenPerAddress) return false;
        _lastNumber++;
        var link = new TcpLink(new PathAddress(id, remote), owner: null, now, now + UnprovenTime) { IsOpen = true };
        link.Framing.Limit = MaxUnprovenPacket;
        _links.Add(id.Number, link);
        return true;
    }

    public void HandleConnected(SocketId id, Timestamp now)
    {
        if (Find(id) is not { IsOpen: false } link) return;
        link.IsOpen = true;
        link.Deadline = now + UnprovenTime;
        link.Framing.Limit = MaxUnprovenPacket;
        link.Owner!.HandleLinkOpen(link.Path, now);
    }

    public void HandleClosed(SocketId id, Timestamp now)
    {
        if (!TryRemove(id, out var link)) return;
        // Refused at once: the repetitions of its SYN were not sent.
        if (link is { IsOpen: false, IsOfSearch: false }) Budget.Refund(link.Path.Remote, link.Deadline - now);
        link.Owner?.HandleLinkLost(link.Path, now);
    }

    /// <summary>The driver's socket has taken so many more bytes.</summary>
    public void HandleTaken(SocketId id, int bytes)
    {
        if (Find(id) is { } link) link.Untaken -= Math.Min(bytes, link.Untaken);
    }

    /// <summary>Something authentic came on a connection: it is its owner's for good.</summary>
    public void Prove(PathAddress path, ITcpLinkOwner owner)
    {
        if (Find(path.Local) is not { } link) return;
        link.Owner ??= owner;
        if (link.IsProven || link.Owner != owner) return;
        link.IsProven = true;
        link.Framing.Limit = PacketFraming.MaxPacket;
        Budget.Restore(path.Remote);
    }

    public int RoomOn(SocketId id) => Find(id) is { IsOpen: true } link ? Math.Max(0, MaxUntaken - link.Untaken) : -1;

    public void OnHandedOver(SocketId id, int bytes)
    {
        if (Find(id) is { } link) link.Untaken += bytes;
    }

    public void HandleTimeout(Timestamp now)
    {
        for (var i = _links.Count - 1; i >= 0; i--)
        {
            // Owners close and connect as they hear of it.
            if (i >= _links.Count) continue;
            var (_, link) = _links.GetAt(i);
            if (link.IsProven || now < link.Deadline) continue;
            Close(link.Path.Local);
            link.Owner?.HandleLinkLost(link.Path, now);
        }
    }
}
