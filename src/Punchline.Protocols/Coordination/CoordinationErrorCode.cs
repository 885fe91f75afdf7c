namespace Punchline.Protocols.Coordination;

/// <summary>Why a coordination connection ends, as <c>error</c> messages carry it. The registry is in PROTOCOL.md.</summary>
internal static class CoordinationErrorCode
{
    /// <summary>Not a message of this protocol, or not at this point of it. Either side's verdict.</summary>
    public const string BadMessage = "bad-message";

    /// <summary>The proof of key does not hold: something sits between this peer and the server, or a name differs.</summary>
    public const string BadProof = "bad-proof";

    /// <summary>The peer did not join in time.</summary>
    public const string JoinTimeout = "join-timeout";

    /// <summary>In the room, or, for another caller, in the inbox.</summary>
    public const string RoomFull = "room-full";

    /// <summary>Who is called is not at this server. It may come.</summary>
    public const string Offline = "offline";

    /// <summary>More signals than <see cref="CoordinationLimits.CallerSignalsPerSecond"/> or <see cref="CoordinationLimits.HolderSignalsPerSecond"/> allow.</summary>
    public const string TooManySignals = "too-many-signals";

    public const string ServerFull = "server-full";

    /// <summary>The client's own verdict: TLS ended at another key than the server's.</summary>
    public const string CertificateMismatch = "certificate-mismatch";
}
