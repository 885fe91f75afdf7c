using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Traversal;

/// <summary>A connect that a <see cref="TcpPunch"/> wants made.</summary>
/// <param name="Endpoint">Where to.</param>
/// <param name="TimeToLive">Of its packets; 0 for the default.</param>
/// <param name="Patience">Until it is given up.</param>
internal readonly record struct TcpTry(Endpoint Endpoint, byte TimeToLive, TimeSpan Patience);

/// <summary>A <see cref="TcpPunchPlan"/> being carried out: for each address first the opener, then connects until one stands.</summary>
internal sealed class TcpPunch(Timestamp start)
{
    /// <summary>Addresses in all, of two generations of a peer.</summary>
    public const int MaxTargets = 2 * (TcpPunchPlan.MaxFarTargets + TcpPunchPlan.MaxNearTargets);

    private readonly List<Attempt> _attempts = [];

    public Timestamp Start { get; } = start;

    /// <summary>After this nothing is begun any more.</summary>
    public Timestamp Deadline { get; } = start + PunchPlan.Duration;

    /// <summary>Connects that were begun, openers not counted.</summary>
    public int Tries { get; private set; }

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
            if (!attempt.IsOpened && attempt.Target.OpenerLead > TimeSpan.Zero)
            {
                next = new TcpTry(attempt.Target.Endpoint, PunchPlan.OpenerTimeToLive, attempt.Target.OpenerLead);
                return true;
            }
            attempt.Tries++;
            Tries++;
            next = new TcpTry(attempt.Target.Endpoint, attempt.Target.TimeToLive, TcpPunchPlan.Patience);
            return true;
        }
        return false;
    }

    /// <summary>A connect to there is over without a connection.</summary>
    public void OnFailed(Endpoint endpoint, Timestamp now)
    {
        if (_attempts.Find(attempt => attempt.Target.Endpoint == endpoint) is not { } failed || failed.At != Timestamp.Never) return;
        if (!failed.IsOpened && failed.Target.OpenerLead > TimeSpan.Zero)
        {
            failed.IsOpened = true;
            failed.At = Timestamp.Max(now, failed.AddedAt + failed.Target.OpenerLead);
        }
        else if (failed.Tries < TcpPunchPlan.MaxTries)
        {
            failed.At = now + (TcpPunchPlan.FirstPause * (1 << (failed.Tries - 1)));
        }
    }

    private sealed class Attempt(TcpTarget target, Timestamp addedAt)
    {
        public TcpTarget Target { get; } = target;

        public Timestamp AddedAt { get; } = addedAt;

        public Timestamp At { get; set; } = addedAt;

        public bool IsOpened { get; set; }

        public int Tries { get; set; }
    }
}
