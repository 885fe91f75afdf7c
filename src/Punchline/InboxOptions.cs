namespace Punchline;

/// <summary>Where to wait for calls, and whose.</summary>
public sealed class InboxOptions
{
    /// <summary>What callers see once their call is taken: 1 to 64 bytes in UTF-8.</summary>
    public string DisplayName { get; init; } = Environment.UserName;

    /// <summary>The coordination server: <c>HOST[:PORT][#PIN]</c>, port 8080 unless given. Null with <see cref="UseDht"/>.</summary>
    public string? Server { get; init; }

    /// <summary>
    /// Callers find this peer in the BitTorrent DHT, with no server at all. This is to be wanted: while the inbox is open, whoever knows the peer's id finds its public address there, before
    /// any consent. Those of its own interfaces go to callers whose call is taken, as ever.
    /// </summary>
    public bool UseDht { get; init; }

    /// <summary>Takes the server's key at first use also where its name is a public one.</summary>
    public bool TrustFirst { get; init; }

    /// <summary>Who may call; others are refused without a word to the program. Null: anyone.</summary>
    public IReadOnlyCollection<PeerId>? AllowedCallers { get; init; }

    /// <summary>
    /// Protocols whose streams are taken where callers open once their call is taken them (<see cref="PeerConnection.AcceptStreamAsync"/>), each of 1 to 64 bytes in UTF-8;
    /// those of others are refused. Opening streams needs no name here.
    /// </summary>
    public IReadOnlyCollection<string> Protocols { get; init; } = [];
}
