using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport;

namespace Punchline.Protocols.Node;

// The TCP port, beside the UDP socket: connections are made and taken by the driver, and numbered here.
internal sealed partial class NodeCore
{
    /// <summary>Connections of the TCP port; none are left when every room is closed, but the one that keeps its mapping.</summary>
    public int TcpLinkCount => _services.Tcp.Count;

    /// <summary>The driver listens on this port, and connects from it. Before anything else.</summary>
    /// <param name="port">Its number.</param>
    /// <param name="hasIPv4">Whether it has it in IPv4.</param>
    /// <param name="hasIPv6">And in IPv6.</param>
    public void SetTcpPort(ushort port, bool hasIPv4, bool hasIPv6) => _services.Tcp.Open(port, hasIPv4, hasIPv6);

    /// <summary>
    /// Asks a STUN server over TCP where it sees the TCP port. IPv4's connection is kept, and with it the router's mapping; IPv6 has none to keep.
    /// </summary>
    public void QueryStunOverTcp(Endpoint server, Timestamp now)
    {
        if (server.IsIPv4) _services.TcpReflexive.Query(server, now);
        else QueryStunOverTcpByIPv6(server, now);
    }

    /// <summary>What the driver has to do, in this order.</summary>
    public bool TryDequeueTcpCommand(out TcpCommand command) => _services.Tcp.TryDequeueCommand(out command);

    /// <summary>A connection came in at the TCP port. False where it is to be closed.</summary>
    public bool TryAcceptTcp(Endpoint remote, Timestamp now, out SocketId link) => _services.Tcp.TryAccept(remote, now, out link);

    /// <summary>A connection that was asked for stands.</summary>
    public void HandleTcpConnected(SocketId link, Timestamp now) => _services.Tcp.HandleConnected(link, now);

    /// <summary>A connection failed, broke, or was closed by the other side. Nothing more is heard of it.</summary>
    public void HandleTcpClosed(SocketId link, Timestamp now) => _services.Tcp.HandleClosed(link, now);

    /// <summary>A connection's socket has taken so many more of the bytes that <see cref="TryDequeueTransmit"/> gave for it.</summary>
    public void HandleTcpTaken(SocketId link, int bytes) => _services.Tcp.HandleTaken(link, bytes);

    /// <summary>Bytes that came on a connection, however they are cut.</summary>
    public void HandleTcpBytes(SocketId id, ReadOnlySpan<byte> bytes, Timestamp now)
    {
        if (_services.Tcp.Find(id) is not { IsOpen: true } link) return;
        if (!link.IsProven && (link.UnprovenBytes += bytes.Length) > TcpLinks.MaxUnprovenBytes)
        {
            Abandon(link, now);
        }
        else if (link.Owner == _services.TcpReflexive)
        {
            _services.TcpReflexive.HandleBytes(link.Path, bytes, now);
            HandleTcpReflexiveNews(now);
            LearnTcpMapping(now);
            ProceedExamination(now);
        }
        else if (link.Owner is TcpMappingTest test)
        {
            test.HandleBytes(link.Path, bytes);
            if (test == _tcpMapping) LearnTcpMapping(now);
            else if (test == _tcpOverIPv6) LearnTcpOverIPv6(now);
            else return;
            ProceedExamination(now);
        }
        else
        {
            HandlePackets(link, bytes, now);
        }
    }

    private void HandleTcpReflexiveNews(Timestamp now)
    {
        if (!_services.TcpReflexive.TakeNews()) return;
        JudgeMapped();
        HandleCandidatesChanged(now);
    }

    private void HandlePackets(TcpLink link, ReadOnlySpan<byte> bytes, Timestamp now)
    {
        bool isBroken;
        while (link.Framing.TryTake(ref bytes, out var packet, out isBroken))
        {
            HandlePacket(link.Path, packet, now);
            // A packet may end the connection that it came on.
            if (_services.Tcp.Find(link.Path.Local) != link) return;
        }
        if (isBroken) Abandon(link, now);
    }

    private void Abandon(TcpLink link, Timestamp now)
    {
        _services.Tcp.Close(link.Path.Local);
        link.Owner?.HandleLinkLost(link.Path, now);
    }

    // What goes to a connection is framed, and counts until its socket has taken it.
    private bool TryFrame(Span<byte> buffer, ref Transmit transmit)
    {
        if (_services.Tcp.Find(transmit.Via) is not { IsOpen: true } link) return false;
        if (link.Owner is not (TcpReflexive or TcpMappingTest)) transmit = transmit with { Length = PacketFraming.Frame(buffer, transmit.Length) };
        _services.Tcp.OnHandedOver(transmit.Via, transmit.Length);
        return true;
    }
}
