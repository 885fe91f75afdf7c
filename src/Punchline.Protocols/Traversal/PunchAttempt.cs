using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport.Handshake;

namespace Punchline.Protocols.Traversal;

/// <summary>
/// A <see cref="PunchPlan"/> being carried out: which probe is due, and the peer's observed sources that are answered.
/// What goes out is bounded by the process's <see cref="Pacer"/> and <see cref="ProbeBudget"/>.
/// </summary>
internal sealed class PunchAttempt(Timestamp start)
{
    /// <summary>Answers to one observed source, at most.</summary>
    public const int MaxRepliesPerSource = 3;

    /// <summary>Observed sources that are answered, at most.</summary>
    public const int MaxSources = 16;

    /// <summary>Addresses probed in one attempt, at most: those of two generations of a peer. It may name others all the time.</summary>
    public const int MaxTargets = 2 * Candidate.MaxPerPeer;

    private readonly PriorityQueue<Probe, (long Ticks, int Order)> _scheduled = new();
    private readonly HashSet<PathAddress> _planned = [];
    // Of those that were planned for or answered, so not more than these.
    private readonly HashSet<PathAddress> _sent = [];
    private readonly Dictionary<PathAddress, int> _replies = [];
    private readonly Dictionary<PathAddress, CopiesSent> _handshakes = [];
    // Of addresses that message 1 went to, so not more than there are targets, and ports of a search.
    private readonly Dictionary<PathAddress, byte[]> _cookies = [];
    private int _order;
    private Timestamp _notBefore;

    public Timestamp Start { get; } = start;

    public Timestamp Deadline { get; private set; } = start + PunchPlan.Duration;

    /// <summary>The peer's ports are being searched.</summary>
    public bool IsScanning { get; private set; }

    /// <summary>Packets that went out.</summary>
    public int ProbesSent { get; private set; }

    /// <summary>Addresses that were planned for or observed.</summary>
    public int Targets => _planned.Count;

    /// <summary>When message 1 last went over a TCP connection, where an answer may take its time but is not lost.</summary>
    public Timestamp? LastOverTcp { get; private set; }

    /// <summary>Whether anything went there, be it an opener.</summary>
    public bool HasSentTo(PathAddress path) => _sent.Contains(path);

    /// <summary>When the next probe is due; after that moment <see cref="TryTakeProbe"/> gives it.</summary>
    public Timestamp NextTimeout =>
        _scheduled.TryPeek(out _, out var due) ? Timestamp.Max(new Timestamp(due.Ticks), _notBefore) : Timestamp.Never;

    /// <summary>Adds the probes whose path is new: a plan made anew after an update repeats the old ones.</summary>
    public void Add(IReadOnlyList<Probe> plan, Timestamp now)
    {
        var known = new HashSet<PathAddress>(_planned);
        foreach (var probe in plan)
        {
            if (known.Contains(probe.Path) || (_planned.Count == MaxTargets && !_planned.Contains(probe.Path))) continue;
            _planned.Add(probe.Path);
            Schedule(probe, now + probe.At);
        }
    }

    /// <summary>
    /// A genuine message 1 came from there: our own goes back at once, to the source as observed, which is how peers
    /// behind a NAT that moved a port are still reached.
    /// </summary>
    public void Answer(PathAddress source, Timestamp now)
    {
        var replies = _replies.GetValueOrDefault(source);
        if (replies == MaxRepliesPerSource || (replies == 0 && _replies.Count == MaxSources)) return;
        _replies[source] = replies + 1;
        _planned.Add(source);
        Schedule(new Probe(TimeSpan.Zero, source.Remote, ProbeKind.Answer, 0) { Via = source.Local }, now);
    }

    /// <summary>It lasts until then at least.</summary>
    public void Prolong(Timestamp deadline) => Deadline = Timestamp.Max(Deadline, deadline);

    /// <summary>It lasts until then at most.</summary>
    public void EndBy(Timestamp deadline) => Deadline = Timestamp.Min(Deadline, deadline);

    /// <summary>Message 1 goes to one more port of a search.</summary>
    public void NoteScan(PathAddress path, Timestamp now)
    {
        IsScanning = true;
        ProbesSent++;
        _handshakes[path] = HandshakesTo(path).Another(now);
    }

    /// <summary>Nothing of what was planned goes to an offer's ports any more: they are closed.</summary>
    public void Cancel(PortOffer offer)
    {
        var kept = _scheduled.UnorderedItems
            .Where(item => item.Element.Destination.Address != offer.First.Address || item.Element.Destination.Port < offer.First.Port || item.Element.Destination.Port > offer.LastPort).ToList();
        _scheduled.Clear();
        _scheduled.EnqueueRange(kept);
    }

