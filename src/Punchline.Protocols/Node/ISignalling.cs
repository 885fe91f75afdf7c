using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Node;

/// <summary>What carries the signals of calls: an inbox at a server, or the topic of an inbox in the DHT.</summary>
internal interface ISignalling
{
    /// <summary>A server has us, so its word on who is there counts.</summary>
    bool IsServed { get; }

    /// <summary>The server was reached on loopback.</summary>
    bool IsLoopback { get; }

    /// <summary>Bytes of a sealed signal, at most.</summary>
    int MaxSignalLength { get; }

    /// <summary>A sealed signal for the other side of a call; lost where there is no way to it just now.</summary>
    void Signal(PeerId to, ReadOnlySpan<byte> data);

    /// <summary>The number of an echo that comes when all that we said is dealt with; null where nobody says so.</summary>
    uint? RequestEcho();

    /// <summary>From where the other side's signals come; null where somebody passes them on.</summary>
    Endpoint? WhereIs(PeerId peer);

    /// <summary>Is heard of no more.</summary>
    void Leave(Timestamp now);
}
