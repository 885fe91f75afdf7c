using Punchline.Protocols.Primitives;
using Punchline.Protocols.Rooms;

namespace Punchline.Protocols.Node;

// PROTOCOL §10: another process of the same peer restarts the handshake even if a connection lives, and that one ends only
// when the new one completes: whoever replays an older introduction of a member takes nothing from it.
internal sealed partial class RoomSession
{
    // Not for every packet, as it allocates. In the order of joining, the present process of a member before its other one.
    private IEnumerable<PeerSession> Sessions
    {
        get
        {
            foreach (var member in _members)
            {
                yield return member.Session;
                if (member.Other is { } other) yield return other;
            }
            foreach (var farewell in _farewells) yield return farewell;
        }
    }

    private void IntroduceAgain(Member member, IntroductionBlob introduction, Timestamp now)
    {
        if (member.Session.Introduction.Instance == introduction.Instance)
        {
            if (member.Other is { IsLeft: false }) DropOther(member);
            member.Session.Update(introduction, now);
        }
        else if (member.Other is { IsLeft: false } successor && successor.Introduction.Instance == introduction.Instance)
        {
            successor.Update(introduction, now);
        }
        else if (TryCreateContext(introduction, out var context))
        {
            DropOther(member);
            member.Other = new PeerSession(_services, this, introduction, context, new ChatChannel(), now);
            if (!member.Session.IsConnected) Succeed(member, now);
        }
    }

    // What becomes of the other process is news only when its handshake completes.
    private void DrainOther(Member member, Timestamp now)
    {
        if (member.Other is not { } other) return;
        if (!other.IsLeft && other.IsConnected) Succeed(member, now);
        else other.ClearEvents();
        if (member.Other is { IsLeft: true, IsClosing: false }) DropOther(member);
    }

    private void Succeed(Member member, Timestamp now)
    {
        var older = member.Session;
        var newer = member.Other!;
        TellDisconnected(member, "superseded");
        older.Leave(CloseCodes.Superseded, "superseded", now);
        member.Session = newer;
        member.Other = older;
        newer.Chat.TakeOver(older.Chat);
        if (!newer.IsReachable) newer.Reconnect(now);
    }

    private static void DropOther(Member member)
    {
        member.Other?.Dispose();
        member.Other = null;
    }

    private void Forget(Member member)
    {
        _members.Remove(member);
        member.IsForgotten = true;
        member.IsToldConnected = false;
        member.Session.Dispose();
        DropOther(member);
    }
}
