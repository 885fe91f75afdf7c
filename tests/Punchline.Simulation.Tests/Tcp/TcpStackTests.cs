using Punchline.Protocols.Primitives;
using Punchline.Simulation.Nat;
using Punchline.Simulation.Tcp;
using Punchline.Simulation.Tracing;

namespace Punchline.Simulation.Tests.Tcp;

/// <summary>The simulated machines' TCP, and what routers do to it.</summary>
public sealed class TcpStackTests
{
    private const ushort Port = 40_000;

    private static readonly TimeSpan OneWay = TimeSpan.FromMilliseconds(10); // two links of 5 ms

    [Fact]
    public void A_connection_is_up_after_a_round_trip_and_carries_bytes_both_ways()
    {
        using var internet = new VirtualInternet(1);
        var (client, server) = (internet.AddServer("client"), internet.AddServer("server"));
        TcpSocket? accepted = null;
        var heard = new List<byte>();
        server.Tcp.Listen(Port, socket =>
        {
            accepted = socket;
            socket.Received = bytes => socket.Write(bytes.Span);
        });
        Timestamp? connectedAt = null;
        var connecting = client.Tcp.Connect(Port, server.At(Port));
        connecting.Connected = () =>
        {
            connectedAt = internet.Now;
            connecting.Write("hello"u8);
        };
        connecting.Received = bytes => heard.AddRange(bytes.Span);
        internet.RunFor(TimeSpan.FromSeconds(1));
        Assert.Equal(2 * OneWay, connectedAt - Timestamp.Zero);
        Assert.Equal("hello"u8, heard.ToArray());
        Assert.NotNull(accepted);

        var isOver = false;
        accepted.Closed = () => isOver = true;
        connecting.Close();
        internet.RunFor(TimeSpan.FromSeconds(1));
        Assert.True(isOver);
        Assert.Equal(0, client.Tcp.Count + server.Tcp.Count);
    }

    [Fact]
    public void Where_nobody_listens_a_SYN_is_refused_after_a_round_trip()
    {
        using var internet = new VirtualInternet(1);
        var (client, server) = (internet.AddServer("client"), internet.AddServer("server"));
        Timestamp? refusedAt = null;
        client.Tcp.Connect(Port, server.At(Port)).Closed = () => refusedAt = internet.Now;
        internet.RunFor(TimeSpan.FromSeconds(1));
        Assert.Equal(2 * OneWay, refusedAt - Timestamp.Zero);
        Assert.Equal(0, client.Tcp.Count);
    }

    [Fact]
    public void Two_SYNs_that_cross_make_one_connection_of_two_connects()
    {
        using var internet = new VirtualInternet(1);
        var meeting = new Crossing(internet, internet.AddServer("a"), internet.AddServer("b"));
        meeting.Connect(TimeSpan.Zero);
        internet.RunFor(TimeSpan.FromSeconds(1));
        meeting.AssertOneConnection();
        Assert.Equal((0, 0), (meeting.FirstAccepted, meeting.SecondAccepted));
    }

    [Fact] // and the second's own connect finds its port and the peer's taken, as on Linux
    public void A_SYN_that_comes_before_the_own_connect_is_caught_by_the_listener()
    {
        using var internet = new VirtualInternet(1);
        var meeting = new Crossing(internet, internet.AddServer("a"), internet.AddServer("b"));
        meeting.Connect(secondLater: 2 * OneWay);
        internet.RunFor(TimeSpan.FromSeconds(1));
        meeting.AssertOneConnection();
        Assert.Equal((0, 1), (meeting.FirstAccepted, meeting.SecondAccepted));
    }

