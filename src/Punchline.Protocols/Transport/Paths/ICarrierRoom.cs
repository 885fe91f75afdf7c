using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Transport.Paths;

/// <summary>How much the carriers of TCP paths take: what the network does to UDP, back-pressure does there.</summary>
internal interface ICarrierRoom
{
    /// <summary>Bytes that may be handed over to a TCP connection now; below 0 where it is gone.</summary>
    int RoomOn(SocketId id);
}
