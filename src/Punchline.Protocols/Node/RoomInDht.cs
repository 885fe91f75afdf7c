using Punchline.Protocols.Dht;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Node;

/// <summary>A room's members find each other in the DHT, and ask each other's addresses who is there (PROTOCOL §2).</summary>
internal sealed class RoomInDht : IRendezvous, ITopic, ITopicOwner
{
    /// <summary>Between two searches, once a room has stood for a while.</summary>
    public static readonly TimeSpan MaxPollInterval = TimeSpan.FromSeconds(60);

    private readonly RoomSession _room;
    private readonly TopicSearch _search;

    /// <param name="services">The node's, whose wall clock is set.</param>
    /// <param name="dht">The node's way into the DHT.</param>
    /// <param name="room">Whose members are looked for.</param>
    /// <param name="self">What we say of ourselves in it.</param>
    /// <param name="port">The punching socket's, for nodes that don't take a packet's source.</param>
    /// <param name="now">The time.</param>
    public RoomInDht(NodeServices services, DhtNode dht, RoomSession room, OwnIntroduction self, ushort port, Timestamp now)
    {
        _room = room;
        Contacts = new TopicContacts(services, room, self);
        _search = new TopicSearch(services, dht, room.Keys, this, MaxPollInterval, port, now);
    }

    public TopicContacts Contacts { get; }

    public bool IsServed => false;

    public bool IsLoopback => false;

    public bool IsOfTwo => false;

    public Timestamp NextTimeout => Timestamp.Min(Contacts.NextTimeout, _search.NextTimeout);

    public void HandleTimeout(Timestamp now)
    {
        _search.HandleTimeout(now);
        Contacts.HandleTimeout(now);
    }

    public bool HandleEvent(DhtEvent dhtEvent, Timestamp now) => _search.HandleEvent(dhtEvent, now);

    public void HandlePacket(Endpoint source, ReadOnlySpan<byte> packet, Timestamp now) => Contacts.HandlePacket(source, packet, now);

    public void HandleFound(Endpoint address, Timestamp now) => Contacts.Add(address, now);

    public void HandleAsked(in DhtView view, Timestamp now) => _room.HandleDhtAsked(view);

    public void HandleSilent(Timestamp now) => _room.HandleDhtSilent();

    public void HandleHour(ulong hint) => Contacts.Hint = hint;

    public void Announce(Timestamp now) => Contacts.Announce(now);

    public void Hurry(Timestamp now) => _search.Hurry(now);

    public void Leave(Timestamp now) => End();

    public void End() => _search.End();

    public bool TryDequeueTransmit(Timestamp now, Span<byte> buffer, out Transmit transmit) => Contacts.TryDequeueTransmit(buffer, out transmit);
}
