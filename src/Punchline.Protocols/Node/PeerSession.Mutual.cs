using Punchline.Protocols.Primitives;
using Punchline.Protocols.Rooms;
using Punchline.Protocols.Transport;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Node;

// What the member says of the room's other members, and others of it.
internal sealed partial class PeerSession
{
    /// <summary>What it and we tell each other of the others.</summary>
    public IntroductionChannel Introductions { get; } = new();

    /// <summary>There is a connection, and its path carries something back.</summary>
    public bool IsHeard => _connection is { IsClosed: false, IsSilent: false };

    /// <summary>It says of itself, over the connection, what it has told the rendezvous as well, or would have.</summary>
    public void HandleOwnWord(IntroductionBlob introduction, Timestamp now)
    {
        if (introduction.Instance != Introduction.Instance || introduction.Generation < Introduction.Generation) return;
        Introduction = introduction with { SeenAt = Introduction.SeenAt };
        _planAt = Timestamp.Min(_planAt, Timestamp.Max(now, _lastPlanAt + PlanInterval));
    }

    /// <summary>A member that is connected to it passes on what it says of itself. What we know already, from whomever, is not told twice.</summary>
    public void HandleHearsay(IntroductionBlob introduction, Timestamp now)
    {
        var known = Introduction;
        // Another process is believed when it comes by itself, or when this one is gone.
        if (introduction.Instance != known.Instance || introduction.Generation < known.Generation) return;
        var isNews = introduction.Generation > known.Generation || (introduction.Offers.Count > 0 && !introduction.Offers.SequenceEqual(known.Offers));
        // Where several members see it, each may see another port.
        if (!isNews)
        {
            if (introduction.Candidates.All(known.Candidates.Contains)) return;
            introduction = introduction with { Offers = known.Offers, Candidates = [.. known.Candidates.Union(introduction.Candidates).Take(Candidate.MaxPerPeer)] };
            if (introduction.Candidates.Count == known.Candidates.Count) return;
        }
        Take(introduction with { SeenAt = _room.IsServed ? known.SeenAt ?? introduction.SeenAt : introduction.SeenAt ?? known.SeenAt }, now);
    }

    // Who shook hands is who was spoken of. Its generation may still be somebody else's invention.
    private void ConfirmIntroduction()
    {
        if (Introduction.Introducer is not null) Introduction = Introduction with { Introducer = null, Generation = 0 };
    }

    private bool TryAcceptIntroductions(in ConnectionEvent opened) =>
        string.Equals(opened.Text, IntroductionFrame.Protocol, StringComparison.Ordinal)
        && opened.Stream.Direction == StreamDirection.Unidirectional && Introductions.TryAccept(opened.Stream);

    private void HandleIntroductions(in ConnectionEvent connectionEvent, Timestamp now)
    {
        switch (connectionEvent.Kind)
        {
            case ConnectionEventKind.StreamReadable:
                if (!Introductions.TryHandleReadable(now)) _connection?.Close(CloseCodes.IntroductionProtocolError, "The stream of introductions broke its protocol.", now);
                _room.HandleWords(now);
                break;
            case ConnectionEventKind.StreamWritable:
                Introductions.HandleWritable();
                break;
            default:
                // It does not know the protocol, or wants to hear no more.
                break;
        }
    }
}
