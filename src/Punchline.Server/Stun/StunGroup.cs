using Punchline.Protocols.Stun;

namespace Punchline.Server.Stun;

/// <summary>The four sockets of a server after RFC 5780, in the order of <see cref="StunVantage"/>: each may answer for each other.</summary>
internal sealed class StunGroup(in StunVantage vantage, StunListener[] listeners)
{
    /// <summary>What its sockets hear of answers that were not let through; null: they cannot.</summary>
    public HeardRejections? Rejections { get; } = vantage.Rejections as HeardRejections;

    /// <summary>The endpoints as clients reach them, which may be others than the sockets'.</summary>
    public StunVantage Vantage { get; } = vantage;

    public StunListener this[int index] => listeners[index];

    public int IndexOf(StunListener listener) => Array.IndexOf(listeners, listener);
}
