using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.PortMapping;

/// <summary>
/// The clock that a gateway sends with every answer, which starts anew when the gateway has forgotten its mappings
/// (RFC 6887 §8.5, RFC 6886 §3.6).
/// </summary>
internal struct GatewayEpoch
{
    private (uint Server, Timestamp Client)? _previous;

    /// <summary>Takes note of an answer's epoch, and says whether the gateway has forgotten what it had before.</summary>
    public bool HasRestarted(uint seconds, Timestamp now)
    {
        var restarted = _previous is { } previous && IsBroken(previous, seconds, now);
        _previous = (seconds, now);
        return restarted;
    }

    private static bool IsBroken((uint Server, Timestamp Client) previous, uint seconds, Timestamp now)
    {
        // RFC 6887 §8.5: it may be one second less, for answers are reordered; else the two clocks may differ by a sixteenth and 2 s.
        if (seconds < previous.Server) return previous.Server - seconds > 1;
        var server = (double)seconds - previous.Server;
        var client = Math.Floor((now - previous.Client).TotalSeconds);
        return client + 2 < server - (server / 16) || server + 2 < client - (client / 16);
    }
}
