namespace Punchline.Protocols.Primitives;

/// <summary>What carries a socket's packets.</summary>
internal enum Carrier : byte
{
    /// <summary>Datagrams, of anybody's and to anybody.</summary>
    Udp,

    /// <summary>One TCP connection.</summary>
    Tcp,
}

/// <summary>
/// One of a node's sockets, as its driver and its core call it. <see cref="Main"/> is the punching socket; others come
/// and go, and a number is not used twice.
/// </summary>
internal readonly record struct SocketId(Carrier Carrier, int Number)
{
    /// <summary>The UDP socket that STUN, probes and data share; the default value.</summary>
    public static SocketId Main => default;
}

/// <summary>
/// A path by its two ends (RFC 9000's 4-tuple, §9): which socket of ours, and which address of the peer's. The address of that
/// socket is the driver's to know.
/// </summary>
internal readonly record struct PathAddress(SocketId Local, Endpoint Remote)
{
    /// <summary>From or to there by the main socket.</summary>
    public static implicit operator PathAddress(Endpoint remote) => new(SocketId.Main, remote);

    public override string ToString() => Local == SocketId.Main ? Remote.ToString() : $"{Remote} by {Local.Carrier} {Local.Number}";
}
