namespace Punchline;

/// <summary>Whom to call, and how.</summary>
public sealed class CallOptions
{
    /// <summary>Who is meant: whoever answers proves that it is this peer.</summary>
    public required PeerId Peer { get; init; }

    /// <summary>What the peer sees: 1 to 64 bytes in UTF-8.</summary>
    public string DisplayName { get; init; } = Environment.UserName;

    /// <summary>The coordination server at which the peer waits for calls: <c>HOST[:PORT][#PIN]</c>, port 8080 unless given. Null with <see cref="UseDht"/>.</summary>
    public string? Server { get; init; }

    /// <summary>
    /// The peer is found in the BitTorrent DHT, with no server at all, where it waits for calls there (<see cref="InboxOptions.UseDht"/>). Whoever knows its id and watches there sees
    /// this machine's address, but not who calls.
    /// </summary>
    public bool UseDht { get; init; }

    /// <summary>Takes the server's key at first use also where its name is a public one.</summary>
    public bool TrustFirst { get; init; }

    /// <summary>
    /// Protocols whose streams are taken where the peer opens them (<see cref="PeerConnection.AcceptStreamAsync"/>), each of 1 to 64 bytes in UTF-8;
    /// those of others are refused. Opening streams needs no name here.
    /// </summary>
    public IReadOnlyCollection<string> Protocols { get; init; } = [];
}
