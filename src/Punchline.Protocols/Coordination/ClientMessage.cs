using System.Text.Json.Serialization;

namespace Punchline.Protocols.Coordination;

// What a peer says to the coordination server: one JSON object a WebSocket text message, bytes in base64url.
//
//   {"type":"join","key":B65,"instance":B16,"generation":N,"blob":B≤4096,"mac":B32}
//   {"type":"update","generation":N,"blob":B≤4096}
//   {"type":"heartbeat"}
//   {"type":"leave"}
//   {"type":"signal","to":ID,"data":B≤2048}      in an inbox only
//
// Unknown fields are ignored, and so are unknown types (they read as the base type): a newer peer may say more.

[JsonPolymorphic(TypeDiscriminatorPropertyName = "type", IgnoreUnrecognizedTypeDiscriminators = true)]
[JsonDerivedType(typeof(JoinMessage), "join")]
[JsonDerivedType(typeof(UpdateMessage), "update")]
[JsonDerivedType(typeof(ClientHeartbeatMessage), "heartbeat")]
[JsonDerivedType(typeof(LeaveMessage), "leave")]
[JsonDerivedType(typeof(SignalMessage), "signal")]
internal record ClientMessage
{
    /// <summary>Whether lengths and ranges hold, which JSON alone does not say.</summary>
    public virtual bool IsWellFormed() => true;
}

/// <summary>Registers this connection's peer in the room of the URL.</summary>
/// <param name="Key">The peer's static public key.</param>
/// <param name="Instance">This run of the peer.</param>
/// <param name="Generation">Of the blob; rises with each change within an instance.</param>
/// <param name="Blob">Sealed for the room's members: the server cannot read it.</param>
/// <param name="Mac">See <see cref="ProofOfKey"/>.</param>
internal sealed record JoinMessage(byte[] Key, InstanceId Instance, uint Generation, byte[] Blob, byte[] Mac) : ClientMessage
{
    // The key's length is the key agreement's to judge.
    public override bool IsWellFormed() => Blob.Length <= CoordinationLimits.MaxBlobBytes && Mac.Length == ProofOfKey.MacLength;
}

/// <summary>Replaces the blob. Ignored unless <paramref name="Generation"/> is above the last one.</summary>
internal sealed record UpdateMessage(uint Generation, byte[] Blob) : ClientMessage
{
    public override bool IsWellFormed() => Blob.Length <= CoordinationLimits.MaxBlobBytes;
}

/// <summary>A sign of life, answered with one.</summary>
internal sealed record ClientHeartbeatMessage : ClientMessage;

/// <summary>Leaves the room: the others hear of it at once.</summary>
internal sealed record LeaveMessage : ClientMessage;

/// <summary>For one other in an inbox: the holder's for a caller, a caller's for the holder.</summary>
/// <param name="To">Whom.</param>
/// <param name="Data">Sealed for the receiver: the server cannot read it.</param>
internal sealed record SignalMessage([property: JsonConverter(typeof(PeerIdConverter))] PeerId To, byte[] Data) : ClientMessage
{
    public override bool IsWellFormed() => Data.Length <= CoordinationLimits.MaxSignalBytes;
}
