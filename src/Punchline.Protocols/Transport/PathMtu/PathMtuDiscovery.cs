using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Transport.PathMtu;

/// <summary>
/// Finds the largest packet that a path carries (DPLPMTUD: RFC 8899 and RFC 9000 §14.3), beside the data and at its expense: a probe follows a
/// few full packets, so that its loss shows by theirs, and a connection that sends little never probes. Sizes are UDP payloads.
/// </summary>
/// <param name="largest">What the peer takes, and we make.</param>
internal sealed class PathMtuDiscovery(int largest)
{
    /// <summary>RFC 8899's BASE_PLPMTU, which every path in use carries (RFC 9000 §14).</summary>
    public const int BaseSize = 1_200;

    /// <summary>As far as it searches: jumbo frames of 9,000 bytes, less IPv6's 40 and UDP's 8.</summary>
    public const int MaxSize = 8_952;

    // RFC 8899 §5.1.2: MAX_PROBES.
    private const int MaxProbes = 3;

    // Full packets between two probes: at most an eighth more is sent while the search goes on.
    private const int PacketsPerProbe = 8;

    // The search ends where less is to be won: 20 bytes are 1.5 % of a packet.
    private const int Granularity = 20;

    // Round trips in which full packets are lost and none arrives, while smaller ones do: one may be chance, or a network that was away.
    private const int LossBurstsOfBlackHole = 3;

    // RFC 8899 §5.1.1: PMTU_RAISE_TIMER.
    private static readonly TimeSpan RaiseInterval = TimeSpan.FromSeconds(600);

    // 1,500 bytes of Ethernet less 20 of IPv4 and 8 of UDP.
    private const int LargestOfEthernet = 1_472;

    // The smallest size that is known, or taken, not to pass.
    private int _failed = largest + 1;
    private int _probesLost;
    private int _packetsSinceProbe;
    private bool _isProbeInFlight;
    private Timestamp _searchesFrom;
    private int _lossBursts;
    private ulong _largestConfirmed;
    private Timestamp _lossBurstAt;

    // What Ethernet carries over IPv6 (40 + 8 bytes of headers), over IPv4, and in jumbo frames.
    private static ReadOnlySpan<int> CommonSizes => [1_452, LargestOfEthernet, MaxSize];

    /// <summary>Bytes of a full packet.</summary>
    public int PacketSize { get; private set; } = BaseSize;

    /// <summary>Of a carrier that carries packets of any size: there is nothing to find.</summary>
    public static PathMtuDiscovery Fixed(int size) => new(size) { PacketSize = size, _searchesFrom = Timestamp.Never };

    /// <summary>A full packet of data was sent: more of them follow, or may.</summary>
    public void OnFullPacketSent() => _packetsSinceProbe++;

    /// <summary>Whether a probe is due, of what size. It counts as sent with <see cref="OnProbeSent"/>.</summary>
    public bool IsProbeDue(Timestamp now, out int size)
    {
        size = 0;
        if (_isProbeInFlight || _packetsSinceProbe < PacketsPerProbe || now < _searchesFrom) return false;
        size = NextSize();
        if (size == 0)
        {
            // Done; what failed may pass by then.
            _searchesFrom = now + RaiseInterval;
            _failed = largest + 1;
        }
        return size != 0;
    }

    public void OnProbeSent()
    {
        _isProbeInFlight = true;
        _packetsSinceProbe = 0;
    }

    public void OnProbeAcknowledged(int size)
    {
        _isProbeInFlight = false;
        _probesLost = 0;
        PacketSize = Math.Max(PacketSize, size);
    }

    public void OnProbeLost(int size)
    {
        _isProbeInFlight = false;
        if (++_probesLost < MaxProbes) return;
        _probesLost = 0;
        _failed = size;
    }

    /// <summary>A packet other than a probe arrived.</summary>
    public void OnAcknowledged(ulong number, int size)
    {
        if (size <= BaseSize) return;
        _largestConfirmed = Math.Max(_largestConfirmed, number);
        _lossBursts = 0;
    }

    /// <summary>A packet other than a probe was lost.</summary>
    /// <returns>True where the path has turned out to be a black hole (RFC 8899 §4.3), and packets have the base size again.</returns>
    public bool OnLost(ulong number, Timestamp sentAt, int size, Timestamp now)
    {
        // Those sent before a burst was noticed belong to it; those before one that arrived are ordinary losses.
        if (size <= BaseSize || PacketSize == BaseSize || number < _largestConfirmed || sentAt <= _lossBurstAt) return false;
        _lossBurstAt = now;
        if (++_lossBursts < LossBurstsOfBlackHole) return false;
        // The search starts anew, and finds what the path carries now.
        PacketSize = BaseSize;
        (_lossBursts, _probesLost, _packetsSinceProbe, _isProbeInFlight) = (0, 0, 0, false);
        _failed = largest + 1;
        _searchesFrom = default;
        return true;
    }

    // Sizes that are common first, from below; between two of Ethernet's by halves. 0 where nothing is left to try.
    private int NextSize()
    {
        foreach (var size in CommonSizes)
        {
            var candidate = Math.Min(size, largest);
            if (candidate > PacketSize && candidate < _failed) return candidate;
        }
        return _failed <= LargestOfEthernet && _failed - PacketSize > Granularity ? (PacketSize + _failed) / 2 : 0;
    }
}
