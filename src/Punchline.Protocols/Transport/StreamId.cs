namespace Punchline.Protocols.Transport;

/// <summary>Which side of the handshake this is: RFC 9000's client is the initiator.</summary>
internal enum ConnectionRole : byte
{
    Initiator = 0,
    Responder = 1,
}

/// <summary>Who may write on a stream: both sides, or only the one that opened it.</summary>
internal enum StreamDirection : byte
{
    Bidirectional = 0,
    Unidirectional = 1,
}

/// <summary>A stream's number: bit 0 says who opened it, bit 1 whether it is unidirectional (RFC 9000 §2.1).</summary>
internal readonly record struct StreamId(ulong Value)
{
    public static StreamId Create(StreamDirection direction, ConnectionRole opener, ulong index) => new((index << 2) | ((ulong)direction << 1) | (ulong)opener);

    public ConnectionRole Opener => (ConnectionRole)(Value & 1);

    public StreamDirection Direction => (StreamDirection)((Value >> 1) & 1);

    /// <summary>The stream's place among those of its type, from 0.</summary>
    public ulong Index => Value >> 2;

    public override string ToString() => $"stream {Value}";
}
