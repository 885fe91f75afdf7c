using Punchline.Protocols.Coordination;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Node;

/// <summary>
/// When members may be connected to again whose connection ended with an error, by either side's verdict: each time later,
/// so that a peer which always breaks the same rule costs a handshake a minute and not one a round trip.
/// </summary>
internal sealed class ReconnectPauses
{
    /// <summary>After the first error; doubles up to <see cref="Longest"/>.</summary>
    public static readonly TimeSpan First = TimeSpan.FromSeconds(1);

    /// <summary>Also the time without an error after which the next one counts as the first: 1, 2, 4, … 64 s.</summary>
    public static readonly TimeSpan Longest = 64 * First;

    /// <summary>Peers remembered: a room's, and as many that left it and may come back for the same.</summary>
    public const int MaxPeers = 2 * CoordinationLimits.MaxMembersPerRoom;

    private readonly List<(PeerId Peer, TimeSpan Length, Timestamp End)> _pauses = [];

    public int Count => _pauses.Count;

    /// <summary>When the peer may be connected to; past where it always might.</summary>
    public Timestamp EndFor(PeerId peer)
    {
        var index = IndexOf(peer);
        return index < 0 ? Timestamp.Zero : _pauses[index].End;
    }

    /// <summary>A connection to the peer ended with an error.</summary>
    public void Begin(PeerId peer, Timestamp now)
    {
        _pauses.RemoveAll(pause => pause.End + Longest <= now);
        var length = First;
        if (IndexOf(peer) is >= 0 and var index)
        {
            length = 2 * _pauses[index].Length;
            if (length > Longest) length = Longest;
            _pauses.RemoveAt(index);
        }
        else if (_pauses.Count == MaxPeers)
        {
            // The one that began first, as every pause is put at the end.
            _pauses.RemoveAt(0);
        }
        _pauses.Add((peer, length, now + length));
    }

    private int IndexOf(PeerId peer) => _pauses.FindIndex(pause => pause.Peer == peer);
}
