namespace Punchline;

/// <summary>What a <see cref="PeerConnection"/> has measured and counted, chat included.</summary>
public readonly record struct PeerConnectionStatistics
{
    /// <summary>The smoothed round trip of the present path (RFC 9002 §5.3).</summary>
    public TimeSpan RoundTrip { get; init; }

    /// <summary>
    /// The jitter: how far samples of the present path's round trip lie from <see cref="RoundTrip"/>, smoothed (rttvar of RFC 9002 §5.3). Half of the
    /// first sample at first, so it says something after some ten.
    /// </summary>
    public TimeSpan RoundTripVariation { get; init; }

    /// <summary>How often the connection went over to another path.</summary>
    public ulong PathChanges { get; init; }

    /// <summary>The UDP payload of a full packet on the present path, in bytes.</summary>
    public int PacketBytes { get; init; }

    /// <summary>Packets sent.</summary>
    public ulong PacketsSent { get; init; }

    /// <summary>Packets received, each once.</summary>
    public ulong PacketsReceived { get; init; }

    /// <summary>Packets that were taken for lost; what was in them was sent again.</summary>
    public ulong PacketsLost { get; init; }

    /// <summary>UDP payloads sent, in bytes.</summary>
    public ulong BytesSent { get; init; }

    /// <summary>UDP payloads received, in bytes.</summary>
    public ulong BytesReceived { get; init; }

    /// <summary>Bytes of streams sent, each counted once.</summary>
    public ulong StreamBytesSent { get; init; }

    /// <summary>Bytes of streams that arrived, or that the peer had sent before it abandoned a stream.</summary>
    public ulong StreamBytesReceived { get; init; }

    /// <summary>Datagrams that newer ones took the place of before they were sent.</summary>
    public ulong OutgoingDatagramsDropped { get; init; }

    /// <summary>Datagrams that newer ones took the place of before they were received by the program.</summary>
    public ulong IncomingDatagramsDropped { get; init; }
}
