using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Transport.Paths;

/// <summary>PATH_CHALLENGEs to one address: each with data of its own, so that its answer gives a round trip (RFC 9000 §8.2.1).</summary>
internal sealed class PathChallenges
{
    /// <summary>Challenges of one round, one probe time-out apart; then it is given up.</summary>
    public const int MaxAttempts = 3;

    /// <summary>Challenges whose answers are known still; what answers an older one is late by seconds.</summary>
    public const int MaxRemembered = 4;

    private readonly (ulong Data, Timestamp SentAt, bool IsWhole)[] _sent = new (ulong, Timestamp, bool)[MaxRemembered];
    private int _total;
    private int _attempts;

    /// <summary>One has to be sent now.</summary>
    public bool IsDue { get; private set; }

    /// <summary>When <see cref="HandleTimeout"/> is due.</summary>
    public Timestamp Deadline { get; private set; } = Timestamp.Never;

    /// <summary>A round goes on.</summary>
    public bool IsAsking => IsDue || Deadline != Timestamp.Never;

    /// <summary>Begins a round, for the first time or anew.</summary>
    public void Begin() => (_attempts, IsDue, Deadline) = (0, true, Timestamp.Never);

    /// <summary>One of a round goes out, or the limit on amplification did not let it.</summary>
    /// <param name="data">Its data.</param>
    /// <param name="isWhole">It has <see cref="Connection.BasePacketSize"/> bytes, so that its answer shows that the path carries them.</param>
    /// <param name="now">The time.</param>
    /// <param name="probeTimeout">Until the next.</param>
    public void OnSent(ulong data, bool isWhole, Timestamp now, TimeSpan probeTimeout)
    {
        Note(data, isWhole, now);
        _attempts++;
        IsDue = false;
        Deadline = now + probeTimeout;
    }

    /// <summary>One goes out that is of no round: somebody else repeats it.</summary>
    public void Note(ulong data, bool isWhole, Timestamp now) => _sent[_total++ % MaxRemembered] = (data, now, isWhole);

    /// <summary>False where the last one of the round has gone unanswered.</summary>
    public bool HandleTimeout(Timestamp now)
    {
        if (now < Deadline) return true;
        Deadline = Timestamp.Never;
        IsDue = _attempts < MaxAttempts;
        return IsDue;
    }

    /// <summary>Whether a PATH_RESPONSE answers one of them. Then nothing more is asked.</summary>
    public bool TryAccept(ulong data, Timestamp now, out TimeSpan roundTrip, out bool isWhole)
    {
        (roundTrip, isWhole) = (default, false);
        for (var i = 0; i < Math.Min(_total, MaxRemembered); i++)
        {
            if (_sent[i].Data != data) continue;
            (roundTrip, isWhole) = (now - _sent[i].SentAt, _sent[i].IsWhole);
            Stop();
            return true;
        }
        return false;
    }

    public void Stop() => (_total, IsDue, Deadline) = (0, false, Timestamp.Never);
}
