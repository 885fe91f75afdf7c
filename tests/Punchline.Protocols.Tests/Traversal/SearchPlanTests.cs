using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Tests.Traversal;

/// <summary>From two profiles to what one side does: the table.</summary>
public sealed class SearchPlanTests
{
    private static readonly NetworkProfile Cone = new() { Mapping = MappingBehavior.EndpointIndependent };
    private static readonly NetworkProfile Preserving = new() { Mapping = MappingBehavior.NotPortDependent, Allocation = PortAllocation.Preserved };
    private static readonly NetworkProfile Unclear = new() { Mapping = MappingBehavior.NotPortDependent, Allocation = PortAllocation.Random };
    private static readonly NetworkProfile Symmetric = new() { Mapping = MappingBehavior.AddressAndPortDependent };
    private static readonly NetworkProfile Drawing = Symmetric with { Allocation = PortAllocation.Random };
    private static readonly NetworkProfile ByAddress = Drawing with { Mapping = MappingBehavior.AddressDependent };
    private static readonly NetworkProfile Block = Drawing with { FirstPort = 30_000, LastPort = 31_023 };
    private static readonly NetworkProfile SmallBlock = Drawing with { FirstPort = 30_000, LastPort = 30_063 };
    private static readonly NetworkProfile Counting = Symmetric with { Allocation = PortAllocation.Sequential, Step = 1 };

    public static TheoryData<string, string> Table => new()
    {
        { "cone unknown", "None 0 0" },
        { "cone cone", "None 0 0" },
        { "cone drawing", "None 0 0" }, // it opens, we try
        { "unknown cone", "None 0 0" },
        { "preserving cone", "None 0 0" },
        { "symmetric cone", "None 0 0" }, // how it chooses is not known yet
        { "counting cone", "Bracket 4 50" },
        { "counting unknown", "Bracket 4 50" },
        { "drawing cone", "Birthday 256 400" },
        { "address preserving", "Birthday 256 400" },
        { "block cone", "Birthday 64 400" },
        { "small cone", "Birthday 32 400" }, // half of the block
        { "unclear cone", "Birthday 256 1000" },
        { "unclear drawing", "None 0 0" },
        { "counting counting", "Crossing 1 50" },
        { "counting drawing", "Hopeless 0 800" },
        { "drawing address", "Hopeless 0 800" },
        { "drawing symmetric", "None 0 0" }, // it will say
        { "block block", "Hopeless 0 800" },
        { "small small", "Blocks 1 400" },
        { "block drawing", "Hopeless 0 800" },
        { "block counting", "Hopeless 0 800" },
    };

    [Theory]
    [MemberData(nameof(Table))]
    public void What_one_side_does(string pair, string expected)
    {
        var names = pair.Split(' ');
        var plan = SearchPlan.Create(Named(names[0]), Named(names[1]));
        Assert.Equal(expected, $"{plan.Kind} {plan.Sockets} {plan.Delay.TotalMilliseconds}");
    }

    [Theory]
    [InlineData(64, 64, 32, 0.22)]
    [InlineData(512, 512, 256, 0.22)]
    [InlineData(512, 1024, 256, 0.12)]
    public void Half_of_two_blocks_meet_by_chance(int ports, int others, int packets, double chance)
    {
        var plan = SearchPlan.Create(BlockOf(ports), BlockOf(others));
        Assert.Equal(packets, plan.Packets);
        Assert.Equal(chance, plan.Chance, tolerance: 0.01);
    }

    [Fact]
    public void Blocks_too_large_for_luck_are_hopeless() => Assert.Equal(SearchKind.Hopeless, SearchPlan.Create(BlockOf(1024), BlockOf(1024)).Kind);

    private static NetworkProfile BlockOf(int ports) => Drawing with { FirstPort = 30_000, LastPort = (ushort)(30_000 + ports - 1) };

    private static NetworkProfile Named(string name) => name switch
    {
        "cone" => Cone,
        "preserving" => Preserving,
        "unclear" => Unclear,
        "symmetric" => Symmetric,
        "drawing" => Drawing,
        "address" => ByAddress,
        "block" => Block,
        "small" => SmallBlock,
        "counting" => Counting,
        _ => NetworkProfile.Unknown,
    };
}
