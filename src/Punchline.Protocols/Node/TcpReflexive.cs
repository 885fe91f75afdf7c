using Punchline.Protocols.Primitives;
using Punchline.Protocols.Stun;

namespace Punchline.Protocols.Node;

/// <summary>
/// Learns where the TCP port is seen from outside, by a connection from that port to a STUN server. It is kept, so that the
/// mapping stays that members who come later will be told; where it ends it is made again.
/// </summary>
internal sealed class TcpReflexive(TcpLinks links, IRandomSource random) : ITcpLinkOwner
{
    /// <summary>Servers that are remembered; one at a time is connected to.</summary>
    public const int MaxServers = 4;

    /// <summary>Between requests. The server waits for 40 s.</summary>
    public static readonly TimeSpan RefreshInterval = TimeSpan.FromSeconds(20);

    /// <summary>For the connection, and for an answer on it.</summary>
    public static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan MaxPause = TimeSpan.FromMinutes(1);

    private readonly List<Endpoint> _servers = [];
    private StunStream _stun = new(random);
    private PathAddress? _link;
    private int _server;
    private bool _isRequestDue;
    private bool _hasConcluded;
    private bool _isNews;
    private TimeSpan _pause = FirstPause;
    private Timestamp _deadline = Timestamp.Never;

    /// <summary>What the server saw of the TCP port, as long as there is a connection that keeps it so.</summary>
    public Endpoint? Mapped { get; private set; }

    /// <summary>The server that said so, or is being asked; null where none is known.</summary>
    public Endpoint? Server => _servers.Count > 0 ? _servers[_server] : null;

    /// <summary>The first answer may be a round trip away.</summary>
    public bool IsExpected => _link is not null && !_hasConcluded;

    public Timestamp NextTimeout => _isRequestDue || _isNews ? Timestamp.Zero : _deadline;

    /// <summary>Asks a server, if none is being asked.</summary>
    public void Query(Endpoint server, Timestamp now)
    {
        if (links.Port == 0 || _servers.Contains(server) || _servers.Count == MaxServers) return;
        _servers.Add(server);
        if (_servers.Count == 1) Connect(now);
    }

    /// <summary>Whether what is known, or expected, has changed since this was asked last.</summary>
    public bool TakeNews()
    {
        var isNews = _isNews;
        _isNews = false;
        return isNews;
    }

    public void HandleBytes(PathAddress link, ReadOnlySpan<byte> bytes, Timestamp now)
    {
        if (link != _link) return;
        switch (_stun.HandleBytes(bytes, out var mapped))
        {
            case StunStreamOutcome.Reflected:
                links.Prove(link, this);
                Conclude();
                _pause = FirstPause;
                _deadline = now + RefreshInterval;
                _isNews |= Mapped != mapped;
                Mapped = mapped;
                break;
            case StunStreamOutcome.Broken:
                links.Close(link.Local);
                HandleLinkLost(link, now);
                break;
        }
    }

    public void HandleTimeout(Timestamp now)
    {
        if (now < _deadline) return;
        _deadline = Timestamp.Never;
        if (_link is not { } link)
        {
            Connect(now);
        }
        else if (_stun.IsWaiting)
        {
            links.Abort(link.Local);
            HandleLinkLost(link, now);
        }
        else
        {
            Ask(now);
        }
    }

    /// <summary>Our address is another one: what the connection keeps open leads to a router, or a port of it, that nobody is told any more.</summary>
    public void Renew(Timestamp now)
    {
        if (_link is not { } link) return;
        links.Abort(link.Local);
        (Mapped, _isRequestDue, _hasConcluded) = (null, false, false);
        Connect(now);
    }

    public bool TryDequeueTransmit(Span<byte> buffer, out Transmit transmit)
    {
        transmit = default;
        if (!_isRequestDue || _link is not { } link) return false;
        _isRequestDue = false;
        transmit = new Transmit(link, _stun.WriteRequest(buffer));
        return true;
    }

    public void HandleLinkOpen(PathAddress link, Timestamp now)
    {
        if (link == _link) Ask(now);
    }

    public void HandleLinkLost(PathAddress link, Timestamp now)
    {
        if (link != _link) return;
        // What was seen may hold on for a while, and be of use: where it does not, connects to it fail.
        (_link, _isRequestDue) = (null, false);
        Conclude();
        _server = (_server + 1) % _servers.Count;
        _deadline = now + _pause;
        _pause = _pause * 2 < MaxPause ? _pause * 2 : MaxPause;
    }

    private void Conclude()
    {
        _isNews |= !_hasConcluded;
        _hasConcluded = true;
    }

    private void Ask(Timestamp now)
    {
        _isRequestDue = true;
        _deadline = now + AnswerTime;
    }

    private void Connect(Timestamp now)
    {
        _stun = new StunStream(random);
        _link = links.Connect(this, _servers[_server], 0, AnswerTime, now);
        if (_link is null) _deadline = now + MaxPause;
    }
}
