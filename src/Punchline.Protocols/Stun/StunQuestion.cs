using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Stun;

/// <summary>An answer to a <see cref="StunQuestion"/>.</summary>
/// <param name="From">Where it came from.</param>
/// <param name="Mapped">Where the server sees the socket.</param>
/// <param name="Other">The server's endpoint that differs in address and port (RFC 5780 §7.4); null where it names none.</param>
/// <param name="RoundTrip">From the first request: an upper bound where there were several.</param>
internal readonly record struct StunAnswer(Endpoint From, Endpoint Mapped, Endpoint? Other, TimeSpan RoundTrip)
{
    /// <summary>Whether what the server sent to <see cref="StunQuestion.RejectionPort"/> was rejected; null: it was not asked, or does not know.</summary>
    public bool? IsRejected { get; init; }
}

/// <summary>
/// One binding request that may ask for its answer from another address or port of the server (RFC 5780 §7.2), sent three times at most: that
/// nothing comes is an answer as well, and shall not take long.
/// </summary>
/// <param name="id">Of the transaction.</param>
/// <param name="server">Who is asked.</param>
/// <param name="change"><see cref="StunChangeRequest.ChangeAddress"/>, <see cref="StunChangeRequest.ChangePort"/>, both or 0.</param>
/// <param name="patience">What the last request waits for its answer.</param>
/// <param name="now">The first request is due.</param>
internal sealed class StunQuestion(StunTransactionId id, Endpoint server, uint change, TimeSpan patience, Timestamp now)
{
    public const int MaxRequests = 3;

    /// <summary>Bytes of the longest request.</summary>
    public const int MaxRequestLength = StunMessage.HeaderLength + StunAttribute.HeaderLength + StunChangeRequest.Length + StunAttribute.HeaderLength + StunResponsePort.Length + StunAttribute.HeaderLength + StunRejection.Length;

    /// <summary>Between requests. Servers that are asked twice and know it do no harm.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    private int _sent;
    private Timestamp _firstSent;

    public Endpoint Server => server;

    /// <summary>The port of our router's that is to be answered (RFC 5780 §7.5); 0: the one that it is asked from.</summary>
    public ushort ResponsePort { get; init; }

    /// <summary>The port of our router's of which the server is asked whether it rejects; 0: none.</summary>
    public ushort RejectionPort { get; init; }

    public StunAnswer? Answer { get; private set; }

    /// <summary>It is answered, or never will be.</summary>
    public bool IsOver { get; private set; }

    public Timestamp NextTimeout { get; private set; } = now;

    public void HandleTimeout(Timestamp now)
    {
        if (IsOver || now < NextTimeout || _sent < MaxRequests) return;
        IsOver = true;
        NextTimeout = Timestamp.Never;
    }

    public bool TryDequeueTransmit(Timestamp now, Span<byte> buffer, SocketId via, out Transmit transmit)
    {
        transmit = default;
        if (IsOver || _sent == MaxRequests || now < NextTimeout) return false;
        var writer = new StunWriter(buffer, StunClass.Request, StunMethod.Binding, id);
        if (change != 0) writer.WriteAttribute(StunAttributeType.ChangeRequest, [0, 0, 0, (byte)change]);
        if (ResponsePort != 0)
        {
            Span<byte> port = stackalloc byte[StunResponsePort.Length];
            StunResponsePort.Write(port, ResponsePort);
            writer.WriteAttribute(StunAttributeType.ResponsePort, port);
        }
        if (RejectionPort != 0) StunRejection.Write(ref writer, RejectionPort);
        if (_sent++ == 0) _firstSent = now;
        NextTimeout = now + (_sent == MaxRequests ? patience : Interval);
        transmit = new Transmit(new PathAddress(via, server), writer.Length);
        return true;
    }

    /// <summary>
    /// Takes what may be its answer. Only what comes from where it was asked for counts: a server that ignores the question, as RFC 8489's may, says
    /// nothing about filters.
    /// </summary>
    /// <param name="source">Where it came from.</param>
    /// <param name="message">What came.</param>
    /// <param name="expected">Where an answer is to come from.</param>
    /// <param name="now">The time.</param>
    public bool TryAnswer(Endpoint source, in StunMessage message, Endpoint expected, Timestamp now)
    {
        if (IsOver || _sent == 0 || message.TransactionId != id || message.Method != StunMethod.Binding || source != expected) return false;
        if (message.Class is not (StunClass.SuccessResponse or StunClass.ErrorResponse)) return false;
        IsOver = true;
        NextTimeout = Timestamp.Never;
        if (message.Class == StunClass.SuccessResponse && StunClient.TryReadMapped(message, out var mapped))
        {
            Endpoint? other = message.TryFind(StunAttributeType.OtherAddress, out var value) && StunAddress.TryRead(value, out var named) ? named : null;
            Answer = new StunAnswer(source, mapped, other, now - _firstSent)
            {
                IsRejected = message.TryFind(StunAttributeType.Rejection, out var rejection) && StunRejection.TryRead(rejection, out var isRejected) ? isRejected == 1 : null,
            };
        }
        return true;
    }

    /// <summary>Whether a message is this very request, as it comes back to a socket of ours by way of our own router.</summary>
    public bool IsIn(in StunMessage message) => _sent > 0 && message is { Class: StunClass.Request, Method: StunMethod.Binding } && message.TransactionId == id;
}
