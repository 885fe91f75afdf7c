namespace Punchline.Protocols.Primitives;

/// <summary>
/// One datagram that a core wants sent; its bytes are the first <paramref name="Length"/> of the buffer given to
/// <c>TryDequeueTransmit</c>.
/// </summary>
/// <param name="Destination">Where to.</param>
/// <param name="Length">Bytes written, from 1 to 65,507.</param>
/// <param name="TimeToLive">The IP time-to-live (or hop limit), 1 to 255; 0 leaves the system's default.</param>
internal readonly record struct Transmit(Endpoint Destination, int Length, byte TimeToLive = 0)
{
    public Transmit(PathAddress path, int length, byte timeToLive = 0)
        : this(path.Remote, length, timeToLive) => Via = path.Local;

    /// <summary>Which of our sockets sends it.</summary>
    public SocketId Via { get; init; }
}
