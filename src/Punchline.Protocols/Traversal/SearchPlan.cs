namespace Punchline.Protocols.Traversal;

/// <summary>How two peers get past a router that gives every destination another port.</summary>
internal enum SearchKind : byte
{
    /// <summary>Not by a search of ours: the plain punch does it, or the other side opens and we try its ports.</summary>
    None,

    /// <summary>
    /// Our router counts. Two STUN answers, one from before and one from behind our openers, have all of our ports between them.
    /// </summary>
    Bracket,

    /// <summary>Our router draws. Many sockets send openers, and the peer tries ports until it meets one of them.</summary>
    Birthday,

    /// <summary>Both routers count, and both sides send to where the other's ports should be, one of them in double steps.</summary>
    Crossing,

    /// <summary>Both routers draw, each from a small block, and both sides send to half of the other's: a matter of luck.</summary>
    Blocks,

    /// <summary>Both ports would have to be guessed at once.</summary>
    Hopeless,
}

/// <summary>What one side does beyond the plain punch: a pure function of both networks' profiles.</summary>
/// <param name="Kind">How.</param>
/// <param name="Sockets">Sockets that we open.</param>
/// <param name="Delay">From the attempt's start. The plain punch always goes first.</param>
internal readonly record struct SearchPlan(SearchKind Kind, int Sockets = 0, TimeSpan Delay = default)
{
    /// <summary>Packets, each a mapping of its own, where both routers draw from a block.</summary>
    public int Packets { get; init; }

    /// <summary>How likely the search is to succeed, from 0 to 1, where that is worth telling; else 1.</summary>
    public double Chance { get; init; } = 1;

    /// <summary>
    /// Sockets that send openers between two STUN requests. One would do, and a second if others' mappings come in between: of the
    /// ports in the bracket at most one in five is not ours, at 35 new mappings a second and 6 ms.
    /// </summary>
    public const int BracketSockets = 4;

    /// <summary>
    /// A router that draws from 64,512 ports: with 256 of ours open, each probe meets one with 256 / 64,512 = 0.4 %. The 1,250 of 12.5 s
    /// miss them all with (1 − 0.004)^1250 = 0.7 %, the 2,000 of 20 s with 0.04 %.
    /// </summary>
    public const int BirthdaySockets = 256;

    /// <summary>Fewer are not worth a search's time: 2,000 probes miss as many with (1 − 64 / 64,512)^2000 = 14 %.</summary>
    public const int EnoughSockets = BirthdaySockets / 4;

    /// <summary>In a block of 1,024: 64 of ours open, and 128 probes miss them all with (1 − 128 / 1,024)^64 = 0.02 %.</summary>
    public const int BlockSockets = 64;

    /// <summary>Less is hopeless.</summary>
    public const double MinChance = 0.1;

    /// <summary>A crossing sends all its packets from one.</summary>
    public const int CrossingSockets = 1;

    /// <summary>A bracket costs six mappings: nothing to wait long for.</summary>
    public static readonly TimeSpan BracketDelay = TimeSpan.FromMilliseconds(50);

    /// <summary>What meets plainly has met by then.</summary>
    public static readonly TimeSpan BirthdayDelay = TimeSpan.FromMilliseconds(400);

    /// <summary>Where it is not known that the router is symmetric (WIRE: unknown is taken as possibly symmetric after that).</summary>
    public static readonly TimeSpan UnknownDelay = TimeSpan.FromSeconds(1);

    /// <summary>What may fail is told then.</summary>
    public static readonly TimeSpan HopelessDelay = TimeSpan.FromMilliseconds(800);

    /// <summary>Ports that the easy side tries, a hundred a second (PROTOCOL §5).</summary>
    public const int Probes = 2_000;
    private const int ProbesPerSecond = 100;

    /// <summary>No more is promised of a search, however likely it is.</summary>
    public const double Sure = 0.999;

    /// <summary>How many of a search's attempts succeed within <see cref="TimeOf"/>. Where ports are counted, that is measured; where they are drawn, the arithmetic above.</summary>
    /// <param name="hard">The profile of the side that opens ports.</param>
    public double ChanceOf(NetworkProfile hard) => Kind switch
    {
        SearchKind.Bracket => 0.99,
        SearchKind.Crossing => 0.95,
        SearchKind.Blocks => Chance,
        SearchKind.Birthday => Math.Min(Sure, 1 - Math.Pow(1 - ((double)Sockets / hard.Ports), Probes - ProbesWhileOpening)),
        _ => 0,
    };

    /// <summary>What as many as <see cref="ChanceOf"/> says need, at short round trips.</summary>
    /// <param name="hard">The profile of the side that opens ports.</param>
    public TimeSpan TimeOf(NetworkProfile hard) => Kind switch
    {
        SearchKind.Bracket => TimeSpan.FromSeconds(1),
        SearchKind.Crossing => TimeSpan.FromSeconds(3),
        SearchKind.Blocks => Delay + TimeSpan.FromSeconds((double)Packets / ProbesPerSecond),
        SearchKind.Birthday => Delay + TimeSpan.FromSeconds((ProbesWhileOpening + (Math.Log(1 - ChanceOf(hard)) / Math.Log(1 - ((double)Sockets / hard.Ports)))) / ProbesPerSecond),
        _ => TimeSpan.Zero,
    };

    // Ports are opened as fast as they are tried: meanwhile half of the probes, on average, are for nothing.
    private double ProbesWhileOpening => Sockets / 2.0;

    /// <summary>Our part.</summary>
    /// <param name="local">Our network's profile.</param>
    /// <param name="remote">The peer's. Unknown counts as endpoint-independent, which most are: nothing is lost by trying.</param>
    public static SearchPlan Create(NetworkProfile local, NetworkProfile remote)
    {
        if (local.IsSymmetric && remote.IsSymmetric)
        {
            return (local.Allocation, remote.Allocation) switch
            {
                (PortAllocation.Sequential, PortAllocation.Sequential) => new(SearchKind.Crossing, CrossingSockets, BracketDelay),
                // How it chooses comes with the next word of that side.
                (PortAllocation.Unknown, _) or (_, PortAllocation.Unknown) => default,
                (PortAllocation.Random, PortAllocation.Random) when Blocks(local, remote) is { Chance: >= MinChance } blocks => blocks,
                _ => new(SearchKind.Hopeless, Delay: HopelessDelay),
            };
        }
        var mayBe = !local.IsSymmetric && local.MayBeSymmetric && !remote.IsSymmetric;
        if (!local.IsSymmetric && !mayBe) return default;
        return local.Allocation switch
        {
            PortAllocation.Sequential => new(SearchKind.Bracket, BracketSockets, mayBe ? UnknownDelay : BracketDelay),
            // Never more than half of a block.
            PortAllocation.Random => new(
                SearchKind.Birthday,
                local.Ports <= 2 * MappingObservations.MaxBlock ? Math.Min(BlockSockets, local.Ports / 2) : BirthdaySockets,
                mayBe ? UnknownDelay : BirthdayDelay),
            _ => default,
        };
    }

    // Each of our n packets goes to one port of the peer's b, from one of our own a that the router drew; each of its n likewise. One of ours and one
    // of its meet if each went to where the other came from, which is one pair in a b, and there are n n of them: once in two blocks of 512 with
    // 1 - e^(-256 256 / (512 512)) = 22 %. In two of 1,024 it would be 6 %, and 94 failures before it is told.
    private static SearchPlan Blocks(NetworkProfile local, NetworkProfile remote)
    {
        var packets = Math.Min(SearchBudget.MaxMappings, Math.Min(local.Ports, remote.Ports) / 2);
        var chance = 1 - Math.Exp(-(double)packets * packets / ((double)local.Ports * remote.Ports));
        return new(SearchKind.Blocks, 1, BirthdayDelay) { Packets = packets, Chance = chance };
    }
}