    /// <summary>Nothing of what was planned leaves from this socket later, but by IPv6, where no ports are searched.</summary>
    public void CancelIPv4(SocketId socket, Timestamp from)
    {
        var kept = _scheduled.UnorderedItems.Where(item => item.Element.Via != socket || !item.Element.Destination.IsIPv4 || item.Priority.Ticks < from.Ticks).ToList();
        _scheduled.Clear();
        _scheduled.EnqueueRange(kept);
    }

    /// <summary>A TCP connection to the peer stands: message 1 goes there, once, for nothing of it is lost.</summary>
    /// <param name="connection">Of which the peer's address is proven: nothing that goes there is a probe.</param>
    /// <param name="at">Not before.</param>
    public void Begin(PathAddress connection, Timestamp at)
    {
        if (_planned.Count == MaxTargets || !_planned.Add(connection)) return;
        Schedule(new Probe(TimeSpan.Zero, connection.Remote, ProbeKind.Answer, 0) { Via = connection.Local }, at);
    }

    /// <summary>Takes the next probe that is due, and that pacer and budget allow.</summary>
    /// <param name="now">The time.</param>
    /// <param name="pacer">The process's.</param>
    /// <param name="budget">The process's.</param>
    /// <param name="handshakeLength">Bytes of message 1.</param>
    /// <param name="probe">What to send.</param>
    public bool TryTakeProbe(Timestamp now, Pacer pacer, ProbeBudget budget, int handshakeLength, out Probe probe)
    {
        while (_scheduled.TryPeek(out probe, out var due) && due.Ticks <= now.Ticks)
        {
            _notBefore = pacer.NextAllowed(now);
            if (_notBefore > now) return false;
            _scheduled.Dequeue();
            if (probe.Via.Carrier == Carrier.Tcp)
            {
                _handshakes[probe.Path] = HandshakesTo(probe.Path).Another(now);
                LastOverTcp = now;
                return true;
            }
            var isOpener = probe.Kind == ProbeKind.Opener;
            var isAllowed = isOpener && probe.Via != SocketId.Main
                ? budget.TryTakeFreshOpener(probe.Destination, now)
                : budget.TryTake(probe.Destination, isOpener ? 1 : LengthTo(probe.Path, handshakeLength), isAnswer: probe.Kind == ProbeKind.Answer, now);
            if (!isAllowed) continue;
            if (!isOpener) _handshakes[probe.Path] = HandshakesTo(probe.Path).Another(now);
            pacer.TryTake(now);
            ProbesSent++;
            _sent.Add(probe.Path);
            return true;
        }
        return false;
    }

    /// <summary>
    /// <paramref name="source"/> wants its cookie with every message 1. True where one may go there at once, which is taken
    /// then: the first time, where message 1 had gone before. Later flights carry it as well.
    /// </summary>
    public bool TryAnswerCookie(PathAddress source, ReadOnlySpan<byte> cookie, int handshakeLength, Timestamp now, Pacer pacer, ProbeBudget budget)
    {
        if (!_handshakes.TryGetValue(source, out var sent)) return false;
        var isFirst = !_cookies.ContainsKey(source);
        _cookies[source] = cookie.ToArray();
        // Only the peer could have written it: it is there, and has no time yet. In a full room its turn comes with the last flights,
        // which the budget would not allow any more. There are no more than these, however many replies come.
        budget.Renew(source.Remote);
        if (!isFirst || pacer.NextAllowed(now) > now || !budget.TryTake(source.Remote, LengthTo(source, handshakeLength), isAnswer: true, now)) return false;
        pacer.TryTake(now);
        _handshakes[source] = sent.Another(now);
        ProbesSent++;
        return true;
    }

    /// <summary>What goes with a message 1 to there; empty where none was asked for.</summary>
    public ReadOnlySpan<byte> CookieFor(PathAddress path) => _cookies.GetValueOrDefault(path);

    /// <summary>The handshake packets that went there.</summary>
    public CopiesSent HandshakesTo(PathAddress path) => _handshakes.GetValueOrDefault(path);

    private int LengthTo(PathAddress path, int handshakeLength) => handshakeLength + (_cookies.ContainsKey(path) ? HandshakePacket.CookieOverhead : 0);

    private void Schedule(Probe probe, Timestamp at) => _scheduled.Enqueue(probe, (at.Ticks, _order++));
}
