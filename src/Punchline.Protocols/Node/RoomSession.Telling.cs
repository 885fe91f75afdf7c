using Punchline.Protocols.Primitives;
using Punchline.Protocols.Rooms;
using Punchline.Protocols.Transport;

namespace Punchline.Protocols.Node;

// What the owner hears of a member: that it joined; then any number of times that it is connected, what it says and what it
// has, and that the connection ended; then that it left. In this order whatever the network and the server do.
internal sealed partial class RoomSession
{
    private void Drain(Member member, Timestamp now)
    {
        DrainOther(member, now);
        while (!member.IsForgotten && member.Session.TryDequeueEvent(out var sessionEvent))
        {
            var (session, peer) = (member.Session, member.Session.Peer);
            switch (sessionEvent)
            {
                case PeerSessionEvent.Connected connected:
                    session.SetKeepAlive(KeepAliveOf(member));
                    TellConnected(member, connected);
                    break;
                case PeerSessionEvent.PathChanged changed:
                    _events.Enqueue(new NodeEvent.PathChanged(_number, peer, changed.Path, changed.RoundTrip) { IsMapped = changed.IsMapped });
                    break;
                case PeerSessionEvent.Trying trying:
                    _events.Enqueue(new NodeEvent.Trying(_number, peer, trying.Progress));
                    break;
                case PeerSessionEvent.Probing probing:
                    _events.Enqueue(new NodeEvent.Probing(_number, peer, probing.Carrier, probing.Trials));
                    break;
                case PeerSessionEvent.Failed failed:
                    _events.Enqueue(new NodeEvent.Failed(_number, peer, failed.Failure));
                    break;
                case PeerSessionEvent.Disconnected disconnected:
                    HandleDisconnected(member, disconnected.Reason, now);
                    break;
            }
        }
        NoteView(member, now);
        DrainChat(member, now);
    }

    // Only while the owner takes our events: else the messages stay where they are, and the member's window closes.
    private void DrainChat(Member member, Timestamp now)
    {
        if (!member.IsToldConnected) return;
        while (_events.Count < MaxPendingEvents && member.Session.TryDequeueChatEvent(out var chatEvent)) Tell(member, chatEvent);
        member.Session.ResumeChat(now);
    }

    private void HandleDisconnected(Member member, CloseReason closed, Timestamp now)
    {
        // Our own goodbye is no news.
        if (_isLeaving) return;
        var hasLeft = closed is { IsApplication: true, Code: CloseCodes.Left };
        TellDisconnected(member, hasLeft ? "left" : Describe(closed));
        // By whichever side: the one found fault with the other.
        if (closed.Origin is CloseOrigin.Local or CloseOrigin.Remote
            && closed is not { IsApplication: true, Code: CloseCodes.Left or CloseCodes.Superseded or >= CloseCodes.FirstOfApplication })
            Pauses.Begin(member.Session.Peer, now);
        if (member.Other is { IsLeft: false }) Succeed(member, now);
        else if (hasLeft) Remove(member, DepartureReason.Left);
        else if (!(closed is { Origin: CloseOrigin.Remote, IsApplication: true, Code: CloseCodes.Superseded })) member.Session.Reconnect(now);
    }

    private void Remove(Member member, DepartureReason reason)
    {
        TellDisconnected(member, reason == DepartureReason.Left ? "left" : "timeout");
        if (reason == DepartureReason.Timeout) _departed.Keep(member.Session.Introduction.Instance, member.Session.Chat);
        Forget(member);
        _events.Enqueue(new NodeEvent.MemberLeft(_number, member.Session.Peer, reason));
    }

    private void TellConnected(Member member, PeerSessionEvent.Connected connected)
    {
        // The member lost the connection and began anew while we still had it.
        TellDisconnected(member, "reset");
        member.IsToldConnected = true;
        _events.Enqueue(new NodeEvent.Connected(
            _number, member.Session.Peer, member.Session.Introduction.Name, connected.Path, connected.Elapsed, connected.RoundTrip)
        {
            IsMapped = connected.IsMapped,
        });
        member.Session.OfferConnection();
    }

    private void TellDisconnected(Member member, string reason)
    {
        if (!member.IsToldConnected) return;
        // What is here was acknowledged, so it is told whether or not the owner keeps up: ChatChannel.MaxPendingEvents and a read, once.
        while (member.Session.TryDequeueChatEvent(out var chatEvent)) Tell(member, chatEvent);
        member.IsToldConnected = false;
        _events.Enqueue(new NodeEvent.Disconnected(_number, member.Session.Peer, reason));
    }

    private void Tell(Member member, ChatEvent chatEvent) => _events.Enqueue(chatEvent switch
    {
        ChatEvent.Received received => new NodeEvent.MessageReceived(
            _number, member.Session.Peer, member.Session.Introduction.Name, received.Sequence, received.Text),
        _ => new NodeEvent.MessageDelivered(_number, member.Session.Peer, chatEvent.Sequence),
    });

    private static string Describe(CloseReason closed) => closed switch
    {
        { Origin: CloseOrigin.IdleTimeout } => "timeout",
        { Origin: CloseOrigin.StatelessReset } => "reset",
        { Text: { Length: > 0 } text } => PeerText.Clean(text),
        _ => $"code {closed.Code}",
    };
}
