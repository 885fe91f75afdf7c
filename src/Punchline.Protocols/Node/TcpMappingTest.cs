using Punchline.Protocols.Primitives;
using Punchline.Protocols.Stun;

namespace Punchline.Protocols.Node;

/// <summary>Asks a second server over TCP, once, where it sees the TCP port: what it says, beside what the first said, is how the router maps TCP.</summary>
internal sealed class TcpMappingTest : ITcpLinkOwner
{
    /// <summary>For connection and answer: one lost SYN is sent again after a second.</summary>
    public static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(1.5);

    private readonly TcpLinks _links;
    private readonly StunStream _stun;
    private PathAddress? _link;
    private bool _isRequestDue;

    /// <param name="links">The TCP port's.</param>
    /// <param name="random">Of the transaction.</param>
    /// <param name="server">Who is asked.</param>
    /// <param name="now">The time.</param>
    /// <param name="isSide">From a port of its own: where the router puts the next one.</param>
    public TcpMappingTest(TcpLinks links, IRandomSource random, Endpoint server, Timestamp now, bool isSide = false)
    {
        (_links, Server) = (links, server);
        _stun = new StunStream(random);
        _link = links.Connect(this, server, 0, AnswerTime, now, isSide: isSide);
        NextTimeout = _link is null ? Timestamp.Never : now + AnswerTime;
    }

    public Endpoint Server { get; }

    public bool IsOver => _link is null;

    public Endpoint? Mapped { get; private set; }

    public Timestamp NextTimeout { get => _isRequestDue ? Timestamp.Zero : field; private set; }

    public void HandleLinkOpen(PathAddress link, Timestamp now) => _isRequestDue = link == _link;

    public void HandleLinkLost(PathAddress link, Timestamp now)
    {
        if (link == _link) End();
    }

    public void HandleBytes(PathAddress link, ReadOnlySpan<byte> bytes)
    {
        if (link != _link || _stun.HandleBytes(bytes, out var mapped) is not (StunStreamOutcome.Reflected or StunStreamOutcome.Broken)) return;
        if (mapped.Port != 0) Mapped = mapped;
        Close();
    }

    public void HandleTimeout(Timestamp now)
    {
        if (now >= NextTimeout && !_isRequestDue) Close();
    }

    public bool TryDequeueTransmit(Span<byte> buffer, out Transmit transmit)
    {
        transmit = default;
        if (!_isRequestDue || _link is not { } link) return false;
        _isRequestDue = false;
        transmit = new Transmit(link, _stun.WriteRequest(buffer));
        return true;
    }

    public void Close()
    {
        if (_link is { } link) _links.Close(link.Local);
        End();
    }

    private void End() => (_link, _isRequestDue, NextTimeout) = (null, false, Timestamp.Never);
}
