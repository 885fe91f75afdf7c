using Punchline.Protocols.Primitives;
using Punchline.Protocols.Rooms;
using Punchline.Protocols.Transport.ConnectionIds;
using Punchline.Protocols.Transport.Handshake;

namespace Punchline.Protocols.Node;

/// <summary>Which session a packet of the handshake or of a connection is for.</summary>
internal sealed partial class NodeCore
{
    private void HandleData(PathAddress source, ulong connectionId, ReadOnlySpan<byte> datagram, Timestamp now)
    {
        var session = _services.Routes.FindConnection(connectionId);
        if (session is not null)
        {
            session.HandleData(source, connectionId, datagram, now);
        }
        else
        {
            session = _services.Routes.FindReset(datagram);
            session?.HandleStatelessReset(ResetToken.Read(datagram[^ResetToken.Length..]), now);
            if (session is null && !_services.Routes.WasReplaced(connectionId)) _services.Resets.HandleUnknown(source, datagram.Length, connectionId, now);
        }
        session?.Room.HandleProgress(session, now);
    }

    private void HandleHandshake(PathAddress source, ReadOnlySpan<byte> packet, Timestamp now)
    {
        if (ContactPacket.TryReadHint(packet, out var topic))
        {
            if (source.Local == SocketId.Main) _services.Routes.FindTopic(topic)?.HandlePacket(source.Remote, packet, now);
            return;
        }
        PeerSession? session;
        var isProven = HandshakePacket.TryReadCookiedMessage1(packet, out var cookie, out var message1) && _services.Cookies.Verify(source.Remote, cookie, now);
        // With a cookie that is too old it is what it is without.
        if (!message1.IsEmpty) packet = message1;
        if (HandshakePacket.TryReadHint(packet, out var hint))
        {
            session = _services.Routes.FindHint(hint);
            session?.HandleMessage1(source, packet, isProven, now);
        }
        else if (HandshakePacket.TryReadCookieReply(packet, out var initiator, out cookie))
        {
            session = _services.Routes.FindConnection(initiator);
            session?.HandleCookie(source, initiator, cookie, now);
        }
        else
        {
            if (!HandshakePacket.TryReadConnectionId(packet, out var connectionId)) return;
            session = _services.Routes.FindConnection(connectionId);
            session?.HandleHandshake(source, connectionId, packet, now);
        }
        session?.Room.HandleProgress(session, now);
    }
}
