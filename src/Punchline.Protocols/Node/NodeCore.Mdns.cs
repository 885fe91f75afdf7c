using System.Diagnostics.CodeAnalysis;
using Punchline.Protocols.Mdns;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Node;

// Multicast DNS on our links. It has sockets of its own, so its packets go beside HandleDatagram and TryDequeueTransmit.
internal sealed partial class NodeCore
{
    private readonly MdnsNode _mdns;

    /// <summary>The links on which members are looked for, the best first.</summary>
    public void SetLinks(IReadOnlyList<MdnsNetwork> links, Timestamp now) => _mdns.SetNetworks(links, now);

    /// <summary>Has the members of a room on our links find us, and looks for them, until the room is left.</summary>
    public void ShowOnLinks(int room, Timestamp now)
    {
        if (_rooms.TryGetValue(room, out var session)) _mdns.Publish(room, session.Keys.LinkKey, now);
    }

    /// <summary>A datagram that came to a group of multicast DNS, by the interface that is said.</summary>
    public void HandleMdnsDatagram(int link, Endpoint source, ReadOnlySpan<byte> datagram, Timestamp now) => _mdns.HandleDatagram(link, source, datagram, now);

    /// <summary>A datagram for a group; the buffer has room for <see cref="MdnsService.MaxSent"/> bytes.</summary>
    public bool TryDequeueMdnsTransmit(Timestamp now, Span<byte> buffer, out MdnsTransmit transmit) => _mdns.TryDequeueTransmit(now, buffer, out transmit);

    /// <summary>Somebody who may be a member has been heard on a link.</summary>
    public bool TryDequeueSighting([NotNullWhen(true)] out MdnsSighting? sighting) => _mdns.TryDequeueEvent(out sighting);
}
