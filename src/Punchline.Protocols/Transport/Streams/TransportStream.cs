namespace Punchline.Protocols.Transport.Streams;

/// <summary>A stream: its two parts, of which a unidirectional one has an absent one, and what the connection remembers about it.</summary>
internal sealed class TransportStream(StreamId id, SendingPart sending, ReceivingPart receiving)
{
    public StreamId Id { get; } = id;

    public SendingPart Sending { get; } = sending;

    public ReceivingPart Receiving { get; } = receiving;

    /// <summary>The application knows the stream: it opened it, or was told the protocol that it begins with.</summary>
    public bool IsAnnounced { get; set; }

    /// <summary>It waits in the connection's queue of streams with something to send.</summary>
    public bool IsQueued { get; set; }

    /// <summary>It waits for the peer to raise the connection's limit.</summary>
    public bool IsWaitingForCredit { get; set; }

    /// <summary>The application was told of data, and has not yet read all of it.</summary>
    public bool IsReadableRaised { get; set; }

    /// <summary>A write was cut short: the application wants to hear of free room.</summary>
    public bool WantsRoom { get; set; }

    public bool IsDone => Sending.IsDone && Receiving.IsDone;
}
