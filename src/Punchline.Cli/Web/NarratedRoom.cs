using System.Collections.Immutable;
using Punchline.Cli.Chat;
using Punchline.Cli.Session;

namespace Punchline.Cli.Web;

/// <summary>Puts what happens besides messages into the room's log, between them, where it is read.</summary>
internal sealed class NarratedRoom(IChatOutput inner) : IChatOutput
{
    private readonly RoomNarrator _narrator = new();

    public void ShowReady(PeerId self, string name, string room) => inner.ShowReady(self, name, room);

    public void Notice(string text) => inner.Notice(text);

    public void ShowSent(ulong id, string text) => inner.ShowSent(id, text);

    public void ShowTrust(PeerId peer, TrustMark trust) => inner.ShowTrust(peer, trust);

    public void ShowQuality(ImmutableArray<MemberQuality> qualities) => inner.ShowQuality(qualities);

    public void ShowEnded() => inner.ShowEnded();

    public void Show(RoomEvent roomEvent)
    {
        inner.Show(roomEvent);
        if (_narrator.Tell(roomEvent) is { } sentence) inner.Notice(sentence);
    }
}
