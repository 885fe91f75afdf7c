using Punchline.Protocols.Dht;
using Punchline.Protocols.Primitives;

namespace Punchline.Simulation.Dht;

/// <summary>
/// Thousands of DHT nodes in virtual time, each at a public address of its own; packets take 20 to 80 ms or are lost. There is nothing else of an
/// internet: <see cref="VirtualInternet"/> has it, for hundreds of machines. Addresses begin behind the one given, 20.0.0.0 where none is.
/// </summary>
internal sealed class DhtSwarm(ulong seed, double loss = 0, uint firstAddress = 0x1400_0000)
{
    /// <summary>Members at once.</summary>
    public const int MaxMembers = 20_000;

    private const int Port = 6_881;
    private const int MinDelayMilliseconds = 20;
    private const int MaxDelayMilliseconds = 80;

    private readonly PriorityQueue<Event, (long Ticks, long Order)> _events = new();
    private readonly Dictionary<Endpoint, SwarmMember> _members = [];
    private readonly byte[] _buffer = new byte[2_048];
    private readonly SeededRandom _random = new(seed);
    private long _order;
    private uint _lastAddress = firstAddress;

    public Timestamp Now { get; private set; }

    /// <summary>Datagrams that arrived and timers that went off.</summary>
    public long EventCount { get; private set; }

    public IRandomSource Random => _random;

    /// <summary>Another source, which draws nothing from this one's.</summary>
    public IRandomSource NewRandom() => new SeededRandom(_random.NextUInt64());

    /// <summary>One of our nodes.</summary>
    public SwarmMember AddNode(bool isReadOnly = false)
    {
        var node = new DhtNode(NewRandom());
        node.SetReadOnly(isReadOnly, Now);
        return Add(_ => new SwarmNode(node), filters: isReadOnly);
    }

    /// <summary>Whatever else speaks KRPC.</summary>
    public SwarmMember Add(Func<Endpoint, ISimulatedHost> create, bool filters = false)
    {
        if (_members.Count == MaxMembers) throw new SimulationLimitException($"More than {MaxMembers} nodes.");
        // In steps of a prime, so that neighbours differ in all of the bytes that BEP 42 looks at.
        var address = Endpoint.FromIPv4(_lastAddress += 65_539, Port);
        var member = new SwarmMember(address, create(address), filters);
        _members.Add(member.Address, member);
        return member;
    }

    /// <summary>A node is gone without a word.</summary>
    public void Remove(SwarmMember member) => _members.Remove(member.Address);

    /// <summary>Sends what came of a command on a member, and sets its timer.</summary>
    public void Drain(SwarmMember member)
    {
        while (member.Host.TryDequeueTransmit(Now, _buffer, out var transmit))
        {
            member.CountSent(transmit.Destination, transmit.Length, Now);
            if (_random.NextDouble() < loss) continue;
            var delay = MinDelayMilliseconds + _random.NextInt32(MaxDelayMilliseconds - MinDelayMilliseconds);
            Push(Now + TimeSpan.FromMilliseconds(delay), new Event(transmit.Destination, member.Address, _buffer[..transmit.Length]));
        }
        var next = Timestamp.Max(member.Host.NextTimeout, Now);
        if (next == member.Armed) return;
        member.Armed = next;
        if (next != Timestamp.Never) Push(next, new Event(member.Address, default, null));
    }

    /// <summary>Runs until the condition holds, and answers true; or for the given time, and answers whether it holds then.</summary>
    public bool RunUntil(Func<bool> condition, TimeSpan within)
    {
        var end = Now + within;
        while (!condition())
        {
            if (!_events.TryPeek(out _, out var due) || due.Ticks > end.Ticks)
            {
                Now = end;
                return condition();
            }
            if (++EventCount > VirtualInternet.MaxEvents) throw new SimulationLimitException($"More than {VirtualInternet.MaxEvents} events, at {Now}.");
            Now = new Timestamp(due.Ticks);
            Handle(_events.Dequeue());
        }
        return true;
    }

    public void RunFor(TimeSpan duration) => RunUntil(() => false, duration);

    private void Handle(in Event next)
    {
        if (!_members.TryGetValue(next.Member, out var member)) return;
        if (next.Payload is { } payload)
        {
            if (!member.Admits(next.Source, Now)) return;
            member.Host.HandleDatagram(next.Source, payload, Now);
        }
        else
        {
            if (member.Armed != Now) return; // set anew meanwhile: another event is queued
            member.Armed = Timestamp.Never;
            if (member.Host.NextTimeout <= Now) member.Host.HandleTimeout(Now);
        }
        Drain(member);
    }

    private void Push(Timestamp at, Event next) => _events.Enqueue(next, (at.Ticks, _order++));

    // A datagram that arrives; without a payload, a timer.
    private readonly record struct Event(Endpoint Member, Endpoint Source, byte[]? Payload);
}
