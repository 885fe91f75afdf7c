using Punchline.Protocols.Coordination;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Rooms;

namespace Punchline.Protocols.Node;

/// <summary>A room's members hear of each other at the server, which introduces all to all.</summary>
internal sealed class RoomAtServer : IRendezvous, IServerEnd
{
    /// <summary>What the join waits for STUN, at most (PROTOCOL §2).</summary>
    public static readonly TimeSpan MaxJoinDelay = TimeSpan.FromMilliseconds(150);

    private readonly NodeServices _services;
    private readonly RoomSession _room;
    private readonly OwnIntroduction _self;
    private Timestamp _announceAt = Timestamp.Never;

    public RoomAtServer(NodeServices services, RoomSession room, OwnIntroduction self)
    {
        _services = services;
        _room = room;
        _self = self;
        Server = new ServerEntry(services, this, room.Keys.Tag, self.Peer.Instance);
    }

    public ServerEntry Server { get; }

    public bool IsServed => Server.IsServed;

    public bool IsLoopback => Server.IsLoopback;

    public bool IsOfTwo => false;

    public Timestamp NextTimeout => Timestamp.Min(Server.NextTimeout, _announceAt);

    public void HandleServerConnected(Timestamp now)
    {
        _announceAt = now + MaxJoinDelay;
        if (_services.IsReflexiveKnown) Announce(now);
    }

    public void HandleServerEvent(CoordinationClientEvent serverEvent, Timestamp now)
    {
        switch (serverEvent)
        {
            case CoordinationClientEvent.Welcomed welcomed:
                _room.HandleServed();
                foreach (var entry in welcomed.Members) Introduce(entry, now);
                // Who left while we were away from the server.
                _room.HandlePresent([.. welcomed.Members.Select(entry => entry.Id)], now);
                break;
            case CoordinationClientEvent.MemberJoined joined:
                Introduce(joined.Member, now);
                break;
            case CoordinationClientEvent.MemberUpdated updated:
                Introduce(updated.Member, now);
                break;
            case CoordinationClientEvent.MemberLeft left:
                _room.GiveUp(left.Id, left.Reason == MemberLeftReason.Left, now);
                break;
            case CoordinationClientEvent.Replaced:
                _room.HandleReplaced(now);
                break;
            case CoordinationClientEvent.Refused refused:
                _room.HandleRefused(refused.Code, refused.Message, now);
                break;
        }
    }

    public void HandleServerLost(bool isNews, Timestamp now)
    {
        _announceAt = Timestamp.Never;
        if (isNews) _room.HandleServerLost(now);
    }

    public void HandleTimeout(Timestamp now)
    {
        if (now >= _announceAt) Announce(now);
        Server.HandleTimeout(now);
    }

    public void Announce(Timestamp now)
    {
        _announceAt = Timestamp.Never;
        if (!Server.IsConnected) return;
        var introduction = _self.Renew(IsLoopback);
        Server.Announce(introduction.Generation, introduction.Seal(_room.Keys, _services.Random), now);
    }

    public void Leave(Timestamp now)
    {
        _announceAt = Timestamp.Never;
        Server.Leave(now);
    }

    // A blob that does not open, or speaks for another, is a mistake of the server's or an attack: there is no such member.
    private void Introduce(MemberEntry entry, Timestamp now)
    {
        if (!IntroductionBlob.TryOpen(entry.Blob, _room.Keys, out var introduction)) return;
        if (introduction.Id == entry.Id && introduction.Instance == entry.Instance) _room.Introduce(introduction with { SeenAt = entry.Address }, now);
    }
}
