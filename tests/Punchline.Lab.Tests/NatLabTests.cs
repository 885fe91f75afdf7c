using System.Diagnostics;
using System.Net;
using Punchline.Cli.Lab;
using Punchline.Lab.Tests.Harness;

namespace Punchline.Lab.Tests;

/// <summary>The lab itself: each kind of NAT maps and filters as its name says. Everything else that is tested in labs rests on this.</summary>
public sealed class NatLabTests
{
    private const int Port = 5000;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string> KindsKeepingPorts => ["port-restricted", "accepting", "rejecting", "address-restricted", "full cone"];

    [Theory]
    [MemberData(nameof(KindsKeepingPorts))]
    public async Task Mapping_keeps_the_port_for_every_destination(string kind)
    {
        await using var lab = await UpAsync(Nat(kind));
        using var host = LabSocket.Open(lab, "a1", Port);
        using var server = LabSocket.Open(lab, "s1");
        using var stranger = LabSocket.Open(lab, "s2");

        Assert.Equal(Outside(lab, Port), host.MappingSeenBy(server));
        Assert.Equal(Outside(lab, Port), host.MappingSeenBy(stranger));
    }

    [Fact]
    public async Task Cone_with_random_port_has_one_mapping_for_every_destination()
    {
        await using var lab = await UpAsync(LabNat.PortRestrictedRandomPort);
        using var host = LabSocket.Open(lab, "a1", Port);
        using var server = LabSocket.Open(lab, "s1");
        using var stranger = LabSocket.Open(lab, "s2");

        var mapping = host.MappingSeenBy(server);

        Assert.Equal(lab.AddressOf("a-gw"), mapping.Address);
        Assert.NotEqual(Port, mapping.Port);
        Assert.Equal(mapping, host.MappingSeenBy(stranger));
    }

    [Fact]
    public async Task Symmetric_has_another_mapping_for_every_destination()
    {
        await using var lab = await UpAsync(LabNat.Symmetric);
        using var host = LabSocket.Open(lab, "a1", Port);
        HashSet<int> ports = [];
        foreach (var port in Enumerable.Range(7000, 8))
        {
            using var server = LabSocket.Open(lab, "s1", port);
            ports.Add(host.MappingSeenBy(server).Port);
        }

        // Eight random ports out of 64,000: two of them are equal once in 2,300 runs, three not in a million.
        Assert.InRange(ports.Count, 7, 8);
        Assert.DoesNotContain(Port, ports);
    }

    [Fact]
    public async Task Symmetric_in_sequence_has_the_next_port_for_every_destination()
    {
        await using var lab = await UpAsync(LabNat.SymmetricSequential);
        using var host = LabSocket.Open(lab, "a1", Port);
        List<int> ports = [];
        foreach (var port in Enumerable.Range(7000, 8))
        {
            using var server = LabSocket.Open(lab, "s1", port);
            ports.Add(host.MappingSeenBy(server).Port);
        }
        Assert.Equal(Enumerable.Range(ports[0], 8), ports);
    }

    [Fact]
    public async Task Open_site_has_public_addresses_and_lets_everybody_in()
    {
        await using var lab = await UpAsync(LabNat.Open);
        using var host = LabSocket.Open(lab, "a1", Port);
        using var server = LabSocket.Open(lab, "s1");

        server.Send("first", host.Local);

        Assert.Equal(("first", server.Local), host.Receive());
        Assert.Equal(host.Local, host.MappingSeenBy(server));
    }

    [Fact]
    public async Task Full_cone_lets_strangers_in_and_answers_them_from_the_mapping()
    {
        await using var lab = await UpAsync(LabNat.FullCone);
        using var host = LabSocket.Open(lab, "a1", Port);
        using var server = LabSocket.Open(lab, "s1");
        using var stranger = LabSocket.Open(lab, "s2");
        var mapping = host.MappingSeenBy(server);

        stranger.Send("hello", mapping);

        Assert.Equal(("hello", stranger.Local), host.Receive());
        Assert.Equal(mapping, host.MappingSeenBy(stranger));
    }

    [Fact]
    public async Task Address_restricted_lets_in_every_port_of_an_address_that_was_sent_to_and_no_other_address()
    {
        await using var lab = await UpAsync(LabNat.AddressRestricted);
        using var host = LabSocket.Open(lab, "a1", Port);
        using var server = LabSocket.Open(lab, "s1", 7000);
        using var otherPort = LabSocket.Open(lab, "s1", 7001);
        using var stranger = LabSocket.Open(lab, "s2", 7000);
        var mapping = host.MappingSeenBy(server);

        stranger.Send("from another address", mapping);
        otherPort.Send("from another port", mapping);

        Assert.Equal(("from another port", otherPort.Local), host.Receive());
        Assert.Equal(mapping, host.MappingSeenBy(stranger));
        stranger.Send("allowed now", mapping);
        Assert.Equal(("allowed now", stranger.Local), host.Receive());
    }

