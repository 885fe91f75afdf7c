using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Traversal;

/// <summary>
/// What a process may spend on searching ports, beside its <see cref="ProbeBudget"/>: one search at a time, for it is one router that has to
/// remember it all; 100 packets a second; 256 mappings in our router where we open ports, 2,000 sessions where we try them; then a pause of
/// a minute, in which routers forget.
/// </summary>
internal sealed class SearchBudget
{
    public const int PacketsPerSecond = 100;
    public const int MaxMappings = 256;
    public const int MaxProbes = 2_000;

    public static readonly TimeSpan Pause = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Before as much is spent again of which some was TCP's: the SYNs of a port that is held go on for the 30 s of a search, and Linux forgets one that nobody answered
    /// after 120 s (nf_conntrack_tcp_timeout_syn_sent), and a datagram after 30.
    /// </summary>
    public static readonly TimeSpan PauseOfTcp = TimeSpan.FromSeconds(150);

    private readonly Pacer _pacer = new(PacketsPerSecond, burst: 2);
    private object? _owner;
    private Timestamp _forgottenAt = Timestamp.Zero;
    private int _mappings;
    private int _probes;

    /// <summary>Mappings that searches made, in all.</summary>
    public ulong Mappings { get; private set; }

    /// <summary>Ports that were tried, in all: sessions, that share their mapping.</summary>
    public ulong Probes { get; private set; }

    /// <summary>A search is under way: our router's table is its own.</summary>
    public bool IsUnderWay => _owner is not null;

    /// <summary>No more before the pause is over.</summary>
    public bool IsMappingsExhausted => _mappings >= MaxMappings;

    /// <inheritdoc cref="IsMappingsExhausted"/>
    public bool IsProbesExhausted => _probes >= MaxProbes;

    /// <summary>Begins a search, if no other is under way and there is enough left to spend.</summary>
    /// <param name="owner">Whose it is.</param>
    /// <param name="now">The time.</param>
    /// <param name="mappings">Without as many it is not worth beginning.</param>
    public bool TryBegin(object owner, Timestamp now, int mappings = 1)
    {
        if (_owner is not null && _owner != owner) return false;
        if (now >= _forgottenAt) (_mappings, _probes) = (0, 0);
        if (_mappings + mappings > MaxMappings || _probes >= MaxProbes) return false;
        _owner = owner;
        return true;
    }

    /// <summary>The search under way is that one's.</summary>
    public bool IsOwnedBy(object owner) => _owner == owner;

    /// <summary>Ends it. By another than its owner it does nothing.</summary>
    public void End(object owner)
    {
        if (_owner == owner) _owner = null;
    }

    public Timestamp NextAllowed(Timestamp now) => _pacer.NextAllowed(now);

    /// <summary>Takes one new mapping in our own router.</summary>
    public bool TryTakeMapping(Timestamp now, Carrier carrier = Carrier.Udp)
    {
        if (IsMappingsExhausted || !_pacer.TryTake(now)) return false;
        NoteUse(now, carrier);
        _mappings++;
        Mappings++;
        return true;
    }

    /// <summary>Takes one more packet by a mapping that there is already, or should be.</summary>
    public bool TryTakeRepeat(Timestamp now)
    {
        if (!_pacer.TryTake(now)) return false;
        NoteUse(now, Carrier.Udp);
        return true;
    }

    /// <summary>When the next ports of a router that counts are nobody's: of two brackets at once each would have the other's ports between its own.</summary>
    public Timestamp NextPortsFreeAt { get; private set; }

    /// <summary>The next ports of a router that counts are somebody's until then.</summary>
    public void ReserveNextPorts(Timestamp until) => NextPortsFreeAt = Timestamp.Max(NextPortsFreeAt, until);

    /// <summary>A few mappings at once, of which nothing has to wait for the pace: those of a bracket or a crossing.</summary>
    public void TakeBurst(int mappings, Timestamp now, Carrier carrier = Carrier.Udp)
    {
        NoteUse(now, carrier);
        _mappings += mappings;
        Mappings += (ulong)mappings;
    }

    /// <summary>Takes one packet to another port of the peer's router.</summary>
    public bool TryTakeProbe(Timestamp now, Carrier carrier = Carrier.Udp)
    {
        if (IsProbesExhausted || !_pacer.TryTake(now)) return false;
        NoteUse(now, carrier);
        _probes++;
        Probes++;
        return true;
    }

    private void NoteUse(Timestamp now, Carrier carrier) => _forgottenAt = Timestamp.Max(_forgottenAt, now + (carrier == Carrier.Tcp ? PauseOfTcp : Pause));
}
