using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Traversal;

/// <summary>
/// When identical copies of a message went out, of which nobody can tell which one an answer is for. The first of all may
/// have died in a NAT seconds ago, and the last may have crossed the answer: so a round trip is counted from the first
/// copy of the last second, which is never too short, and never more than a second too long.
/// </summary>
internal readonly record struct CopiesSent
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(1);

    private readonly bool _any;
    private readonly Timestamp _first;
    private readonly Timestamp _last;

    private CopiesSent(Timestamp first, Timestamp last) => (_any, _first, _last) = (true, first, last);

    public CopiesSent Another(Timestamp now) => _any && now - _first <= Window ? new CopiesSent(_first, now) : new CopiesSent(now, now);

    /// <summary>What the answer that arrives now says of the round trip; null where nothing was sent.</summary>
    public TimeSpan? RoundTrip(Timestamp now) => _any ? now - (now - _first <= Window ? _first : _last) : null;
}
