using System.Collections.Immutable;
using Punchline.Cli.Session;
using Punchline.Protocols.Rooms;

namespace Punchline.Cli.Chat;

/// <summary>Remembers whom a peer has met.</summary>
/// <param name="peer">Who just proved its key.</param>
/// <param name="name">What it calls itself.</param>
internal delegate PeerMeeting MeetPeer(PeerId peer, string name);

/// <summary>
/// Tells of members who come under a name that this peer knew with another key. A name is anybody's to choose, so this
/// proves neither an attack nor its absence, and says so; only ids prove something.
/// </summary>
/// <param name="inner">What tells the rest.</param>
/// <param name="meet">Null: nobody is remembered.</param>
/// <param name="safetyNumber">What to compare with a member; null where a secret already keeps others out.</param>
internal sealed class AcquaintanceOutput(IChatOutput inner, MeetPeer? meet, Func<PeerId, string>? safetyNumber) : IChatOutput
{
    private readonly HashSet<PeerId> _present = [];
    private readonly HashSet<PeerId> _changed = [];
    private bool _hasComplained;

    public void ShowReady(PeerId self, string name, string room) => inner.ShowReady(self, name, room);

    public void Notice(string text) => inner.Notice(text);

    public void ShowSent(ulong id, string text) => inner.ShowSent(id, text);

    public void ShowTrust(PeerId peer, TrustMark trust) => inner.ShowTrust(peer, trust);

    public void ShowQuality(ImmutableArray<MemberQuality> qualities) => inner.ShowQuality(qualities);

    public void ShowEnded() => inner.ShowEnded();

    public void AwaitLine() => inner.AwaitLine();

    public void Show(RoomEvent roomEvent)
    {
        inner.Show(roomEvent);
        switch (roomEvent)
        {
            case RoomEvent.Joined joined:
                _present.Add(joined.Peer);
                break;
            case RoomEvent.Left left:
                _present.Remove(left.Peer);
                break;
            case RoomEvent.Connected connected:
                _present.Add(connected.Peer);
                var meeting = TryMeet(connected);
                var notice = meeting is null ? null : Describe(connected, meeting);
                if (notice is not null) inner.Notice(notice);
                if (meeting is not null) inner.ShowTrust(connected.Peer, Mark(connected.Peer, meeting, isChanged: notice is not null));
                if (safetyNumber is not null && meeting is not { IsVerified: true })
                    inner.Notice($"To be sure of {PeerText.Clean(connected.Name)}, compare by another way: {safetyNumber(connected.Peer)}");
                break;
        }
    }

    private PeerMeeting? TryMeet(RoomEvent.Connected connected)
    {
        try
        {
            return meet?.Invoke(connected.Peer, connected.Name);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            if (!_hasComplained) inner.Notice($"Whom you meet is not remembered: {exception.Message}");
            _hasComplained = true;
            return null;
        }
    }

    // Whoever came with another key keeps that mark: leaving and coming again makes it no better, comparing ids does.
    private TrustMark Mark(PeerId peer, PeerMeeting meeting, bool isChanged)
    {
        if (isChanged && _changed.Count < KnownPeers.MaxLines) _changed.Add(peer);
        if (meeting.IsVerified) return TrustMark.Verified;
        if (isChanged || _changed.Contains(peer)) return TrustMark.Changed;
        return meeting.Before is null ? TrustMark.New : TrustMark.Known;
    }

    private string? Describe(RoomEvent.Connected connected, PeerMeeting meeting)
    {
        if (meeting.Namesakes.Count == 0 || meeting.IsVerified) return null;
        // Whose id was compared stands for the name; else whoever had it last.
        var namesake = meeting.Namesakes.LastOrDefault(peer => peer.IsVerified) ?? meeting.Namesakes[^1];
        var isNewUnderName = meeting.Before is not { } before || !KnownPeers.AreAlike(before.Name, connected.Name);
        // Somebody who was told of once need not be told of again, but a verified peer's name is never another's.
        if (!isNewUnderName && !namesake.IsVerified) return null;

        var name = PeerText.Clean(connected.Name);
        var known = $"{PlainOutput.ShortId(namesake.Id)}…, {(namesake.IsVerified ? "verified, " : "")}met on {namesake.FirstMet:yyyy-MM-dd}";
        return meeting.Namesakes.FirstOrDefault(peer => _present.Contains(peer.Id)) is { } other
            ? $"TWO ARE CALLED {name} here: {PlainOutput.ShortId(connected.Peer)}…, who just came, and {PlainOutput.ShortId(other.Id)}…, who is still here. They are two peers; names are anybody's to choose. You know: {known}."
            : $"""
              WARNING: {name} HAS ANOTHER KEY THAN BEFORE.
                  You know that name in this room from {known}. This is {connected.Peer}.
                  It may be the same person on another machine, or in a second process; another person of that name; or somebody who pretends.
                  Nothing here can tell these apart: ask for the id (`punchline id`) by another way before you trust it.
              """;
    }
}
