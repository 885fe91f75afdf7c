namespace Punchline;

/// <summary>Where to wait for connections, whose, and of which protocols.</summary>
public sealed class PeerListenerOptions
{
    /// <summary>The coordination server: <c>HOST[:PORT][#PIN]</c>, port 8080 unless given.</summary>
    public required string Server { get; init; }

    /// <summary>Takes the server's key at first use also where its name is a public one.</summary>
    public bool TrustFirst { get; init; }

    /// <summary>What peers see once they may connect: 1 to 64 bytes in UTF-8.</summary>
    public string DisplayName { get; init; } = Environment.UserName;

    /// <summary>Protocols whose streams are taken, each of 1 to 64 bytes in UTF-8; those of others are refused.</summary>
    public required IReadOnlyCollection<string> Protocols { get; init; }

    /// <summary>
    /// Who may connect; others are refused without a word to the program. Null: whoever <see cref="Consent"/> agrees to. A connection shows this
    /// machine's addresses to the peer, so one of the two must be given.
    /// </summary>
    public IReadOnlyCollection<PeerId>? AllowedPeers { get; init; }

    /// <summary>
    /// Asked for each peer that may connect, while it rings: who it is, and what it calls itself, which proves nothing. False, or an exception, refuses
    /// it. The token ends when the peer gives up or the listener closes. Several may be asked at once. Null: all of <see cref="AllowedPeers"/>.
    /// </summary>
    public Func<PeerId, string, CancellationToken, ValueTask<bool>>? Consent { get; init; }
}
