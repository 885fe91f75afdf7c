using System.Diagnostics.CodeAnalysis;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Stun;

/// <summary>
/// Asks STUN servers which address they see: one binding transaction a server (RFC 8489 §6), all side by side, on a
/// socket that other protocols may share.
/// </summary>
internal sealed class StunClient
{
    /// <summary>
    /// Servers asked at once, answers not yet dequeued included. A server has up to 8 endpoints (two families, two
    /// addresses, two ports): room for two such.
    /// </summary>
    public const int MaxQueries = 16;

    /// <summary>Bytes of a request, which has no attributes: room that <see cref="TryDequeueTransmit"/> needs.</summary>
    public const int RequestLength = StunMessage.HeaderLength;

    /// <summary>Requests that are sent at most: Rc of RFC 8489 §6.2.1.</summary>
    public const int MaxRequests = 7;

    // Rm of RFC 8489 §6.2.1: after the last request, as many RTOs pass until the transaction fails. With an RTO of 500 ms
    // requests leave at 0, 500, 1,500, 3,500, 7,500, 15,500 and 31,500 ms; it fails at 39,500 ms.
    private const int FinalWaitFactor = 16;

    /// <summary>The RTO of RFC 8489 §6.2.1, which gives 500 ms.</summary>
    public static readonly TimeSpan DefaultRetransmissionTimeout = TimeSpan.FromMilliseconds(500);

    // Success responses of RFC 3489's time carry SOURCE-ADDRESS (4) and CHANGED-ADDRESS (5), whose numbers ask for
    // comprehension; they take nothing from the mapped address.
    private static readonly StunAttributeType[] Understood =
    [
        StunAttributeType.MappedAddress, StunAttributeType.XorMappedAddress, StunAttributeType.ErrorCode, StunAttributeType.UnknownAttributes,
        StunAttributeType.Username, StunAttributeType.Realm, StunAttributeType.Nonce,
        StunAttributeType.MessageIntegrity, StunAttributeType.MessageIntegritySha256, (StunAttributeType)4, (StunAttributeType)5,
    ];

    private readonly IRandomSource _random;
    private readonly TimeSpan _retransmissionTimeout;
    private readonly List<Transaction> _transactions = new(MaxQueries);
    private readonly Queue<StunClientEvent> _events = new(MaxQueries);

    /// <param name="random">Where transaction ids come from.</param>
    /// <param name="retransmissionTimeout">The RTO: until the second request; doubled with each. 500 ms where not given.</param>
    /// <exception cref="ArgumentOutOfRangeException">An RTO that is not positive, or above a minute.</exception>
    public StunClient(IRandomSource random, TimeSpan? retransmissionTimeout = null)
    {
        _random = random;
        _retransmissionTimeout = retransmissionTimeout ?? DefaultRetransmissionTimeout;
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(_retransmissionTimeout, TimeSpan.Zero, nameof(retransmissionTimeout));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(_retransmissionTimeout, TimeSpan.FromMinutes(1), nameof(retransmissionTimeout));
    }

    /// <summary>When <see cref="HandleTimeout"/> wants to be called, once all transmits are dequeued.</summary>
    public Timestamp NextTimeout
    {
        get
        {
            var next = Timestamp.Never;
            foreach (var transaction in _transactions) next = Timestamp.Min(next, transaction.Deadline);
            return next;
        }
    }

    /// <summary>Asks a server. One that is being asked is not asked twice.</summary>
    /// <returns>False if <see cref="MaxQueries"/> are under way.</returns>
    public bool Query(Endpoint server, Timestamp now)
    {
        foreach (var running in _transactions)
        {
            if (running.Server == server) return true;
        }
        if (_transactions.Count + _events.Count >= MaxQueries) return false;
        _transactions.Add(new Transaction(server, StunTransactionId.Generate(_random), now));
        return true;
    }

    /// <summary>
    /// Asks a server now, for the network may have changed: a query that is under way, whose next request may be seconds off,
    /// begins anew.
    /// </summary>
    public bool QueryNow(Endpoint server, Timestamp now)
    {
        _transactions.RemoveAll(running => running.Server == server);
        return Query(server, now);
    }

