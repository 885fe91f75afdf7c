using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Dht;

/// <summary>Where a node saw a socket.</summary>
/// <param name="Node">The node.</param>
/// <param name="Mapped">What it saw.</param>
internal readonly record struct Reflection(Endpoint Node, Endpoint Mapped);

/// <summary>
/// Asks nodes of the DHT where they see a socket that is no node's: by a ping, whose answer has it in <c>ip</c> (BEP 42). To them it comes from a
/// read-only node (BEP 43), which none takes into its table.
/// </summary>
/// <remarks>
/// A node may say anything. Of its word only the port counts, and only with the address at which most nodes see us
/// (<see cref="ExternalAddressVotes"/>): so it can have us tell a wrong port of our own router, and nobody else's address.
/// </remarks>
internal sealed class ReflectionClient(IRandomSource random)
{
    /// <summary>Nodes asked at once, answers not yet dequeued included.</summary>
    public const int MaxQueries = 4;

    /// <summary>Bytes of a ping: room that <see cref="TryDequeueTransmit"/> needs.</summary>
    public const int RequestLength = 65;

    /// <summary>Pings that a node gets. Where one of twenty packets is lost each way, so are all three in one question of 1,000.</summary>
    public const int MaxRequests = 3;

    /// <summary>Until the second ping, twice as long until the third, and as long again until the node counts as silent.</summary>
    public static readonly TimeSpan RetransmissionTimeout = TimeSpan.FromMilliseconds(200);

    private const int TransactionLength = 4;

    private readonly List<Transaction> _transactions = new(MaxQueries);
    private readonly Queue<Reflection> _reflections = new(MaxQueries);

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

    /// <summary>Asks a node. One that is being asked is not asked twice.</summary>
    /// <param name="node">Whom.</param>
    /// <param name="external">The address at which most nodes see us, whatever the port.</param>
    /// <param name="now">The time.</param>
    /// <returns>False if <see cref="MaxQueries"/> are under way.</returns>
    public bool Query(Endpoint node, Endpoint external, Timestamp now)
    {
        if (_transactions.Exists(running => running.Node == node)) return true;
        if (_transactions.Count + _reflections.Count >= MaxQueries) return false;
        // An id that our address may have (BEP 42), and not that of our node, which is on another socket.
        _transactions.Add(new Transaction((uint)random.NextUInt64(), SecureNodeId.Create(external, random), node, external.Address, now));
        return true;
    }

    /// <summary>Takes a datagram that may be the answer to one of our pings.</summary>
    /// <returns>Whether it was.</returns>
    public bool HandleDatagram(Endpoint source, ReadOnlySpan<byte> datagram)
    {
        if (!KrpcMessage.TryRead(datagram, out var answer) || answer.Kind == KrpcKind.Query || answer.Transaction.Length != TransactionLength) return false;
        var id = BinaryPrimitives.ReadUInt32BigEndian(answer.Transaction);
        // A ping that never left has no answer, whatever its id.
        var index = _transactions.FindIndex(running => running.Id == id && running.Node == source && running.Requests > 0);
        if (index < 0) return false;
        var transaction = _transactions[index];
        _transactions.RemoveAt(index);
        if (answer.External.Address == transaction.External && answer.External.Port != 0) _reflections.Enqueue(new Reflection(source, answer.External));
        return true;
    }

    /// <summary>Makes the pings due whose time has come, and gives up the nodes that got enough of them.</summary>
    public void HandleTimeout(Timestamp now)
    {
        for (var i = _transactions.Count - 1; i >= 0; i--)
        {
            var transaction = _transactions[i];
            if (transaction.IsDue || transaction.Deadline > now) continue;
            if (transaction.Requests < MaxRequests) transaction.IsDue = true;
            else _transactions.RemoveAt(i);
        }
    }

    /// <summary>Writes the next ping that is due; the buffer has room for <see cref="RequestLength"/> bytes.</summary>
    public bool TryDequeueTransmit(Timestamp now, Span<byte> buffer, out Transmit transmit)
    {
        foreach (var transaction in _transactions)
        {
            if (!transaction.IsDue) continue;
            Span<byte> id = stackalloc byte[TransactionLength];
            BinaryPrimitives.WriteUInt32BigEndian(id, transaction.Id);
            var ping = new KrpcQuery { Method = KrpcMethod.Ping, Transaction = id, Id = transaction.Sender, IsReadOnly = true };
            transmit = new Transmit(transaction.Node, ping.Write(buffer));
            transaction.OnSent(now);
            return true;
        }
        transmit = default;
        return false;
    }

    /// <summary>The next answer that counts.</summary>
    public bool TryDequeue([NotNullWhen(true)] out Reflection? reflection)
    {
        reflection = _reflections.TryDequeue(out var next) ? next : null;
        return reflection is not null;
    }

    // The id is random, for it is all that keeps somebody who cannot see the ping from forging its answer.
    private sealed class Transaction(uint id, NodeId sender, Endpoint node, UInt128 external, Timestamp now)
    {
        public uint Id { get; } = id;

        public NodeId Sender { get; } = sender;

        public Endpoint Node { get; } = node;

        public UInt128 External { get; } = external;

        public int Requests { get; private set; }

        /// <summary>A ping waits to be dequeued. Until it is, the deadline is in the past, so that nobody sleeps over it.</summary>
        public bool IsDue { get; set; } = true;

        public Timestamp Deadline { get; private set; } = now;

        public void OnSent(Timestamp now)
        {
            Deadline = now + (RetransmissionTimeout * (1 << Math.Min(Requests, 1)));
            Requests++;
            IsDue = false;
        }
    }
}
