using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport.ConnectionIds;
using Punchline.Protocols.Transport.Observation;
using Punchline.Protocols.Transport.Paths;
using Punchline.Protocols.Transport.Recovery;
using Punchline.Protocols.Transport.Streams;

namespace Punchline.Protocols.Transport;

/// <summary>What a handshake leaves behind, and a connection begins with.</summary>
internal sealed record ConnectionSetup
{
    public required ConnectionRole Role { get; init; }

    /// <summary>32 bytes; the connection keeps no copy outside its cipher.</summary>
    public required ReadOnlyMemory<byte> SendKey { get; init; }

    /// <summary>32 bytes; the connection keeps no copy outside its cipher.</summary>
    public required ReadOnlyMemory<byte> ReceiveKey { get; init; }

    public required TransportParameters LocalParameters { get; init; }

    public required TransportParameters RemoteParameters { get; init; }

    /// <summary>Chosen by us: what packets to us carry.</summary>
    public required ulong LocalConnectionId { get; init; }

    /// <summary>Chosen by the peer: what packets to it carry.</summary>
    public required ulong RemoteConnectionId { get; init; }

    /// <summary>Makes further ids, and routes packets and resets by them; null where the handshake's ids are all there are.</summary>
    public IConnectionIdOwner? ConnectionIds { get; init; }

    /// <summary>Where the handshake completed: counts as validated.</summary>
    public required PathAddress Path { get; init; }

    /// <summary>How much TCP connections take; null where no path is one.</summary>
    public ICarrierRoom? Carriers { get; init; }

    /// <summary>For the data of path challenges.</summary>
    public required IRandomSource Random { get; init; }

    /// <summary>A round trip that the handshake measured.</summary>
    public TimeSpan? HandshakeRtt { get; init; }

    /// <inheritdoc cref="Connection.KeepAliveInterval"/>
    public TimeSpan KeepAliveInterval { get; init; }

    /// <summary>How long the routers before us remember an idle path; null: there are none, and nothing keeps it.</summary>
    public MappingKeepAlive? Mapping { get; init; }

    /// <summary>The largest packet that is made where the path and the peer take it; at least <see cref="Connection.BasePacketSize"/>.</summary>
    public int MaxPacketSize { get; init; } = Connection.MaxPacketSize;

    public CongestionAlgorithm Congestion { get; init; } = CongestionAlgorithm.Cubic;

    /// <summary>What receive windows may grow by; shared by the connections of a node.</summary>
    public ReceiveBudget ReceiveBudget { get; init; } = new();

    /// <summary>Sees what happens; null for nobody.</summary>
    public IConnectionObserver? Observer { get; init; }

    public AeadLimits AeadLimits { get; init; } = AeadLimits.Default;
}
