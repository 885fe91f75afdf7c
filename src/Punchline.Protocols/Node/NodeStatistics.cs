using Punchline.Protocols.Transport;

namespace Punchline.Protocols.Node;

/// <summary>What a node has at a moment, and what it has counted since its start.</summary>
internal record struct NodeStatistics
{
    /// <summary>Rooms, now.</summary>
    public int Rooms { get; set; }

    /// <summary>Connections that stand, now.</summary>
    public int Connections { get; set; }

    /// <summary>Streams of those connections that are open or not yet done, now.</summary>
    public int Streams { get; set; }

    /// <summary>The longest smoothed round trip of those connections, now; zero without any.</summary>
    public TimeSpan MaxRoundTrip { get; set; }

    /// <summary>The greatest variation of their round trips (RFC 9002 §5.3's rttvar), now; zero without any.</summary>
    public TimeSpan MaxJitter { get; set; }

    /// <summary>Ports that STUN servers see of our socket, now: more than one behind a NAT that maps by destination.</summary>
    public int ExternalPorts { get; set; }

    /// <summary>Openers and handshake packets to addresses that had not answered.</summary>
    public ulong Probes { get; set; }

    /// <summary>
    /// Addresses that such a packet, or a STUN request, was the first to in a minute: each may be an entry in a router's table. Apart from
    /// <see cref="ExternalPorts"/>, for most routers give one port to many five-tuples, yet each takes its place in the table.
    /// </summary>
    public ulong FiveTuples { get; set; }

    /// <summary>Those of <see cref="FiveTuples"/> that gave us a port more at our router, for a peer to find.</summary>
    public ulong SearchMappings { get; set; }

    /// <summary>Those of them that tried a port of a peer's router.</summary>
    public ulong SearchSessions { get; set; }

    public ulong PacketsSent { get; set; }

    public ulong PacketsReceived { get; set; }

    public ulong PacketsLost { get; set; }

    /// <summary>UDP payloads of connections' packets.</summary>
    public ulong BytesSent { get; set; }

    /// <inheritdoc cref="BytesSent"/>
    public ulong BytesReceived { get; set; }

    /// <summary>Takes in what a connection counted: of a living one into a copy, of an ended one once.</summary>
    public void Count(in ConnectionStatistics connection)
    {
        PacketsSent += connection.PacketsSent;
        PacketsReceived += connection.PacketsReceived;
        PacketsLost += connection.PacketsLost;
        BytesSent += connection.BytesSent;
        BytesReceived += connection.BytesReceived;
    }

    public static NodeStatistics operator +(in NodeStatistics left, in NodeStatistics right) => new()
    {
        Rooms = left.Rooms + right.Rooms,
        Connections = left.Connections + right.Connections,
        Streams = left.Streams + right.Streams,
        MaxRoundTrip = Max(left.MaxRoundTrip, right.MaxRoundTrip),
        MaxJitter = Max(left.MaxJitter, right.MaxJitter),
        ExternalPorts = left.ExternalPorts + right.ExternalPorts,
        Probes = left.Probes + right.Probes,
        FiveTuples = left.FiveTuples + right.FiveTuples,
        SearchMappings = left.SearchMappings + right.SearchMappings,
        SearchSessions = left.SearchSessions + right.SearchSessions,
        PacketsSent = left.PacketsSent + right.PacketsSent,
        PacketsReceived = left.PacketsReceived + right.PacketsReceived,
        PacketsLost = left.PacketsLost + right.PacketsLost,
        BytesSent = left.BytesSent + right.BytesSent,
        BytesReceived = left.BytesReceived + right.BytesReceived,
    };

    /// <summary>Without what is only of the moment: what stays of a node that has ended.</summary>
    public readonly NodeStatistics WithoutPresent() => this with { Rooms = 0, Connections = 0, Streams = 0, MaxRoundTrip = default, MaxJitter = default, ExternalPorts = 0 };

    /// <summary>Takes in how far away a living connection's peer is.</summary>
    public void Measure(TimeSpan roundTrip, TimeSpan jitter) => (MaxRoundTrip, MaxJitter) = (Max(MaxRoundTrip, roundTrip), Max(MaxJitter, jitter));

    private static TimeSpan Max(TimeSpan left, TimeSpan right) => left > right ? left : right;
}
