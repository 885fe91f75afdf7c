namespace Punchline.Protocols.Transport.Frames;

/// <summary>
/// The frames in use, with the numbers of RFC 9000 §19 and RFC 9221 §4, and two of our own. All fit one byte, and a type must be written in its shortest form
/// (§12.4). PADDING and PING are nothing but their type.
/// </summary>
internal enum FrameType : byte
{
    Padding = 0x00,
    Ping = 0x01,
    Ack = 0x02,
    AckEcn = 0x03,
    ResetStream = 0x04,
    StopSending = 0x05,

    /// <summary>The first of the eight STREAM types 0x08 to 0x0f: see <see cref="StreamFrame"/>.</summary>
    Stream = 0x08,
    StreamLast = 0x0f,
    MaxData = 0x10,
    MaxStreamData = 0x11,
    MaxStreamsBidi = 0x12,
    MaxStreamsUni = 0x13,
    DataBlocked = 0x14,
    StreamDataBlocked = 0x15,
    StreamsBlockedBidi = 0x16,
    StreamsBlockedUni = 0x17,
    NewConnectionId = 0x18,
    RetireConnectionId = 0x19,
    PathChallenge = 0x1a,
    PathResponse = 0x1b,
    ConnectionClose = 0x1c,
    ConnectionCloseApplication = 0x1d,

    /// <summary>RFC 9221 §4: up to the packet's end, or with its length.</summary>
    Datagram = 0x30,
    DatagramWithLength = 0x31,

    /// <summary>Our own: see <see cref="CandidatesFrame"/> and <see cref="ObservedAddressFrame"/>.</summary>
    Candidates = 0x38,
    ObservedAddress = 0x39,
}
