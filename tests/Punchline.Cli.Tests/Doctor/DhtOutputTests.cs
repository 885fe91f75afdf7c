using Punchline.Cli.Doctor;
using Punchline.Engine;
using Punchline.Protocols.Dht;
using Punchline.Protocols.Primitives;

namespace Punchline.Cli.Tests.Doctor;

/// <summary>What <c>doctor --dht</c> says, to programs to the letter, and to people within the width of a terminal.</summary>
public sealed class DhtOutputTests
{
    private static readonly NodeId Id = NodeId.Read(Enumerable.Range(0, NodeId.ByteLength).Select(i => (byte)i).ToArray());
    private static readonly Endpoint Seen = Endpoint.Parse("198.51.100.11:5000");

    private static readonly DhtReport Found = new(
        ["node.example:6881"],
        TimeSpan.FromMilliseconds(47),
        new DhtStatus(
            default,
            [new DhtNetworkView(IsIPv4: true, IsReachable: true, Id, 13, new ExternalView(Seen), 16), new DhtNetworkView(IsIPv4: false, IsReachable: false, Id, 0, null, 0)],
            IsReadOnly: true,
            null),
        [new DhtSearchOutcome(10, 9, 2, 0, 0, TimeSpan.FromMilliseconds(1_240))]);

    private static readonly DhtReport Silent = new(["node.example:6881", "other.example:6881"], null, Found.Status with { Networks = [new DhtNetworkView(true, true, Id, 0, null, 0)] }, []);

    [Fact]
    public void For_programs_it_is_a_line_of_its_own()
    {
        using var output = new StringWriter { NewLine = "\n" };
        new JsonDoctorOutput(output).ShowDht(Found);
        Assert.StartsWith(
            """{"event":"dht","ipv4":{"nodes":13,"id":"000102030405060708090a0b0c0d0e0f10111213","idOfAddress":false,"address":"198.51.100.11","port":5000,"votes":16},"ipv6":null,"answersQueries":false,"firstAnswerMs":47,"lookups":[{"elapsedMs":1240,"asked":10,"answered":9,"rounds":2}],"observers":["The nodes that are asked see""",
            output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_node_what_is_not_known_is_null()
    {
        using var output = new StringWriter { NewLine = "\n" };
        new JsonDoctorOutput(output).ShowDht(Silent);
        Assert.Contains(""" "idOfAddress":null,"address":null,"port":null,"votes":0},"ipv6":null,"answersQueries":false,"firstAnswerMs":null,"lookups":[],"""[1..], output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void For_people_it_says_how_the_nodes_see_this_machine_and_how_long_lookups_take()
    {
        var lines = Show(Found);
        Assert.Contains("  nodes      13 of IPv4, none of IPv6, in which this machine has no address", lines);
        Assert.Contains("  IPv4 seen  as 198.51.100.11:5000, by most of 16 nodes", lines);
        Assert.Contains("  first node answered within 47 ms", lines);
        Assert.Contains("  lookups    1.2 s (9 of 10 nodes, 2 rounds)", lines);
        Assert.Contains("  nodes      none answers: node.example:6881, other.example:6881", Show(Silent));
    }

    [Fact]
    public void A_port_for_each_node_is_told_with_what_that_means()
    {
        var symmetric = Found with { Status = Found.Status with { Networks = [Found.Status.Networks[0] with { External = new ExternalView(Seen.WithPort(0)) }] } };
        Assert.Contains("  IPv4 seen  as 198.51.100.11, at another port by each of 16 nodes: who has only", Show(symmetric));
    }

    [Fact]
    public void It_fits_into_80_columns()
    {
        foreach (var report in (DhtReport[])[Found, Silent, Found with { Lookups = [.. Enumerable.Repeat(Found.Lookups[0], DhtExamination.TimedLookups)] }])
            Assert.All(Show(report), line => Assert.InRange(line.Length, 0, 80));
    }

    private static string[] Show(DhtReport report)
    {
        using var output = new StringWriter { NewLine = "\n" };
        new PlainDoctorOutput(output, TextWriter.Null, canErase: false).ShowDht(report);
        return output.ToString().Split('\n');
    }
}