    public static TheoryData<string> KindsFilteringByPort => ["firewall", "port-restricted", "accepting", "rejecting", "random port", "symmetric"];

    [Theory]
    [MemberData(nameof(KindsFilteringByPort))]
    public async Task Filtering_lets_in_only_the_endpoint_that_was_sent_to(string kind)
    {
        await using var lab = await UpAsync(Nat(kind));
        using var host = LabSocket.Open(lab, "a1", Port);
        using var server = LabSocket.Open(lab, "s1", 7000);
        using var samePortElsewhere = LabSocket.Open(lab, "s2", 7000);
        using var otherPort = LabSocket.Open(lab, "s1", 7001);
        var mapping = host.MappingSeenBy(server);

        samePortElsewhere.Send("from another address", mapping);
        otherPort.Send("from another port", mapping);
        server.Send("allowed", mapping);

        Assert.Equal(("allowed", server.Local), host.Receive());
        server.Send("allowed again", mapping);
        Assert.Equal("allowed again", host.Receive().Text); // what was let in out of order would be here
    }

    /// <summary>The trap for naive punching: an early probe moves the port that the peer's own flow would have had.</summary>
    [Fact]
    public async Task A_router_that_accepts_unsolicited_packets_moves_the_port_of_its_own_hosts_flow()
    {
        await using var lab = await UpAsync(LabNat.PortRestrictedAccepting);
        using var host = LabSocket.Open(lab, "a1", Port);
        using var prober = LabSocket.Open(lab, "s1");
        using var bystander = LabSocket.Open(lab, "s2");

        Assert.Equal(Outside(lab, Port), host.MappingSeenBy(bystander));
        prober.Send("too early", Outside(lab, Port));
        var mapping = host.MappingSeenBy(prober);

        Assert.Equal(lab.AddressOf("a-gw"), mapping.Address);
        Assert.NotEqual(Port, mapping.Port);
    }

    [Theory]
    [InlineData("port-restricted")]
    [InlineData("rejecting")]
    public async Task A_router_that_drops_or_rejects_unsolicited_packets_keeps_the_port(string kind)
    {
        await using var lab = await UpAsync(Nat(kind));
        using var host = LabSocket.Open(lab, "a1", Port);
        using var prober = LabSocket.Open(lab, "s1");

        prober.Send("too early", Outside(lab, Port));

        Assert.Equal(Outside(lab, Port), host.MappingSeenBy(prober));
    }

    /// <summary>And its cure. From host to host a packet passes gateway, wan, gateway: one with a TTL of 2 dies in wan.</summary>
    [Theory]
    [InlineData(2, false)]
    [InlineData(3, true)]
    public async Task A_probe_moves_the_port_only_if_it_reaches_the_peers_router(short ttl, bool moves)
    {
        LabRequirement.Check();
        await using var lab = await NatLab.UpAsync([new("a", LabNat.PortRestrictedAccepting), new("b", LabNat.Open)], Cancellation);
        using var a = LabSocket.Open(lab, "a1", Port);
        using var b = LabSocket.Open(lab, "b1", Port);

        b.Ttl = ttl;
        b.Send("probe", Outside(lab, Port));

        Assert.Equal(moves, a.MappingSeenBy(b).Port != Port);
    }

    [Fact]
    public async Task Two_routers_that_accept_unsolicited_packets_are_punched_by_a_probe_that_dies_between_them()
    {
        LabRequirement.Check();
        await using var lab = await NatLab.UpAsync(
            [new("a", LabNat.PortRestrictedAccepting), new("b", LabNat.PortRestrictedAccepting)], Cancellation);
        using var a = LabSocket.Open(lab, "a1", Port);
        using var b = LabSocket.Open(lab, "b1", Port);
        IPEndPoint outsideA = Outside(lab, Port), outsideB = new(lab.AddressOf("b-gw"), Port);

        b.Ttl = 2;
        b.Send("opens b's own router", outsideA);
        a.Send("a to b", outsideB);
        Assert.Equal(("a to b", outsideA), b.Receive());

        b.Ttl = 64;
        b.Send("b to a", outsideA);
        Assert.Equal(("b to a", outsideB), a.Receive());
    }

    [Fact]
    public async Task Two_hosts_of_a_full_cone_with_the_same_port_have_mappings_of_their_own()
    {
        LabRequirement.Check();
        await using var lab = await NatLab.UpAsync([new("a", LabNat.FullCone) { Hosts = 2 }], Cancellation);
        using var first = LabSocket.Open(lab, "a1", Port);
        using var second = LabSocket.Open(lab, "a2", Port);
        using var server = LabSocket.Open(lab, "s1");
        using var stranger = LabSocket.Open(lab, "s2");

        var mappings = (First: first.MappingSeenBy(server), Second: second.MappingSeenBy(server));
        stranger.Send("for the first", mappings.First);
        stranger.Send("for the second", mappings.Second);

        Assert.NotEqual(mappings.First, mappings.Second);
        Assert.Equal("for the first", first.Receive().Text);
        Assert.Equal("for the second", second.Receive().Text);
    }

