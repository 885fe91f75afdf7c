using Punchline.Protocols.Node;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Tests.Traversal;

/// <summary>From two profiles to what one side does over TCP: the table.</summary>
public sealed class TcpSearchPlanTests
{
    private static readonly NetworkProfile Cone = new() { Mapping = MappingBehavior.EndpointIndependent, TcpMapping = MappingBehavior.EndpointIndependent };
    private static readonly NetworkProfile Symmetric = new() { Mapping = MappingBehavior.AddressAndPortDependent, TcpMapping = MappingBehavior.AddressAndPortDependent };
    private static readonly NetworkProfile Drawing = Symmetric with { Allocation = PortAllocation.Random };
    private static readonly NetworkProfile Block = Drawing with { FirstPort = 30_000, LastPort = 31_023 };
    private static readonly NetworkProfile Counting = Symmetric with { Allocation = PortAllocation.Sequential, Step = 1 };

    public static TheoryData<string, string> Table => new()
    {
        { "cone cone", "None 0 0" },
        { "cone drawing", "None 0 0" }, // it holds, we try
        { "unknown cone", "None 0 0" },
        { "counting cone", "Bracket 1 50" },
        { "counting unknown", "Bracket 1 50" }, // nobody without UDP knows more of its own
        { "drawing cone", "Birthday 256 400" },
        { "address cone", "Birthday 256 400" },
        { "block cone", "Birthday 64 400" },
        { "udponly cone", "Birthday 256 400" }, // how it maps TCP is not known, so as it maps UDP
        { "conetcp cone", "None 0 0" }, // known to map TCP otherwise
        { "symmetric cone", "None 0 0" }, // how it chooses is not known yet
        { "drawing drawing", "None 0 0" },
        { "counting counting", "None 0 0" },
    };

    [Theory]
    [MemberData(nameof(Table))]
    public void What_one_side_does(string pair, string expected)
    {
        var names = pair.Split(' ');
        var plan = TcpSearchPlan.Create(Named(names[0]), Named(names[1]));
        Assert.Equal(expected, $"{plan.Kind} {plan.Sockets} {plan.Delay.TotalMilliseconds}");
    }

    [Theory]
    [InlineData(20_003, 20_005, true, 20_004, 20_004)]
    [InlineData(20_003, 20_012, true, 20_004, 20_011)] // others came between, seven
    [InlineData(20_005, 20_003, true, 20_004, 20_004)] // it counts down
    [InlineData(20_003, 20_004, false, 0, 0)] // it does not count
    [InlineData(20_003, 20_013, false, 0, 0)] // too many, or drawn
    public void What_lies_between_two_ports_that_a_server_saw(int before, int behind, bool isBracket, int first, int last)
    {
        var (one, other) = (Endpoint.Parse($"198.51.100.1:{before}"), Endpoint.Parse($"198.51.100.1:{behind}"));
        Assert.Equal(isBracket, TcpBracketOpening.TryBracket(one, other, out var from, out var to));
        if (isBracket) Assert.Equal((first, last), (from, to));
        Assert.False(TcpBracketOpening.TryBracket(one, other with { Address = other.Address + 1 }, out _, out _));
    }

    private static NetworkProfile Named(string name) => name switch
    {
        "cone" => Cone,
        "counting" => Counting,
        "drawing" => Drawing,
        "address" => Drawing with { TcpMapping = MappingBehavior.AddressDependent },
        "block" => Block,
        "udponly" => Drawing with { TcpMapping = MappingBehavior.Unknown },
        "conetcp" => Drawing with { TcpMapping = MappingBehavior.EndpointIndependent },
        "symmetric" => Symmetric,
        _ => NetworkProfile.Unknown,
    };
}
