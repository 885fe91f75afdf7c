using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Transport;

/// <summary>
/// A path that carries nothing back any more although something was asked (PROTOCOL §7): its owner hears of it and looks for
/// another, while only probes go out here.
/// </summary>
internal sealed partial class Connection
{
    /// <summary>How often the paths that are kept are asked while the one in use is silent.</summary>
    private static readonly TimeSpan AskInterval = TimeSpan.FromSeconds(1);

    /// <summary>Silence is taken for one after three probe time-outs, that is when five packets went unanswered,</summary>
    private const int SilentTimeouts = 3;

    /// <summary>but not before this, for a radio may be away for so long,</summary>
    private static readonly TimeSpan LeastSilence = TimeSpan.FromMilliseconds(500);

    /// <summary>and not later than this and two round trips.</summary>
    private static readonly TimeSpan MostSilence = TimeSpan.FromSeconds(1);

    /// <summary>Addresses of paths that there were, and that did not answer any more; the oldest goes first.</summary>
    private const int MaxFormer = 4;

    private readonly List<PathAddress> _former = [];
    private Timestamp _unansweredSince = Timestamp.Never;
    private Timestamp _nextAsk = Timestamp.Never;
    private bool _isSilent;

    /// <summary>Something was sent that asks for an answer, and none came for so long that the path has probably ended.</summary>
    public bool IsSilent => _isSilent;

    /// <summary>When the first packet was sent whose answer is waited for; <see cref="Timestamp.Never"/> where there is none.</summary>
    public Timestamp UnansweredSince => _unansweredSince;

    /// <summary>Paths that there were and that did not answer when they were asked: one of them may come back.</summary>
    public IReadOnlyList<PathAddress> FormerPaths => _former;

    private Timestamp SilenceDeadline => _isSilent ? _nextAsk : _unansweredSince + SilenceLimit;

    private TimeSpan SilenceLimit
    {
        get
        {
            var most = MostSilence + (2 * _recovery.Rtt.Smoothed);
            // TCP repeats what is lost before it shows, and no time-outs of ours count its tries.
            if (_path.IsTcp) return most;
            var limit = SilentTimeouts * _recovery.ProbeTimeout;
            if (limit > most) return most;
            return limit > LeastSilence ? limit : LeastSilence;
        }
    }

    private void OnAsked(Timestamp now) => _unansweredSince = Timestamp.Min(_unansweredSince, now);

    // Its path is gone, which needs no waiting.
    private void FallSilent(Timestamp now)
    {
        _unansweredSince = now - SilenceLimit;
        HandleSilenceTimeout(now);
    }

    private void OnHeard()
    {
        _unansweredSince = _nextAsk = Timestamp.Never;
        _isSilent = false;
    }

    private void HandleSilenceTimeout(Timestamp now)
    {
        if (now < SilenceDeadline) return;
        if (!_isSilent) Raise(ConnectionEventKind.PathSilent, path: Path);
        _isSilent = true;
        _nextAsk = now + AskInterval;
        for (var i = 0; i < _others.Count; i++)
        {
            if (_others[i].IsValidated) Ask(_others[i]);
        }
    }

    private void RememberFormer(PathAddress address)
    {
        // A TCP connection that has ended does not come back.
        if (_former.Contains(address) || address.Local.Carrier == Carrier.Tcp) return;
        if (_former.Count == MaxFormer) _former.RemoveAt(0);
        _former.Add(address);
    }
}
