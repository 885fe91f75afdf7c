using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Transport;

internal enum ConnectionEventKind : byte
{
    /// <summary>
    /// The peer opened a stream that begins with the protocol's name <see cref="ConnectionEvent.Text"/> (UTF-8 as the peer
    /// wrote it); the id says its direction. Who does not know the protocol resets and stops it with
    /// <see cref="StreamErrorCodes.UnknownProtocol"/>.
    /// </summary>
    StreamOpened,

    /// <summary>Bytes, or the end, can be read. Comes again only after a read has emptied the stream.</summary>
    StreamReadable,

    /// <summary>There is room again for a write that was cut short.</summary>
    StreamWritable,

    /// <summary>The peer abandoned its sending part with <see cref="ConnectionEvent.Code"/>; unread bytes are gone.</summary>
    StreamReset,

    /// <summary>The peer no longer reads, for the reason <see cref="ConnectionEvent.Code"/>; our sending part is reset.</summary>
    StreamStopped,

    /// <summary>The peer has acknowledged every byte and the end of our sending part.</summary>
    StreamDelivered,

    /// <summary>The peer allows more streams, of either direction, than before.</summary>
    StreamsAvailable,

    /// <summary>There are datagrams to take. Comes again only after all have been taken.</summary>
    DatagramReceived,

    /// <summary>The peer is now reached by <see cref="ConnectionEvent.Path"/>.</summary>
    PathChanged,

    /// <summary>The peer has answered at <see cref="ConnectionEvent.Path"/>, whatever is sent there from now on.</summary>
    PathValidated,

    /// <summary>The path in use, <see cref="ConnectionEvent.Path"/>, carries nothing back any more.</summary>
    PathSilent,

    /// <summary>The peer has told where it may be reached: <see cref="Connection.RemoteCandidates"/>.</summary>
    CandidatesReceived,

    /// <summary>The peer has told where our packets come from: <see cref="Connection.ObservedAddress"/>.</summary>
    AddressObserved,

    /// <summary>The connection is over, as <see cref="Connection.CloseReason"/> says; no event follows.</summary>
    Closed,
}

/// <summary>
/// Something that the owner of a connection has to know. Their number is bounded by the streams: each has at most one
/// event of a kind waiting.
/// </summary>
internal readonly record struct ConnectionEvent(ConnectionEventKind Kind, StreamId Stream = default, ulong Code = 0, string? Text = null, PathAddress Path = default);

internal enum CloseOrigin : byte
{
    Local,
    Remote,
    IdleTimeout,

    /// <summary>The peer had lost the connection's state.</summary>
    StatelessReset,
}

/// <summary>Why a connection ended.</summary>
/// <param name="Origin">Who ended it.</param>
/// <param name="IsApplication">Whether <paramref name="Code"/> is the application's; else it is a <see cref="TransportError"/>.</param>
/// <param name="Code">The wire's code; 0 for the idle time-out and the reset.</param>
/// <param name="Text">For people. Where it comes from the peer it may hold anything, control characters included.</param>
internal sealed record CloseReason(CloseOrigin Origin, bool IsApplication, ulong Code, string Text);

/// <summary>What a connection has counted; bytes are UDP payloads.</summary>
internal readonly record struct ConnectionStatistics(
    ulong PacketsSent,
    ulong PacketsReceived,
    ulong PacketsLost,
    ulong BytesSent,
    ulong BytesReceived,
    ulong DuplicatesDropped,
    ulong Forgeries)
{
    /// <summary>Bytes of streams that were sent, each counted once.</summary>
    public ulong StreamBytesSent { get; init; }

    /// <summary>Bytes of streams that arrived, or that the peer had sent before it abandoned a stream.</summary>
    public ulong StreamBytesReceived { get; init; }

    /// <summary>Those of them that were read, or that nobody will read any more.</summary>
    public ulong StreamBytesConsumed { get; init; }

    /// <summary>How often our sending key was followed by another.</summary>
    public ulong KeyUpdates { get; init; }

    /// <summary>Datagrams of ours that newer ones took the place of before they were sent.</summary>
    public ulong OutgoingDatagramsDropped { get; init; }

    /// <summary>Datagrams of the peer's that newer ones took the place of before they were taken.</summary>
    public ulong IncomingDatagramsDropped { get; init; }
}