    [Theory]
    [InlineData(0.05, 0)]
    [InlineData(0.05, 0.02)]
    [InlineData(0, 0)]
    public void Every_byte_arrives_in_its_order_and_loss_is_only_delay(double loss, double disorder)
    {
        foreach (var seed in SimulationSeeds.Take(20))
        {
            SimulationRun.Check(seed, internet =>
            {
                var link = LinkConditions.Of(5, loss) with { Duplication = disorder, Reordering = disorder, Corruption = disorder };
                var (client, server) = (internet.AddServer("client", link), internet.AddServer("server", link));
                var sent = internet.NewRandom().NextBytes(300_000);
                var heard = new List<byte>();
                server.Tcp.Listen(Port, socket => socket.Received = bytes => heard.AddRange(bytes.Span));
                var connecting = client.Tcp.Connect(Port, server.At(Port));
                var taken = 0;
                void Fill() => taken += connecting.Write(sent.AsSpan(taken));
                connecting.Connected = connecting.Writable = Fill;
                Assert.True(internet.RunUntil(() => heard.Count == sent.Length, TimeSpan.FromSeconds(60)), $"{heard.Count} bytes of {sent.Length} arrived.");
                Assert.Equal(sent, heard);
            }, $"loss {loss}, disorder {disorder}");
        }
    }

    [Fact]
    public void A_writer_is_held_to_the_buffer_and_told_when_there_is_room_again()
    {
        using var internet = new VirtualInternet(1);
        var link = LinkConditions.Default;
        var (client, server) = (internet.AddServer("client", link), internet.AddServer("server", link));
        server.Tcp.Listen(Port, _ => { });
        var connecting = client.Tcp.Connect(Port, server.At(Port));
        internet.RunFor(TimeSpan.FromSeconds(1));
        client.Uplink!.Set(isUp: false);
        Assert.Equal(TcpSocket.SendBuffer, connecting.Write(new byte[TcpSocket.SendBuffer + 1]));
        Assert.Equal(0, connecting.Write(new byte[1]));
        var isWritable = false;
        connecting.Writable = () => isWritable = true;
        internet.RunFor(TimeSpan.FromSeconds(3));
        Assert.False(isWritable);
        client.Uplink.Set(isUp: true);
        // Repeated at 0.2 s, 0.7 s and so on, twice as late each time: the next is not farther than the outage was long.
        Assert.True(internet.RunUntil(() => isWritable, TimeSpan.FromSeconds(4)));
    }

    public static TheoryData<string, string, bool> Routers() => new()
    {
        { "port-restricted", "port-restricted", true },
        { "port-restricted", "rejecting", true },
        { "rejecting", "rejecting", true },
        { "full cone", "symmetric", true },
        { "open", "accepting", true },
        { "symmetric", "port-restricted", false },
    };

    // Who is refused tries again with another socket, in step with the peer.
    [Theory]
    [MemberData(nameof(Routers))]
    public void Simultaneous_open_passes_the_routers_that_it_can_pass(string first, string second, bool canMeet)
    {
        using var internet = new VirtualInternet(1);
        var sites = new[] { first, second }.Select(name => internet.AddSite(name + internet.NewRandom().NextInt32(1_000), Punchline.Simulation.Peers.Network.Named(name).Nat)).ToArray();
        var (a, b) = (internet.AddMachine("a", sites[0]), internet.AddMachine("b", sites[1]));
        var meeting = new Crossing(internet, a, b) { FirstTarget = TargetOf(sites[1], b), SecondTarget = TargetOf(sites[0], a), Tries = 3 };
        meeting.Connect(TimeSpan.FromMilliseconds(3));
        internet.RunFor(TimeSpan.FromSeconds(20));
        Assert.Equal(canMeet, meeting.IsConnected);

        static Endpoint TargetOf(Site site, Machine machine) => site.Nat.Behavior.Translates ? site.ExternalAt(Port) : machine.At(Port);
    }

    [Fact] // conntrack -E behind a router of the laboratory's: [NEW] SYN_SENT, [DESTROY] CLOSE, before another packet comes
    public void A_router_that_accepts_a_SYN_forgets_it_with_its_own_reset()
    {
        using var internet = new VirtualInternet(1);
        var (left, right) = (internet.AddSite("left", NatBehavior.PortRestrictedAccepting), internet.AddSite("right", NatBehavior.PortRestrictedAccepting));
        var (a, b) = (internet.AddMachine("a", left), internet.AddMachine("b", right));
        var isRefused = false;
        a.Tcp.Connect(Port, right.ExternalAt(Port)).Closed = () => isRefused = true;
        internet.RunFor(TimeSpan.FromSeconds(1));
        Assert.True(isRefused);
        _ = b.Tcp.Connect(Port, left.ExternalAt(Port));
        internet.RunFor(TimeSpan.FromSeconds(1));
        Assert.Equal(0, internet.Trace.Count(Verdict.MappingMoved));
    }

