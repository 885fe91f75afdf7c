using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;
using Punchline.Simulation;

namespace Punchline.Protocols.Tests.Traversal;

public sealed class MappingObservationsTests
{
    private static readonly Endpoint Server = Endpoint.Parse("203.0.113.10:8080");
    private static readonly Endpoint OtherPort = Endpoint.Parse("203.0.113.10:8081");
    private static readonly Endpoint OtherAddress = Endpoint.Parse("203.0.113.11:8080");
    private static readonly Endpoint Router = Endpoint.Parse("198.51.100.1:5000");

    [Theory] // RFC 4787 §4.1, and unknown is not no: with one server address only the port's part can be known
    [InlineData(nameof(MappingBehavior.Unknown), 5000, -1, -1)]
    [InlineData(nameof(MappingBehavior.NotPortDependent), 5000, 5000, -1)]
    [InlineData(nameof(MappingBehavior.AddressAndPortDependent), 5000, 5001, -1)]
    [InlineData(nameof(MappingBehavior.EndpointIndependent), 5000, 5000, 5000)]
    [InlineData(nameof(MappingBehavior.EndpointIndependent), 5000, -1, 5000)]
    [InlineData(nameof(MappingBehavior.AddressDependent), 5000, 5000, 5001)]
    [InlineData(nameof(MappingBehavior.AddressAndPortDependent), 5000, 5001, 5002)]
    public void Mapping_is_told_by_what_differs(string expected, int atServer, int atOtherPort, int atOtherAddress)
    {
        var seen = new List<MappingObservation>();
        foreach (var (server, port) in new[] { (Server, atServer), (OtherPort, atOtherPort), (OtherAddress, atOtherAddress) })
        {
            if (port > 0) seen.Add(new MappingObservation(server, 40_000, Router.WithPort((ushort)port)));
        }
        Assert.Equal(Enum.Parse<MappingBehavior>(expected), MappingObservations.ClassifyMapping(seen));
    }

    [Theory]
    [InlineData("Unknown 0")]
    [InlineData("Unknown 0", 5000, 5001)] // two say nothing
    [InlineData("Sequential 1", 5000, 5001, 5002, 5003, 5004)]
    [InlineData("Sequential 2", 5000, 5002, 5004, 5006, 5008)]
    [InlineData("Sequential -1", 5000, 4999, 4998, 4997, 4996)]
    [InlineData("Sequential 1", 5000, 5001, 5003, 5004, 5005)] // another host's in between
    [InlineData("Sequential 1", 23998, 23999, 20000, 20001, 20002, 20003)] // it began anew
    [InlineData("Sequential 1", 5000, 5000, 5001, 5001, 5002, 5002, 5003)] // both ports of a server see one mapping
    [InlineData("Random 0", 5000, 61000, 33000, 1500, 27000, 8000)]
    [InlineData("Random 0", 30400, 30010, 30300, 30150, 30480)] // five are not enough for a block
    public void Allocation_is_told_by_the_steps(string expected, params int[] ports)
    {
        var profile = Classify(ports);
        Assert.Equal(expected, $"{profile.Allocation} {profile.Step}");
        Assert.Equal((1024, 65_535), (profile.FirstPort, profile.LastPort));
    }

    [Theory] // one of them lies; of each socket two ask, by turns
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(12)]
    public void One_who_lies_does_not_hide_that_a_router_counts(int nodes)
    {
        for (var liar = 0; liar < nodes; liar++)
        {
            var random = new SeededRandom((ulong)liar);
            var seen = Enumerable.Range(0, 12).Select(i => new MappingObservation(
                Server.WithPort((ushort)(7_000 + (i % nodes))), 40_000, Router.WithPort((ushort)(i % nodes == liar ? 1_024 + random.NextInt32(60_000) : 20_000 + i))));
            var profile = MappingObservations.ClassifyAllocation(MappingBehavior.AddressDependent, [.. seen]);
            Assert.Equal((PortAllocation.Sequential, 1), (profile.Allocation, profile.Step));
        }
    }

    // Whichever of them is left out: of 12 samples of a router that draws, no 8 are in order.
    [Fact]
    public void None_who_is_left_out_makes_a_router_that_draws_seem_to_count()
    {
        var random = new SeededRandom(1);
        for (var run = 0; run < 1_000; run++)
        {
            var seen = Enumerable.Range(0, 12).Select(i => new MappingObservation(Server.WithPort((ushort)(7_000 + (i % 3))), 40_000, Router.WithPort((ushort)(1_024 + random.NextInt32(64_512)))));
            Assert.Equal(PortAllocation.Random, MappingObservations.ClassifyAllocation(MappingBehavior.AddressDependent, [.. seen]).Allocation);
        }
    }

    [Fact]
    public void Ports_that_are_the_internal_ones_are_preserved() =>
        Assert.Equal(PortAllocation.Preserved, MappingObservations.ClassifyAllocation(MappingBehavior.NotPortDependent, [new(Server, 5000, Router), new(OtherPort, 5000, Router)]).Allocation);

    // Of 1,000 blocks of 1,024 ports, each seen by 12 samples: what is taken for the block has at least 99 % of it, nearly always.
    [Fact]
    public void A_block_is_known_by_a_dozen_samples()
    {
        var random = new SeededRandom(1);
        var (whole, ports) = (0, 0L);
        for (var run = 0; run < 1_000; run++)
        {
            int[] samples = [.. Enumerable.Range(0, 12).Select(_ => 30_000 + random.NextInt32(1_024))];
            var profile = Classify(samples);
            Assert.Equal(PortAllocation.Random, profile.Allocation);
            Assert.True(profile.Ports < MappingObservations.MaxBlock);
            if (profile.FirstPort <= 30_005 && profile.LastPort >= 31_018) whole++;
            ports += profile.Ports;
        }
        Assert.InRange(whole, 700, 1_000);
        Assert.InRange(ports / 1_000, 1_024, 1_300);
    }

    private static NetworkProfile Classify(int[] ports) => MappingObservations.ClassifyAllocation(
        MappingBehavior.AddressAndPortDependent, [.. ports.Select(port => new MappingObservation(Server, 40_000, Router.WithPort((ushort)port)))]);
}
