using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Traversal;

/// <summary>
/// A token bucket over all probes of a process: every new five-tuple is an entry in some router's table, and a small
/// router has few.
/// </summary>
internal sealed class Pacer(double packetsPerSecond, int burst)
{
    private double _tokens = burst;
    private Timestamp _filled;

    /// <summary>When the next packet may go; not later than <paramref name="now"/> where one may go at once.</summary>
    public Timestamp NextAllowed(Timestamp now)
    {
        Fill(now);
        // A tick more than exact, so that at that moment rounding does not leave the token a hair short.
        return _tokens >= 1 ? now : now + TimeSpan.FromSeconds((1 - _tokens) / packetsPerSecond) + TimeSpan.FromTicks(1);
    }

    /// <summary>Takes a token, or as many as said, and leaves the reserve. False where they are not there: nothing is taken then.</summary>
    public bool TryTake(Timestamp now, int tokens = 1, int reserve = 0)
    {
        Fill(now);
        if (_tokens < tokens + reserve) return false;
        _tokens -= tokens;
        return true;
    }

    private void Fill(Timestamp now)
    {
        if (now <= _filled) return;
        _tokens = Math.Min(burst, _tokens + ((now - _filled).TotalSeconds * packetsPerSecond));
        _filled = now;
    }
}