    [Fact] // both refuse the other's SYN, and with each refusal forget their own: in step they would do so for ever
    public void A_refused_SYN_expects_no_answer_any_more()
    {
        using var internet = new VirtualInternet(1);
        var rejecting = new SiteOptions { IPv6 = NatBehavior.Firewall with { Unsolicited = UnsolicitedPolicy.Reject } };
        var (a, b) = (internet.AddMachine("a", internet.AddSite("left", NatBehavior.PortRestricted, rejecting)), internet.AddMachine("b", internet.AddSite("right", NatBehavior.PortRestricted, rejecting)));
        var refused = new List<string>();
        a.Tcp.Connect(Port, new Endpoint(b.Addresses[1], Port)).Closed = () => refused.Add("a");
        internet.RunFor(TimeSpan.FromSeconds(0.5));
        b.Tcp.Connect(Port, new Endpoint(a.Addresses[1], Port)).Closed = () => refused.Add("b");
        internet.RunFor(TimeSpan.FromSeconds(0.5));
        Assert.Equal(["a", "b"], refused);
        Assert.Equal(2, internet.Trace.Count(Verdict.Rejected));
    }

    [Fact]
    public void A_router_without_UDP_lets_TCP_out_and_a_web_router_only_to_web_ports()
    {
        using var internet = new VirtualInternet(1);
        var server = internet.AddServer("server");
        var echo = new ScriptedHost();
        server.Bind(Port, echo);
        var reached = new List<ushort>();
        server.Tcp.Listen(Port, _ => reached.Add(Port));
        server.Tcp.Listen(443, _ => reached.Add(443));
        var host = new ScriptedHost();
        var machine = internet.AddMachine("h", internet.AddSite("office", NatBehavior.WebOnly));
        machine.Bind(Port, host);
        host.Send(server.At(Port), [1]);
        _ = machine.Tcp.Connect(Port, server.At(Port));
        _ = machine.Tcp.Connect(Port, server.At(443));
        internet.RunFor(TimeSpan.FromSeconds(1));
        Assert.Empty(echo.Received);
        Assert.Equal(443, Assert.Single(reached));
    }

    /// <summary>Two machines that listen on their port, and connect from it to each other.</summary>
    private sealed class Crossing(VirtualInternet internet, Machine first, Machine second)
    {
        private TcpSocket? _first;
        private TcpSocket? _second;

        public Endpoint FirstTarget { get; init; } = second.At(Port);

        public Endpoint SecondTarget { get; init; } = first.At(Port);

        public int Tries { get; init; } = 1;

        public int FirstAccepted { get; private set; }

        public int SecondAccepted { get; private set; }

        public bool IsConnected => _first is { IsEstablished: true } && _second is { IsEstablished: true };

        public void Connect(TimeSpan secondLater)
        {
            first.Tcp.Listen(Port, socket =>
            {
                FirstAccepted++;
                _first = socket;
            });
            second.Tcp.Listen(Port, socket =>
            {
                SecondAccepted++;
                _second = socket;
            });
            Try(first, FirstTarget, socket => _first = socket, Tries);
            internet.Schedule(internet.Now + secondLater, () => Try(second, SecondTarget, socket => _second = socket, Tries));
        }

        public void AssertOneConnection()
        {
            Assert.True(IsConnected);
            Assert.Equal((1, 1), (first.Tcp.Count, second.Tcp.Count));
            var heard = new List<byte>();
            _second!.Received = bytes => heard.AddRange(bytes.Span);
            _first!.Write("across"u8);
            internet.RunFor(TimeSpan.FromSeconds(1));
            Assert.Equal("across"u8, heard.ToArray());
        }

        private void Try(Machine machine, Endpoint target, Action<TcpSocket> connected, int tries)
        {
            if (tries == 0) return;
            var socket = machine.Tcp.Connect(Port, target);
            socket.Connected = () => connected(socket);
            socket.Closed = () => internet.Schedule(internet.Now + TimeSpan.FromMilliseconds(100), () => Try(machine, target, connected, tries - 1));
        }
    }
}
