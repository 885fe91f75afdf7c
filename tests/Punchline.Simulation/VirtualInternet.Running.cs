using Punchline.Protocols.Primitives;
using Punchline.Simulation.Tracing;

namespace Punchline.Simulation;

/// <summary>Time: the queue of events, and the hosts' timers.</summary>
internal sealed partial class VirtualInternet
{
    /// <summary>Events in one simulation. A scenario of two peers takes about a thousand a virtual second.</summary>
    public const long MaxEvents = 20_000_000;

    /// <summary>Events that wait at once: packets and messages under way, timers, scripted actions.</summary>
    public const int MaxPendingEvents = 1_000_000;

    /// <summary>Datagrams that a port may send without any time passing: 64 MB at 1,000 bytes each, more than any window.</summary>
    public const int MaxTransmitsAtOnce = 65_536;

    /// <summary>Timeouts that a port may ask for without time passing: a core whose deadline never moves on is found here.</summary>
    public const int MaxTimeoutsAtOnce = 1_000;

    // RFC 768: a length field of 16 bits, less the headers of UDP and IPv4.
    private const int MaxDatagram = 65_507;

    private readonly PriorityQueue<Action, (long Ticks, long Order)> _events = new();
    private readonly byte[] _buffer = new byte[MaxDatagram];
    private long _order;

    public Timestamp Now { get; private set; }

    /// <summary>Events that ran so far.</summary>
    public long EventCount { get; private set; }

    /// <summary>Runs an action at a moment, at once if that is past. What it made any host want to send is sent right behind it.</summary>
    public void Schedule(Timestamp at, Action action) => Push(at, () =>
    {
        action();
        DrainAll();
    });

    /// <summary>As <see cref="Schedule"/>, for what only a machine of this name can have something to do with.</summary>
    internal void ScheduleAt(string machine, Timestamp at, Action action) => Push(at, () =>
    {
        action();
        if (_machines.Find(known => string.Equals(known.Name, machine, StringComparison.Ordinal)) is { } concerned) Drain(concerned);
        else DrainAll();
    });

    /// <summary>Runs until the condition holds, and answers true; or for the given time, and answers whether it holds then.</summary>
    /// <exception cref="SimulationLimitException">One of the named limits was reached.</exception>
    public bool RunUntil(Func<bool> condition, TimeSpan within)
    {
        var deadline = Now + within;
        DrainAll();
        while (!condition())
        {
            if (!_events.TryPeek(out _, out var due) || due.Ticks > deadline.Ticks)
            {
                Now = deadline;
                return condition();
            }
            if (++EventCount > MaxEvents) throw new SimulationLimitException($"More than {MaxEvents} events, at {Now}.");
            Now = new Timestamp(due.Ticks);
            _events.Dequeue()();
        }
        return true;
    }

    /// <summary>Runs for a time.</summary>
    public void RunFor(TimeSpan duration) => RunUntil(() => false, duration);

    private void Push(Timestamp at, Action action)
    {
        if (_events.Count == MaxPendingEvents) throw new SimulationLimitException($"More than {MaxPendingEvents} events wait, at {Now}.");
        // The order of pushing decides among events of one moment: the queue alone would not keep it.
        _events.Enqueue(action, (Timestamp.Max(at, Now).Ticks, _order++));
    }

    private void DrainAll()
    {
        foreach (var machine in _machines) Drain(machine);
    }

    // All ports of the machine: one core may have several, and input at one may want output at another.
    private void Drain(Machine machine)
    {
        for (var i = 0; i < machine.Sockets.Count; i++)
        {
            var socket = machine.Sockets[i];
            var sent = 0;
            while (socket.Host.TryDequeueTransmit(Now, _buffer, out var transmit))
            {
                if (++sent > MaxTransmitsAtOnce) throw new SimulationLimitException($"{machine.Name}:{socket.Port} sends without end, at {Now}.");
                if (socket.Host.SenderOf(transmit, socket) is { } sender) Send(sender, transmit, _buffer.AsSpan(0, transmit.Length));
            }
        }
        for (var i = 0; i < machine.Sockets.Count; i++) Arm(machine.Sockets[i]);
    }

    private void Arm(SimulatedSocket socket)
    {
        var next = socket.Host.NextTimeout;
        if (next == socket.Armed) return;
        socket.Armed = next;
        if (next != Timestamp.Never) Push(next, () => Wake(socket, next));
    }

    private void Wake(SimulatedSocket socket, Timestamp deadline)
    {
        if (socket.IsClosed || socket.Armed != deadline) return; // re-armed since: another event is queued
        socket.Armed = Timestamp.Never;
        socket.WakesAtThatInstant = socket.LastWake == Now ? socket.WakesAtThatInstant + 1 : 1;
        socket.LastWake = Now;
        if (socket.WakesAtThatInstant > MaxTimeoutsAtOnce)
        {
            throw new SimulationLimitException($"{socket.Machine.Name}:{socket.Port} asks for {deadline} again and again, at {Now}.");
        }
        if (socket.Host.NextTimeout <= Now) socket.Host.HandleTimeout(Now);
        Drain(socket.Machine);
    }

    private void Deliver(Machine machine, Packet packet)
    {
        if (packet.Tcp is { } header)
        {
            Record(machine.Name, Verdict.Delivered, packet);
            machine.Tcp.HandleSegment(packet, header);
            Drain(machine);
            return;
        }
        if (machine.FindSocket(packet.Destination.Port) is not { } socket)
        {
            Record(machine.Name, Verdict.NoListener, packet);
            return;
        }
        Record(machine.Name, Verdict.Delivered, packet);
        socket.Host.HandleDatagram(packet.Source, packet.Payload.Span, Now);
        Drain(machine);
    }
}

/// <summary>A simulation ran into one of its limits: a bug of the scenario or of the code that it drives.</summary>
internal sealed class SimulationLimitException(string message) : Exception(message);
