namespace Punchline;

/// <summary>Where to wait for calls, and whose.</summary>
public sealed class InboxOptions
{
    /// <summary>What callers see once their call is taken: 1 to 64 bytes in UTF-8.</summary>
    public string DisplayName { get; init; } = Environment.UserName;

    /// <summary>The coordination server: <c>HOST[:PORT][#PIN]</c>, port 8080 unless given.</summary>
    public required string Server { get; init; }

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
