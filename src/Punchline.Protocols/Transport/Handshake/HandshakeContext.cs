using Punchline.Protocols.Noise;

namespace Punchline.Protocols.Transport.Handshake;

/// <summary>
/// What both sides know of each other before the first packet, from an introduction. Both derive the same key and
/// prologue from it; hints are one for each direction.
/// </summary>
/// <param name="StaticKey">Our identity. Owned by the node.</param>
/// <param name="LocalId">Our id.</param>
/// <param name="RemoteId">Whom the handshake must prove.</param>
/// <param name="PresharedKey">32 bytes, of this introduction alone.</param>
/// <param name="Prologue">Product, version, suite, room tag and both sides' lists as introduced.</param>
/// <param name="OutgoingHint">Stands in our message 1.</param>
/// <param name="IncomingHint">Stands in the peer's message 1.</param>
internal sealed record HandshakeContext(
    P256KeyPair StaticKey,
    PeerId LocalId,
    PeerId RemoteId,
    ReadOnlyMemory<byte> PresharedKey,
    ReadOnlyMemory<byte> Prologue,
    ulong OutgoingHint,
    ulong IncomingHint)
{
    /// <summary>The lower id initiates; the other side's message 1 only opens its NAT.</summary>
    public bool IsInitiator => LocalId < RemoteId;

    /// <summary>The prologue with the header of the message 1 that this handshake begins with.</summary>
    public byte[] PrologueWith(ReadOnlySpan<byte> message1Header) => [.. Prologue.Span, .. message1Header];
}

/// <summary>What a completed handshake leaves to the transport.</summary>
/// <param name="SendKey">32 bytes.</param>
/// <param name="ReceiveKey">32 bytes.</param>
/// <param name="LocalConnectionId">What the peer writes into its packets to us.</param>
/// <param name="RemoteConnectionId">What we write into ours.</param>
/// <param name="RemoteParameters">The peer's transport parameters, still encoded.</param>
internal sealed record HandshakeResult(
    byte[] SendKey, byte[] ReceiveKey, ulong LocalConnectionId, ulong RemoteConnectionId, byte[] RemoteParameters);

/// <summary>What reading a handshake message came to.</summary>
internal enum HandshakeOutcome
{
    /// <summary>Forged, malformed or not for this state: nothing has changed.</summary>
    Ignored,

    /// <summary>Genuine, but its static key is not the id that was introduced: the attempt is over.</summary>
    Impostor,

    /// <summary>The handshake is complete.</summary>
    Completed,
}
