using System.Text.Json.Serialization;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Coordination;

// What the coordination server says to a peer: one JSON object a WebSocket text message, bytes in base64url.
//
//   {"type":"challenge","nonce":B32,"key":B65,"stun":["ip:port",…],"certificate":B32 or absent}
//   {"type":"welcome","address":"ip:port","heartbeatSeconds":N,"members":[MEMBER,…]}
//   {"type":"joined","member":MEMBER}      {"type":"updated","member":MEMBER}
//   {"type":"left","id":ID,"reason":"left"|"timeout"}
//   {"type":"replaced"}
//   {"type":"heartbeat"}
//   {"type":"signal","from":ID,"data":B≤2048}    in an inbox only
//   {"type":"error","code":CODE,"message":TEXT}
//
//   MEMBER = {"id":ID,"instance":B16,"generation":N,"address":"ip","blob":B≤4096}
//   ID     = 52 characters of base32
//
// Unknown fields are ignored, and so are unknown types (they read as the base type): a newer server may say more.

[JsonPolymorphic(TypeDiscriminatorPropertyName = "type", IgnoreUnrecognizedTypeDiscriminators = true)]
[JsonDerivedType(typeof(ChallengeMessage), "challenge")]
[JsonDerivedType(typeof(WelcomeMessage), "welcome")]
[JsonDerivedType(typeof(JoinedMessage), "joined")]
[JsonDerivedType(typeof(UpdatedMessage), "updated")]
[JsonDerivedType(typeof(LeftMessage), "left")]
[JsonDerivedType(typeof(ReplacedMessage), "replaced")]
[JsonDerivedType(typeof(ServerHeartbeatMessage), "heartbeat")]
[JsonDerivedType(typeof(SignalledMessage), "signal")]
[JsonDerivedType(typeof(ErrorMessage), "error")]
internal record ServerMessage
{
    /// <summary>Whether lengths and ranges hold, which JSON alone does not say.</summary>
    public virtual bool IsWellFormed() => true;
}

/// <summary>A room's member as the server introduces it.</summary>
/// <param name="Id">Whose key was proven.</param>
/// <param name="Instance">This run of the peer.</param>
/// <param name="Generation">Of the blob; rises with each change within an instance.</param>
/// <param name="Address">The address that the server saw it come from, with port 0; in an inbox 0.0.0.0. The one thing that the server adds.</param>
/// <param name="Blob">Sealed by the member for the room.</param>
internal sealed record MemberEntry(
    [property: JsonConverter(typeof(PeerIdConverter))] PeerId Id,
    InstanceId Instance,
    uint Generation,
    [property: JsonConverter(typeof(AddressConverter))] Endpoint Address,
    byte[] Blob)
{
    public bool IsWellFormed() => Blob.Length <= CoordinationLimits.MaxBlobBytes;
}

/// <summary>The server's first words on a connection.</summary>
/// <param name="Nonce">32 random bytes.</param>
/// <param name="Key">The server's ephemeral public key, of this connection only.</param>
/// <param name="Stun">Where this server answers STUN.</param>
/// <param name="Certificate">SHA-256 of the certificate's key where the server ends TLS itself; null behind a proxy.</param>
internal sealed record ChallengeMessage(
    byte[] Nonce,
    byte[] Key,
    [property: JsonConverter(typeof(EndpointListConverter))] Endpoint[] Stun,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] byte[]? Certificate = null) : ServerMessage
{
    public override bool IsWellFormed() =>
        Nonce.Length == CoordinationLimits.NonceBytes && Certificate is null or { Length: ProofOfKey.CertificateKeyHashLength };
}

/// <summary>The join is done; these are the others.</summary>
/// <param name="Address">The joining peer as the server saw it. Its port is the TCP connection's: only the IP address means something.</param>
/// <param name="HeartbeatSeconds">How often the server wants to hear from the peer.</param>
/// <param name="Members">All other members.</param>
internal sealed record WelcomeMessage(
    [property: JsonConverter(typeof(EndpointConverter))] Endpoint Address,
    int HeartbeatSeconds,
    MemberEntry[] Members) : ServerMessage
{
    public override bool IsWellFormed() =>
        HeartbeatSeconds > 0 && Members.Length <= CoordinationLimits.MaxMembersPerRoom
        && Array.TrueForAll(Members, member => member is not null && member.IsWellFormed());
}

/// <summary>A newcomer, or a known member's new instance.</summary>
internal sealed record JoinedMessage(MemberEntry Member) : ServerMessage
{
    public override bool IsWellFormed() => Member.IsWellFormed();
}

/// <summary>A member's blob or address changed; its instance did not.</summary>
internal sealed record UpdatedMessage(MemberEntry Member) : ServerMessage
{
    public override bool IsWellFormed() => Member.IsWellFormed();
}

/// <summary>A member said goodbye, or fell silent.</summary>
internal sealed record LeftMessage([property: JsonConverter(typeof(PeerIdConverter))] PeerId Id, string Reason) : ServerMessage
{
    public const string LeftReason = "left";
    public const string TimeoutReason = "timeout";
}

/// <summary>Another instance of this very peer joined: this one must not come back.</summary>
internal sealed record ReplacedMessage : ServerMessage;

/// <summary>The answer to a heartbeat.</summary>
internal sealed record ServerHeartbeatMessage : ServerMessage;

/// <summary>What another in the inbox has for us.</summary>
/// <param name="From">Whose connection it came from.</param>
/// <param name="Data">As it was given to the server.</param>
internal sealed record SignalledMessage([property: JsonConverter(typeof(PeerIdConverter))] PeerId From, byte[] Data) : ServerMessage
{
    public override bool IsWellFormed() => Data.Length <= CoordinationLimits.MaxSignalBytes;
}

/// <summary>Why the server closes this connection.</summary>
/// <param name="Code">One of <see cref="CoordinationErrorCode"/>; later servers may have more.</param>
/// <param name="Message">For people.</param>
internal sealed record ErrorMessage(string Code, string Message) : ServerMessage;
