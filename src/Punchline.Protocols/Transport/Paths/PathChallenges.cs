using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Transport.Paths;

/// <summary>PATH_CHALLENGEs to one address: each with data of its own, so that its answer gives a round trip (RFC 9000 §8.2.1).</summary>
internal sealed class PathChallenges
{
    /// <summary>Challenges to one address, one probe time-out apart; then it is given up.</summary>
    public const int MaxAttempts = 3;

    private readonly (ulong Data, Timestamp SentAt)[] _sent = new (ulong, Timestamp)[MaxAttempts];
    private int _count;

    /// <summary>One has to be sent now.</summary>
    public bool IsDue { get; private set; }

    /// <summary>When <see cref="HandleTimeout"/> is due.</summary>
    public Timestamp Deadline { get; private set; } = Timestamp.Never;

    /// <summary>Begins to ask, for the first time or anew.</summary>
    public void Begin()
    {
        (_count, IsDue, Deadline) = (0, true, Timestamp.Never);
    }

    /// <summary>One goes out, or the limit on amplification did not let it.</summary>
    public void OnSent(ulong data, Timestamp now, TimeSpan probeTimeout)
    {
        _sent[_count++] = (data, now);
        IsDue = false;
        Deadline = now + probeTimeout;
    }

    /// <summary>False where the last one has gone unanswered.</summary>
    public bool HandleTimeout(Timestamp now)
    {
        if (now < Deadline) return true;
        Deadline = Timestamp.Never;
        IsDue = _count < MaxAttempts;
        return IsDue;
    }

    /// <summary>Whether a PATH_RESPONSE answers one of them, and after how long. Then nothing more is asked.</summary>
    public bool TryAccept(ulong data, Timestamp now, out TimeSpan roundTrip)
    {
        roundTrip = default;
        for (var i = 0; i < _count; i++)
        {
            if (_sent[i].Data != data) continue;
            roundTrip = now - _sent[i].SentAt;
            (_count, IsDue, Deadline) = (0, false, Timestamp.Never);
            return true;
        }
        return false;
    }
}