    /// <summary>Takes a datagram that may be the response to one of our requests.</summary>
    /// <returns>Whether it was.</returns>
    public bool HandleDatagram(Endpoint source, ReadOnlySpan<byte> datagram, Timestamp now)
    {
        if (!StunMessage.TryRead(datagram, out var message) || message.Method != StunMethod.Binding
            || message.Class is not (StunClass.SuccessResponse or StunClass.ErrorResponse)) return false;
        for (var i = 0; i < _transactions.Count; i++)
        {
            var transaction = _transactions[i];
            // A request that never left has no response, whatever its id.
            if (transaction.Server != source || transaction.Id != message.TransactionId || transaction.Requests == 0) continue;
            _transactions.RemoveAt(i);
            _events.Enqueue(Conclude(transaction, message, now));
            return true;
        }
        return false;
    }

    /// <summary>Makes the requests due whose time has come, and gives up those that were sent often enough.</summary>
    public void HandleTimeout(Timestamp now)
    {
        for (var i = 0; i < _transactions.Count; i++)
        {
            var transaction = _transactions[i];
            if (transaction.IsDue || transaction.Deadline > now) continue;
            if (transaction.Requests < MaxRequests)
            {
                transaction.IsDue = true;
                continue;
            }
            _transactions.RemoveAt(i--);
            _events.Enqueue(new StunClientEvent.Failed(transaction.Server, StunFailure.TimedOut));
        }
    }

    /// <summary>Writes the next request that is due; the buffer has room for <see cref="RequestLength"/> bytes.</summary>
    public bool TryDequeueTransmit(Timestamp now, Span<byte> buffer, out Transmit transmit)
    {
        foreach (var transaction in _transactions)
        {
            if (!transaction.IsDue) continue;
            var writer = new StunWriter(buffer, StunClass.Request, StunMethod.Binding, transaction.Id);
            transaction.OnSent(now, _retransmissionTimeout);
            transmit = new Transmit(transaction.Server, writer.Length);
            return true;
        }
        transmit = default;
        return false;
    }

    /// <summary>The next query's end, in the order in which they ended.</summary>
    public bool TryDequeueEvent([NotNullWhen(true)] out StunClientEvent? ended) => _events.TryDequeue(out ended);

    private static StunClientEvent Conclude(Transaction transaction, in StunMessage message, Timestamp now)
    {
        var server = transaction.Server;
        if (message.Class == StunClass.ErrorResponse)
        {
            var code = message.TryFind(StunAttributeType.ErrorCode, out var error) && StunError.TryRead(error, out var read, out _) ? read : 0;
            return new StunClientEvent.Failed(server, StunFailure.ErrorResponse, code);
        }
        if (message.CollectUnknown(Understood, stackalloc StunAttributeType[1]) != 0)
            return new StunClientEvent.Failed(server, StunFailure.UnknownAttribute);
        return TryReadMapped(message, out var mapped)
            ? new StunClientEvent.Reflected(server, mapped, now - transaction.FirstSent, transaction.Requests)
            : new StunClientEvent.Failed(server, StunFailure.NoAddress);
    }

    // XOR-MAPPED-ADDRESS first: NATs that rewrite addresses in payloads spoil the plain one, which is all that old servers send.
    internal static bool TryReadMapped(in StunMessage message, out Endpoint mapped)
    {
        mapped = default;
        var isRead = message.TryFind(StunAttributeType.XorMappedAddress, out var value)
            ? StunAddress.TryReadXor(value, message.TransactionId, out mapped)
            : message.TryFind(StunAttributeType.MappedAddress, out value) && StunAddress.TryRead(value, out mapped);
        var isUnspecified = mapped.IsIPv4 ? mapped.IPv4 == 0 : mapped.Address == UInt128.Zero;
        return isRead && !isUnspecified && mapped.Port != 0;
    }

    private sealed class Transaction(Endpoint server, StunTransactionId id, Timestamp now)
    {
        public Endpoint Server { get; } = server;

        public StunTransactionId Id { get; } = id;

        public int Requests { get; private set; }

        public Timestamp FirstSent { get; private set; }

        /// <summary>A request waits to be dequeued. Until it is, the deadline is in the past, so that nobody sleeps over it.</summary>
        public bool IsDue { get; set; } = true;

        public Timestamp Deadline { get; private set; } = now;

        public void OnSent(Timestamp now, TimeSpan retransmissionTimeout)
        {
            if (Requests == 0) FirstSent = now;
            Requests++;
            IsDue = false;
            // RFC 8489 §6.2.1: the first interval is the RTO, each next one twice the last, until Rc requests are out.
            Deadline = now + (retransmissionTimeout * (Requests < MaxRequests ? 1 << (Requests - 1) : FinalWaitFactor));
        }
    }
}
