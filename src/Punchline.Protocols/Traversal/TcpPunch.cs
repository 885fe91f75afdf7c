using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Traversal;

/// <summary>A connect that a <see cref="TcpPunch"/> wants made.</summary>
/// <param name="Endpoint">Where to.</param>
/// <param name="TimeToLive">Of its packets; 0 for the default.</param>
/// <param name="OpenerLead">How long a SYN that dies behind our own router goes ahead; zero where none does.</param>
internal readonly record struct TcpTry(Endpoint Endpoint, byte TimeToLive, TimeSpan OpenerLead);

/// <summary>A <see cref="TcpPunchPlan"/> being carried out: connects to each address until one stands, with openers as the plan wants them.</summary>
internal sealed class TcpPunch(Timestamp start)
{
    /// <summary>Addresses in all, of two families and two generations of a peer.</summary>
    public const int MaxTargets = 2 * 2 * (TcpPunchPlan.MaxFarTargets + TcpPunchPlan.MaxNearTargets);

    private readonly List<Attempt> _attempts = [];

    public Timestamp Start { get; } = start;

    /// <summary>After this nothing is begun any more.</summary>
    public Timestamp Deadline { get; } = start + PunchPlan.Duration;

    /// <summary>When <see cref="TryTake"/> has something.</summary>
    public Timestamp NextTimeout
    {
        get
        {
            var next = Timestamp.Never;
            foreach (var attempt in _attempts) next = Timestamp.Min(next, attempt.At);
            return next <= Deadline ? next : Timestamp.Never;
        }
    }

    /// <summary>Whether a SYN had gone there by a moment.</summary>
    public bool HasTried(Endpoint endpoint, Timestamp before) => _attempts.Exists(known => known.Target.Endpoint == endpoint && known.FirstTried < before);

    /// <summary>Adds addresses that are new.</summary>
    public void Add(IReadOnlyList<TcpTarget> targets, Timestamp now)
    {
        foreach (var target in targets)
        {
            if (_attempts.Count == MaxTargets) return;
            if (!_attempts.Exists(known => known.Target.Endpoint == target.Endpoint)) _attempts.Add(new Attempt(target, now));
        }
    }

    /// <summary>Takes the next connect that is due.</summary>
    public bool TryTake(Timestamp now, out TcpTry next)
    {
        next = default;
        if (now > Deadline) return false;
        foreach (var attempt in _attempts)
        {
            if (now < attempt.At) continue;
            // Until its end is told, or for good where there is none.
            attempt.At = Timestamp.Never;
            var isLed = (attempt.Tries == 0) != attempt.Target.BeginsAtOnce;
            next = new TcpTry(attempt.Target.Endpoint, attempt.Target.TimeToLive, isLed ? attempt.Target.OpenerLead : TimeSpan.Zero);
            if (attempt.Tries++ == 0) attempt.FirstTried = now;
            return true;
        }
        return false;
    }

    /// <summary>A connect to there is over without a connection.</summary>
    public void OnFailed(Endpoint endpoint, Timestamp now)
    {
        if (_attempts.Find(attempt => attempt.Target.Endpoint == endpoint) is not { } failed || failed.At != Timestamp.Never) return;
        if (failed.Tries < TcpPunchPlan.MaxTries) failed.At = now + (TcpPunchPlan.FirstPause * (1 << (failed.Tries - 1)));
    }

    private sealed class Attempt(TcpTarget target, Timestamp addedAt)
    {
        public TcpTarget Target { get; } = target;

        public Timestamp At { get; set; } = addedAt;

        public int Tries { get; set; }

        public Timestamp FirstTried { get; set; } = Timestamp.Never;
    }
}
