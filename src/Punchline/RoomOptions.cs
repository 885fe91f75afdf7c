namespace Punchline;

/// <summary>Which room to join, and how.</summary>
public sealed class RoomOptions
{
    /// <summary>The room's name: 1 to 128 bytes in UTF-8.</summary>
    public required string Room { get; init; }

    /// <summary>
    /// What only members know, at most 1,024 bytes in UTF-8. Without one the room is open: its server, and whoever
    /// guesses its name, can sit in the middle until fingerprints are compared.
    /// </summary>
    public string Secret { get; init; } = "";

    /// <summary>What the others see: at most 64 bytes in UTF-8.</summary>
    public string DisplayName { get; init; } = Environment.UserName;

    /// <summary>The coordination server: <c>HOST[:PORT][#PIN]</c>, port 8080 unless given. Null with <see cref="UseDht"/>, or where members on this machine's own networks are enough (<see cref="LocalDiscovery"/>).</summary>
    public string? Server { get; init; }

    /// <summary>
    /// Members find each other in the BitTorrent DHT, with no server at all: each announces its address under a topic that follows from the room's name,
    /// its secret and the hour. Whoever watches that topic sees the members' addresses, and a guessed secret opens the room to anybody, so the secret should be a strong one.
    /// See <see cref="PeerNodeOptions.DhtBootstrapHosts"/>.
    /// </summary>
    public bool UseDht { get; init; }

    /// <summary>
    /// Members on this machine's own networks find each other by multicast DNS, with or without a server or the DHT; then a server that cannot be reached does not end the join, and is tried again.
    /// Not in open rooms. Whoever is on such a network sees that somebody is in some room, and could try out secrets: switch it off where the secret is no strong one.
    /// </summary>
    public bool LocalDiscovery { get; init; } = true;

    /// <summary>Takes the server's key at first use also where its name is a public one.</summary>
    public bool TrustFirst { get; init; }

    /// <summary>
    /// The only members that this peer connects to and answers; null: all. The others are told of (<see cref="RoomEvent.Joined"/>,
    /// then <see cref="RoomEvent.Failed"/> with the cause <c>not-allowed</c>), and not a packet goes to them. They still read
    /// this peer's addresses in its introduction: see <see cref="PeerNodeOptions.HideHostCandidates"/>.
    /// </summary>
    public IReadOnlyCollection<PeerId>? AllowedPeers { get; init; }

    /// <summary>
    /// Protocols whose streams are taken where members open them (<see cref="PeerConnection.AcceptStreamAsync"/>), each of 1 to 64 bytes in UTF-8;
    /// those of others are refused. Opening streams needs no name here.
    /// </summary>
    public IReadOnlyCollection<string> Protocols { get; init; } = [];
}
