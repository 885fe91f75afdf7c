using System.Diagnostics.CodeAnalysis;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Rooms;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Node;

/// <summary>Between one process of ours and one of a peer's: the sealed signals of a call, through an inbox at the server or in the DHT.</summary>
/// <param name="services">The node's.</param>
/// <param name="server">What carries them.</param>
/// <param name="self">What we say of ourselves once we do.</param>
/// <param name="keys">The call's.</param>
/// <param name="remote">The other side.</param>
/// <param name="pacer">Of all our signals on that entry, at half of what the server takes: no delay makes them more than that.</param>
internal sealed class CallLine(NodeServices services, ISignalling server, OwnIntroduction self, CallKeys keys, IntroducedPeer remote, Pacer pacer)
{
    private uint _lastSent;
    private uint _highestReceived;
    private Timestamp _updateAt = Timestamp.Never;

    public CallKeys Keys => keys;

    public IntroducedPeer Remote => remote;

    public Timestamp NextTimeout => _updateAt;

    /// <summary>A signal of the other side, each once. False for what is none.</summary>
    public bool TryOpen(ReadOnlySpan<byte> data, [NotNullWhen(true)] out CallSignal? signal)
    {
        if (!CallSignal.TryOpen(data, keys, remote.Id, services.Id, out signal) || signal.Number <= _highestReceived) return false;
        // Who sealed it is the peer; of another it has nothing to say here.
        if (signal.Introduction is { } introduction && introduction.Peer != remote) return false;
        _highestReceived = signal.Number;
        // Where it just spoke from both routers let us through, whatever it knows of its own address.
        if (signal.Introduction is { } known && server.WhereIs(remote.Id) is { } source) signal = signal with { Introduction = known.HeardFrom(source) };
        return true;
    }

    /// <summary>A ring, an answer or the end, which does not wait.</summary>
    public void Send(CallSignalType type, Timestamp now, CallRefusalCode refusal = default)
    {
        pacer.TryTake(now);
        var isIntroduction = type is CallSignalType.Ring or CallSignalType.Accept or CallSignalType.Update;
        var signal = new CallSignal(type, ++_lastSent) { Refusal = refusal, Introduction = isIntroduction ? self.Renew(server.IsLoopback) : null };
        var data = signal.Seal(keys, services.Id, remote.Id, services.Random);
        // Offers are for whom there is another way already: 30 candidates fit without them.
        if (data.Length > server.MaxSignalLength && signal.Introduction is { } whole)
            data = (signal with { Introduction = whole with { Offers = [] } }).Seal(keys, services.Id, remote.Id, services.Random);
        server.Signal(remote.Id, data);
        // Whatever candidates there are stand in it.
        if (isIntroduction) _updateAt = Timestamp.Never;
    }

    /// <summary>The same once more, in answer to something that may have been repeated in order to make us talk: only while there is room.</summary>
    public void SendAgain(CallSignalType type, Timestamp now, CallRefusalCode refusal = default)
    {
        if (pacer.NextAllowed(now) <= now) Send(type, now, refusal);
    }

    /// <summary>Our candidates changed: the other side hears of it as soon as the pace allows.</summary>
    public void Announce(Timestamp now)
    {
        _updateAt = pacer.NextAllowed(now);
        HandleTimeout(now);
    }

    public void HandleTimeout(Timestamp now)
    {
        if (now < _updateAt) return;
        _updateAt = pacer.NextAllowed(now);
        if (now >= _updateAt) Send(CallSignalType.Update, now);
    }
}
