using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Tests.Traversal;

public sealed class OwnRoutersTests
{
    // Routers on the way out, "-" for a silent one; what the gateway says; how many NATs, and whether there may be more.
    public static TheoryData<string, bool?, string> Ways => new()
    {
        { "", null, "1?" },
        { "192.168.1.1 198.51.100.1", null, "1" },
        { "203.0.113.1 198.51.100.1", null, "1" }, // no NAT at all
        { "192.168.1.1 100.64.0.1 198.51.100.1", null, "2" },
        { "192.168.1.1 - 100.64.0.1 198.51.100.1", null, "3" },
        { "192.168.1.1 - 198.51.100.1", null, "1" },
        { "192.168.1.1 10.0.0.1 100.64.0.1 198.51.100.1", null, "3" },
        { "192.168.1.1 10.0.0.1 10.1.0.1 10.2.0.1 10.3.0.1", null, "4" },
        { "192.168.1.1 10.0.0.1", null, "2?" },
        { "192.168.1.1 - - -", null, "1?" },
        { "", true, "2?" },
        { "192.168.1.1 - 198.51.100.1", true, "2" },
        { "192.168.1.1 10.0.0.1 198.51.100.1", false, "1" }, // a provider's private address, without a NAT
    };

    [Theory]
    [MemberData(nameof(Ways))]
    public void The_last_private_router_before_a_public_one_is_the_outermost_NAT(string way, bool? isBehindSecondNat, string expected)
    {
        var routers = way.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(router => router == "-" ? (Endpoint?)null : Endpoint.Parse(router + ":0"));
        var own = OwnRouters.Of([.. routers], isBehindSecondNat);
        Assert.Equal(expected, $"{own.Layers}{(own.IsCertain ? "" : "?")}");
    }

    [Theory]
    [InlineData(1, false, 0, 2)]
    [InlineData(1, false, 1, 3)]
    [InlineData(3, false, 0, 4)]
    [InlineData(4, false, 2, 6)]
    // Where it is certain that there are no more, the next router may be an accepting peer's.
    [InlineData(1, true, 0, 2)]
    [InlineData(1, true, 1, 2)]
    [InlineData(1, true, 2, 2)]
    [InlineData(2, true, 1, 3)]
    public void An_opener_dies_one_router_behind_ours_and_one_further_with_each_retry_that_needs_it(int layers, bool isCertain, int retry, byte expected) =>
        Assert.Equal(expected, PunchPlan.OpenerTimeToLiveOf(new OwnRouters(layers, isCertain), retry));
}