    [Fact]
    public async Task Carrier_translates_what_the_sites_router_has_translated()
    {
        LabRequirement.Check();
        await using var lab = await NatLab.UpAsync([new("a", LabNat.PortRestricted) { Carrier = LabNat.Symmetric }], Cancellation);
        using var host = LabSocket.Open(lab, "a1", Port);
        using var server = LabSocket.Open(lab, "s1");

        var mapping = host.MappingSeenBy(server);
        server.Send("answer", mapping);

        Assert.Equal(lab.AddressOf("a-isp"), mapping.Address);
        Assert.NotEqual(Port, mapping.Port);
        Assert.Equal(("answer", server.Local), host.Receive());
        Assert.Equal("100.64.1.2", lab.AddressOf("a-gw").ToString());
    }

    [Fact]
    public async Task Loss_takes_its_share_of_the_packets()
    {
        LabRequirement.Check();
        await using var lab = await NatLab.UpAsync([new("a", LabNat.PortRestricted) { LossPercent = 20 }], Cancellation);
        using var host = LabSocket.Open(lab, "a1");
        using var server = LabSocket.Open(lab, "s1");
        const int Rounds = 25, Sent = 200, Ends = 20;

        // In rounds: a burst of thousands would fill the kernel's queues on a busy machine.
        var received = 0;
        for (var round = 0; round < Rounds; round++)
        {
            for (var i = 0; i < Sent; i++)
                host.Send("data", server.Local);
            var end = $"end {round}";
            for (var i = 0; i < Ends; i++) // all twenty are lost once in 10^14 rounds
                host.Send(end, server.Local);
            while (server.Receive().Text is var text && !string.Equals(text, end, StringComparison.Ordinal))
                received += text is "data" ? 1 : 0;
        }

        // 80 % of 5000 is 4000, with a standard deviation of sqrt(5000 * 0.2 * 0.8) = 28: seven of them either way.
        Assert.InRange(received, 3800, 4200);
    }

    [Fact]
    public async Task A_process_runs_in_its_node_and_reports_its_end()
    {
        await using var lab = await UpAsync(LabNat.PortRestricted);
        await using var echo = lab.Start("a1", "sh", "-c", "read line; echo got $line; echo oops >&2; exit 7");

        await echo.StandardInput.WriteLineAsync("this".AsMemory(), Cancellation);

        Assert.Equal("got this", await echo.StandardOutput.ReadLineAsync(Cancellation));
        Assert.Equal(7, await echo.WaitForExitAsync(Cancellation));
        Assert.Equal("oops", echo.ErrorTail);
        Assert.Contains("inet 192.168.1.10/24", await lab.RunAsync("a1", "ip address show eth0", Cancellation), StringComparison.Ordinal);
        Assert.Equal("eth0\nlo\n", await lab.RunAsync("a1", "ls /sys/class/net", Cancellation)); // the node's own /sys
    }

    [Fact]
    public async Task Nothing_of_a_lab_is_left_when_it_is_down()
    {
        var lab = await UpAsync(LabNat.PortRestricted);
        var spaceOfLab = lab.NetworkNamespaceOf("a1");
        Assert.True(File.Exists(spaceOfLab));
        await using var sleeper = lab.Start("a1", "sh", "-c", "echo asleep; exec sleep 1000");
        Assert.Equal("asleep", await sleeper.StandardOutput.ReadLineAsync(Cancellation));

        await lab.DisposeAsync();

        Assert.Equal(128 + 9, await sleeper.WaitForExitAsync(Cancellation)); // SIGKILL, from the kernel
        Assert.False(File.Exists(spaceOfLab));
    }

    private static LabNat Nat(string kind) => kind switch
    {
        "port-restricted" => LabNat.PortRestricted,
        "accepting" => LabNat.PortRestrictedAccepting,
        "rejecting" => LabNat.PortRestrictedRejecting,
        "firewall" => LabNat.Firewall,
        "address-restricted" => LabNat.AddressRestricted,
        "full cone" => LabNat.FullCone,
        "random port" => LabNat.PortRestrictedRandomPort,
        "symmetric" => LabNat.Symmetric,
        _ => throw new UnreachableException(kind),
    };

    private static async Task<NatLab> UpAsync(LabNat nat)
    {
        LabRequirement.Check();
        return await NatLab.UpAsync([new("a", nat)], Cancellation);
    }

    private static IPEndPoint Outside(NatLab lab, int port) => new(lab.AddressOf("a-gw"), port);
}
