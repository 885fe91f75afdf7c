using Punchline.Protocols.Mdns;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Node;

// Multicast DNS on our links. It has sockets of its own, so its packets go beside HandleDatagram and TryDequeueTransmit.
internal sealed partial class NodeCore
{
    private readonly MdnsNode _mdns;
    // In the order of opening, so that a run replays.
    private readonly OrderedDictionary<int, RoomOnLinks> _onLinks = [];

    private Timestamp LinksTimeout
    {
        get
        {
            var next = _mdns.NextTimeout;
            foreach (var room in _onLinks.Values) next = Timestamp.Min(next, room.Contacts.NextTimeout);
            return next;
        }
    }

    /// <summary>The links on which members are looked for, the best first.</summary>
    public void SetLinks(IReadOnlyList<MdnsNetwork> links, Timestamp now)
    {
        _mdns.SetNetworks(links, now);
        DrainMdns(now);
    }

    /// <summary>Has the members of a room on our links find us, and looks for them, until the room is left.</summary>
    /// <param name="room">The room.</param>
    /// <param name="hasServer">A server may introduce them as well, and goes first.</param>
    /// <param name="now">The time.</param>
    public void ShowOnLinks(int room, bool hasServer, Timestamp now)
    {
        if (!_rooms.TryGetValue(room, out var session) || !_onLinks.TryAdd(room, new RoomOnLinks(_services, session, hasServer ? RoomOnLinks.ServerGrace : TimeSpan.Zero))) return;
        _mdns.Publish(room, session.Keys.LinkKey, now);
        DrainMdns(now);
    }

    /// <summary>A datagram that came to a group of multicast DNS, by the interface that is said.</summary>
    public void HandleMdnsDatagram(int link, Endpoint source, ReadOnlySpan<byte> datagram, Timestamp now)
    {
        _mdns.HandleDatagram(link, source, datagram, now);
        DrainMdns(now);
    }

    /// <summary>A datagram for a group; the buffer has room for <see cref="MdnsService.MaxSent"/> bytes.</summary>
    public bool TryDequeueMdnsTransmit(Timestamp now, Span<byte> buffer, out MdnsTransmit transmit) => _mdns.TryDequeueTransmit(now, buffer, out transmit);

    private void HandleLinksTimeout(Timestamp now)
    {
        _mdns.HandleTimeout(now);
        DrainMdns(now);
        foreach (var room in _onLinks.Values) room.Contacts.HandleTimeout(now);
    }

    private bool TryDequeueLinksTransmit(Span<byte> buffer, out Transmit transmit)
    {
        transmit = default;
        foreach (var room in _onLinks.Values)
        {
            if (room.Contacts.TryDequeueTransmit(buffer, out transmit)) return true;
        }
        return false;
    }

    private void DrainMdns(Timestamp now)
    {
        foreach (var (number, room) in _onLinks)
        {
            if (_mdns.LabelOf(number) is { IsEmpty: false } label) room.SetOwnLabel(label.Span);
        }
        while (_mdns.TryDequeueEvent(out var sighting))
        {
            if (_onLinks.TryGetValue(sighting.Room, out var room)) room.HandleSighting(sighting, now);
        }
    }

    private void LeaveLinks(int room)
    {
        _mdns.Withdraw(room);
        if (_onLinks.Remove(room, out var onLinks)) onLinks.End();
    }
}
