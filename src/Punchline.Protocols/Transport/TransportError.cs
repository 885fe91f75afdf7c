namespace Punchline.Protocols.Transport;

/// <summary>Why the transport closes a connection: the codes of RFC 9000 §20.1, carried by CONNECTION_CLOSE 0x1c.</summary>
internal enum TransportError : ulong
{
    NoError = 0x00,
    InternalError = 0x01,
    FlowControlError = 0x03,
    StreamLimitError = 0x04,
    StreamStateError = 0x05,
    FinalSizeError = 0x06,
    FrameEncodingError = 0x07,
    ConnectionIdLimitError = 0x09,
    ProtocolViolation = 0x0a,
    KeyUpdateError = 0x0e,
    AeadLimitReached = 0x0f,
}

/// <summary>Codes of RESET_STREAM and STOP_SENDING that Punchline itself uses (registry in PROTOCOL.md).</summary>
internal static class StreamErrorCodes
{
    /// <summary>The acceptor does not know the protocol that the stream named, or the stream named none.</summary>
    public const ulong UnknownProtocol = 0x01;

    /// <summary>The application's code 0; its others follow. Below are those of this registry.</summary>
    public const ulong FirstOfApplication = 0x100;
}
