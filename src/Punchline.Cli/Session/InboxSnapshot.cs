using System.Collections.Immutable;

namespace Punchline.Cli.Session;

/// <summary>Where calls to this peer come in, at a moment.</summary>
/// <param name="Name">What callers see once their call is taken.</param>
/// <param name="Address">Where others reach it: the options that they type.</param>
/// <param name="Server">Null: it has not been reached yet.</param>
/// <param name="Calls">Those that ring, the oldest first: at most <see cref="PeerInbox.MaxRinging"/>.</param>
/// <param name="Problem">Why no calls come in any more, in a sentence; null: they do.</param>
internal sealed record InboxSnapshot(string Name, string Address, ServerState? Server, ImmutableArray<RingingCall> Calls, string? Problem = null);

/// <summary>A call that waits for an answer.</summary>
/// <param name="Number">Names it in this session.</param>
/// <param name="Time">When it came.</param>
/// <param name="Peer">Who calls.</param>
/// <param name="Name">What it calls itself, free of control characters.</param>
/// <param name="Acquaintance">Whether we know it, in a sentence.</param>
internal sealed record RingingCall(int Number, DateTimeOffset Time, PeerId Peer, string Name, string Acquaintance);
