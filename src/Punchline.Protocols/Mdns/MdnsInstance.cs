using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Mdns;

/// <summary>
/// One room as it is published: under a name that is nobody else's, which takes three probes to find out (RFC 6762 §8.1), and
/// then announced twice (§8.3).
/// </summary>
internal sealed class MdnsInstance(int room, byte[] key)
{
    private const int Probes = 3;
    private const int Announcements = 2;

    // RFC 6762 §8.1: "15 conflicts within any ten-second period": then at least five seconds between attempts.
    private const int MaxConflicts = 15;

    private static readonly TimeSpan MaxStartDelay = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan ProbeInterval = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan AnnounceInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ConflictPeriod = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan ConflictPause = TimeSpan.FromSeconds(5);

    private int _step;
    private int _conflicts;
    private Timestamp _conflictsSince;

    public int Room { get; } = room;

    public ReadOnlySpan<byte> Key => key;

    /// <summary>What it is called now.</summary>
    public MdnsNames Names { get; private set; } = MdnsNames.None;

    /// <summary>The bytes of its <see cref="RoomLabel"/>; empty before there is one.</summary>
    public ReadOnlyMemory<byte> Label { get; private set; }

    /// <summary>When the next probe or announcement is due.</summary>
    public Timestamp NextStep { get; private set; } = Timestamp.Never;

    /// <summary>The name is not known to be ours before the first announcement: nothing is answered for it.</summary>
    public bool IsProbing => _step <= Probes;

    /// <summary>Begins anew under another name.</summary>
    public void Start(IRandomSource random, Timestamp now)
    {
        var label = RoomLabel.Create(key, random);
        (Label, Names) = (label.Bytes, MdnsNames.Of(label.Text));
        _step = 0;
        // RFC 6762 §8.1: "a short random delay time, uniformly distributed in the range 0-250 ms".
        NextStep = now + (MaxStartDelay * random.NextDouble());
    }

    /// <summary>Somebody else has the name, or says so: another is taken.</summary>
    public void HandleConflict(IRandomSource random, Timestamp now)
    {
        if (now >= _conflictsSince + ConflictPeriod) (_conflicts, _conflictsSince) = (0, now);
        Start(random, ++_conflicts > MaxConflicts ? now + ConflictPause : now);
    }

    /// <summary>Nothing is sent before <see cref="Start"/>.</summary>
    public void Rest() => NextStep = Timestamp.Never;

    /// <summary>The step that is due: true for a probe, false for an announcement.</summary>
    public bool TakeStep(Timestamp now)
    {
        _step++;
        // RFC 6762 §8.1: the first announcement 250 ms behind the last probe, as that is behind the one before.
        NextStep = _step <= Probes ? now + ProbeInterval : _step < Probes + Announcements ? now + AnnounceInterval : Timestamp.Never;
        return _step <= Probes;
    }
}
