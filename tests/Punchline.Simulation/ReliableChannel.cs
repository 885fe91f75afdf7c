using Punchline.Protocols.Primitives;
using Punchline.Simulation.Tracing;

namespace Punchline.Simulation;

/// <summary>One party's end of a <see cref="ReliableChannel"/>.</summary>
internal sealed class ChannelEnd
{
    private readonly ReliableChannel _channel;

    internal ChannelEnd(ReliableChannel channel, string name)
    {
        _channel = channel;
        Name = name;
    }

    public string Name { get; }

    /// <summary>Called with each message of the other end, in order.</summary>
    public Action<ReadOnlyMemory<byte>>? Received { get; set; }

    /// <summary>Called once, when this end learns that the channel broke.</summary>
    public Action? Broken { get; set; }

    internal Timestamp LastArrival { get; set; }

    /// <summary>False when the channel is broken already.</summary>
    public bool Send(ReadOnlySpan<byte> message) => _channel.Send(this, message);

    /// <summary>Breaks the channel for both.</summary>
    public void Break() => _channel.Break();
}

/// <summary>
/// Messages between two parties, reliable and in order, until it breaks: what a WebSocket to the coordination server is to a
/// peer. It passes no router and loses nothing, so that what is simulated is the introduction and not TCP.
/// </summary>
internal sealed class ReliableChannel
{
    private readonly VirtualInternet _internet;

    internal ReliableChannel(VirtualInternet internet, string first, string second, TimeSpan delay)
    {
        _internet = internet;
        Delay = delay;
        First = new ChannelEnd(this, first);
        Second = new ChannelEnd(this, second);
    }

    public ChannelEnd First { get; }

    public ChannelEnd Second { get; }

    /// <summary>One way. A change does not reorder what is under way.</summary>
    public TimeSpan Delay { get; set; }

    public bool IsBroken { get; private set; }

    /// <summary>Messages under way are lost. Both ends learn of it after the delay.</summary>
    public void Break()
    {
        if (IsBroken) return;
        IsBroken = true;
        Record(Verdict.ChannelBroken, First, default);
        _internet.Schedule(_internet.Now + Delay, () =>
        {
            First.Broken?.Invoke();
            Second.Broken?.Invoke();
        });
    }

    internal bool Send(ChannelEnd from, ReadOnlySpan<byte> message)
    {
        if (IsBroken) return false;
        var to = from == First ? Second : First;
        var packet = Packet.Create(default, default, 0, message);
        Record(Verdict.MessageSent, from, packet);
        to.LastArrival = Timestamp.Max(_internet.Now + Delay, to.LastArrival);
        _internet.ScheduleAt(to.Name, to.LastArrival, () =>
        {
            if (IsBroken) return;
            Record(Verdict.MessageDelivered, to, packet);
            to.Received?.Invoke(packet.Payload);
        });
        return true;
    }

    private void Record(Verdict verdict, ChannelEnd at, Packet packet) =>
        _internet.Trace.Record(new(_internet.Now, at.Name, verdict, default, default, 0, packet.Payload, packet.Digest));
}
