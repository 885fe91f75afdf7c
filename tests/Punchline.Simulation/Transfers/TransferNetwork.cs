using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport;
using Punchline.Simulation.Tracing;

namespace Punchline.Simulation.Transfers;

/// <summary>
/// Two places with one link each way between them, and the transfers that share it. Nothing else is simulated, so that a
/// thousand runs take seconds. All chance comes from the seed.
/// </summary>
internal sealed class TransferNetwork : IDisposable
{
    /// <summary>Rounds of the loop in one run: a transfer of 1 MB takes about three thousand.</summary>
    public const int MaxSteps = 20_000_000;

    // RFC 791 §3.1, RFC 768: headers of IPv4 and UDP.
    private const int HeaderBytes = 28;

    private readonly PriorityQueue<(Connection To, Endpoint Source, byte[] Bytes), (long Ticks, long Order)> _flying = new();
    private readonly List<Transfer> _transfers = [];
    private readonly byte[] _buffer = new byte[65_507];
    private readonly SeededRandom _random;
    private long _order;
    private int _steps;

    public TransferNetwork(ulong seed, LinkConditions there, LinkConditions back)
    {
        _random = new SeededRandom(seed);
        There = new Link("there", there, new SeededRandom(_random.NextUInt64()));
        Back = new Link("back", back, new SeededRandom(_random.NextUInt64()));
    }

    public Timestamp Now { get; private set; } = Timestamp.FromMilliseconds(1_000);

    /// <summary>Data's way.</summary>
    public Link There { get; }

    /// <summary>The acknowledgements' way.</summary>
    public Link Back { get; }

    /// <summary>Bytes with headers that entered the link there, also those that it lost.</summary>
    public long BytesOffered { get; private set; }

    /// <summary>Packets that found the queue there full.</summary>
    public int QueueDrops { get; private set; }

    public Transfer Add(long bytes, TimeSpan startsIn = default, TransportParameters? parameters = null)
    {
        var roundTrip = There.Conditions.Delay + Back.Conditions.Delay;
        var transfer = new Transfer(_transfers.Count, bytes, roundTrip, _random, Now + startsIn, parameters ?? TransportParameters.Default);
        _transfers.Add(transfer);
        return transfer;
    }

    /// <summary>Runs until the condition holds, and answers true; or for the given time, and answers whether it holds then.</summary>
    /// <exception cref="SimulationLimitException">A connection never comes to rest.</exception>
    public bool RunUntil(Func<bool> condition, TimeSpan within)
    {
        var end = Now + within;
        while (true)
        {
            foreach (var transfer in _transfers) Drain(transfer);
            if (condition()) return true;
            var next = Next();
            if (next > end)
            {
                Now = end;
                return condition();
            }
            if (++_steps > MaxSteps) throw new SimulationLimitException($"More than {MaxSteps} steps, at {Now}.");
            Now = Timestamp.Max(Now, next);
            Deliver();
            foreach (var transfer in _transfers)
            {
                if (transfer.Sender.NextTimeout <= Now) transfer.Sender.HandleTimeout(Now);
                if (transfer.Receiver.NextTimeout <= Now) transfer.Receiver.HandleTimeout(Now);
            }
        }
    }

    public void RunFor(TimeSpan duration) => RunUntil(() => false, duration);

    public void Dispose() => _transfers.ForEach(transfer => transfer.Dispose());

    private Timestamp Next()
    {
        var next = _flying.TryPeek(out _, out var first) ? new Timestamp(first.Ticks) : Timestamp.Never;
        foreach (var transfer in _transfers)
        {
            next = Timestamp.Min(next, transfer.StartsAt > Now ? transfer.StartsAt : Timestamp.Min(transfer.Sender.NextTimeout, transfer.Receiver.NextTimeout));
        }
        return next;
    }

    private void Deliver()
    {
        while (_flying.TryPeek(out var packet, out var due) && due.Ticks <= Now.Ticks)
        {
            _flying.Dequeue();
            packet.To.HandleDatagram(packet.Source, packet.Bytes, Now);
        }
    }

    private void Drain(Transfer transfer)
    {
        transfer.Pump(Now);
        Drain(transfer.Sender, transfer.Receiver, transfer.SenderAddress, There);
        Drain(transfer.Receiver, transfer.Sender, transfer.ReceiverAddress, Back);
    }

    private void Drain(Connection from, Connection to, Endpoint source, Link link)
    {
        while (from.TryDequeueTransmit(Now, _buffer, out var transmit))
        {
            var size = transmit.Length + HeaderBytes;
            var outcome = link.Offer(size, Now);
            if (link == There) BytesOffered += size;
            if (link == There && outcome.Dropped == Verdict.QueueFull) QueueDrops++;
            if (outcome.Dropped is not null) continue;
            var bytes = _buffer[..transmit.Length];
            if (outcome.FlippedBit is { } bit) Link.Flip(bytes, bit);
            _flying.Enqueue((to, source, bytes), (outcome.Arrival.Ticks, _order++));
            if (outcome.DuplicateArrival is { } second) _flying.Enqueue((to, source, bytes), (second.Ticks, _order++));
        }
    }
}
