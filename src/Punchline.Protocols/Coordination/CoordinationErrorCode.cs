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

    public const string RoomFull = "room-full";

    public const string ServerFull = "server-full";

    /// <summary>The client's own verdict: TLS ended at another key than the server's.</summary>
    public const string CertificateMismatch = "certificate-mismatch";
}
