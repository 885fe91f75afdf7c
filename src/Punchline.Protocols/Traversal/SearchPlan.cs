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

    /// <summary>Both ports would have to be guessed at once.</summary>
    Hopeless,
}

/// <summary>What one side does beyond the plain punch: a pure function of both networks' profiles.</summary>
/// <param name="Kind">How.</param>
/// <param name="Sockets">Sockets that we open.</param>
/// <param name="Delay">From the attempt's start. The plain punch always goes first.</param>
internal readonly record struct SearchPlan(SearchKind Kind, int Sockets = 0, TimeSpan Delay = default)
{
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

    /// <summary>In a block of 1,024: 64 of ours open, and 128 probes miss them all with (1 − 128 / 1,024)^64 = 0.02 %.</summary>
    public const int BlockSockets = 64;

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

    /// <summary>
    /// What a search with half of both blocks would have: each of n ports here tries n of the other side's, and meets where both have guessed each other's. With n = N / 2 of N
    /// on either side these are N²/4 guesses that are right with 1/N² each, and 1 − e^(−1/4) is 22 %, whatever the blocks' sizes. So much of two carriers' ports for so little is not
    /// spent: null where a block is none.
    /// </summary>
    public static double? BlockChanceOf(NetworkProfile local, NetworkProfile remote) =>
        IsBlock(local) && IsBlock(remote) ? 1 - Math.Exp(-0.25) : null;

    private static bool IsBlock(NetworkProfile profile) => profile is { IsSymmetric: true, Allocation: PortAllocation.Random, Ports: <= 2 * MappingObservations.MaxBlock };

    /// <summary>Ports that the easy side tries, a hundred a second (PROTOCOL §5).</summary>
    public const int Probes = 2_000;
    private const int ProbesPerSecond = 100;

    /// <summary>How many of a search's attempts succeed. Where ports are counted, that is measured; where they are drawn, the arithmetic above.</summary>
    /// <param name="hard">The profile of the side that opens ports.</param>
    public double ChanceOf(NetworkProfile hard) => Kind switch
    {
        SearchKind.Bracket => 0.99,
        SearchKind.Crossing => 0.95,
        SearchKind.Birthday => 1 - Math.Pow(1 - ((double)Sockets / hard.Ports), Probes),
        _ => 0,
    };

    /// <summary>What 98 of 100 that succeed need.</summary>
    /// <param name="hard">The profile of the side that opens ports.</param>
    public TimeSpan TimeOf(NetworkProfile hard) => Kind switch
    {
        SearchKind.Bracket => TimeSpan.FromSeconds(1),
        SearchKind.Crossing => TimeSpan.FromSeconds(3),
        SearchKind.Birthday => Delay + TimeSpan.FromSeconds(Math.Min(Probes, Math.Log(0.02) / Math.Log(1 - ((double)Sockets / hard.Ports))) / ProbesPerSecond),
        _ => TimeSpan.Zero,
    };

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
}
