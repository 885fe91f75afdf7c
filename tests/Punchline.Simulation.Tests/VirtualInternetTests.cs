using Punchline.Protocols.Primitives;
using Punchline.Simulation.Nat;
using Punchline.Simulation.Tracing;

namespace Punchline.Simulation.Tests;

public sealed class VirtualInternetTests
{
    // Everything that draws from the seed at once: random ports, loss, jitter, duplicates, reordering.
    private static void Chatter(VirtualInternet internet)
    {
        var link = new LinkConditions
        {
            Jitter = TimeSpan.FromMilliseconds(3), Loss = 0.05, Duplication = 0.02, Reordering = 0.02,
        };
        var server = internet.AddServer("s1");
        var echo = new ScriptedHost();
        echo.OnDatagram = (source, datagram) => echo.Send(source, datagram);
        server.Bind(3478, echo);
        for (var site = 0; site < 3; site++)
        {
            var host = new ScriptedHost();
            var machine = internet.AddMachine($"h{site}", internet.AddSite($"site{site}", NatBehavior.Symmetric, new() { Link = link }));
            machine.Bind(5000, host);
            var random = internet.NewRandom();
            for (var i = 0; i < 200; i++)
            {
                internet.Schedule(Timestamp.FromMilliseconds(i * 5), () => host.Send(server.At(3478), random.NextBytes(100)));
            }
        }
        internet.RunFor(TimeSpan.FromSeconds(5));
        Assert.Equal(600 + echo.Received.Count, internet.Trace.Count(Verdict.Sent));
    }

    [Fact]
    public void One_seed_is_one_run_to_the_byte_and_another_seed_another()
    {
        var hashes = Enumerable.Range(1, 20).Select(seed => SimulationRun.Check((ulong)seed, Chatter)).ToList();
        Assert.Equal(20, hashes.Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(hashes, Enumerable.Range(1, 20).Select(seed => SimulationRun.Check((ulong)seed, Chatter)), StringComparer.Ordinal);
    }

    [Fact] // across processes, machines and versions: hash codes and dictionaries have no say in it
    public void The_trace_of_seed_1_is_the_one_that_it_always_was() =>
        Assert.Equal("a94146e73857df270cdf905b38ac453da9076daa47eb721700989830a30f8b93", SimulationRun.Check(1, Chatter));

    [Fact]
    public void A_trace_differs_by_a_single_payload_byte()
    {
        static string Run(byte payload) => SimulationRun.Check(1, internet =>
        {
            var host = new ScriptedHost();
            var server = internet.AddServer("s1");
            server.Bind(1, host);
            host.Send(server.At(2), [payload]);
            internet.RunFor(TimeSpan.FromSeconds(1));
        });

        Assert.Equal(Run(1), Run(1));
        Assert.NotEqual(Run(1), Run(2), StringComparer.Ordinal);
    }

    [Fact]
    public void Events_of_one_moment_run_in_the_order_of_scheduling_and_the_past_is_now()
    {
        using var internet = new VirtualInternet(1);
        var order = new List<int>();
        var at = Timestamp.FromMilliseconds(5);
        for (var i = 0; i < 100; i++)
        {
            var number = i;
            internet.Schedule(at, () => order.Add(number));
        }
        internet.Schedule(at, () => internet.Schedule(Timestamp.Zero, () => order.Add((int)(internet.Now.Ticks / TimeSpan.TicksPerMillisecond))));
        internet.RunFor(TimeSpan.FromSeconds(1));
        Assert.Equal([.. Enumerable.Range(0, 100), 5], order);
        Assert.Equal(Timestamp.FromMilliseconds(1000), internet.Now);
    }

    [Fact]
    public void A_run_ends_with_its_condition_or_its_deadline()
    {
        using var internet = new VirtualInternet(1);
        var done = false;
        internet.Schedule(Timestamp.FromMilliseconds(70), () => done = true);
        Assert.False(internet.RunUntil(() => done, TimeSpan.FromMilliseconds(50)));
        Assert.Equal(Timestamp.FromMilliseconds(50), internet.Now);
        Assert.True(internet.RunUntil(() => done, TimeSpan.FromMilliseconds(50)));
        Assert.Equal(Timestamp.FromMilliseconds(70), internet.Now);
    }

    [Fact]
    public void A_core_whose_deadline_never_moves_on_is_found()
    {
        using var internet = new VirtualInternet(1);
        var core = new TimerHost(Timestamp.FromMilliseconds(1), TimeSpan.Zero);
        internet.AddServer("s1").Bind(1, core);
        var limit = Assert.Throws<SimulationLimitException>(() => internet.RunFor(TimeSpan.FromSeconds(1)));
        Assert.Contains("s1:1", limit.Message, StringComparison.Ordinal);
        Assert.Equal(VirtualInternet.MaxTimeoutsAtOnce, core.Woken.Count);
    }

    [Fact]
    public void A_core_that_sends_without_end_is_found()
    {
        using var internet = new VirtualInternet(1);
        internet.AddServer("s1").Bind(1, new EndlessSender());
        Assert.Throws<SimulationLimitException>(() => internet.RunFor(TimeSpan.FromSeconds(1)));
        Assert.Equal(VirtualInternet.MaxTransmitsAtOnce, internet.Trace.Count(Verdict.Sent));
    }

    [Fact]
    public void A_channel_keeps_order_even_when_its_delay_falls()
    {
        using var internet = new VirtualInternet(1);
        var channel = internet.OpenChannel("a", "server", TimeSpan.FromMilliseconds(50));
        var received = new List<(Timestamp, byte)>();
        channel.Second.Received = message => received.Add((internet.Now, message.Span[0]));
        Assert.True(channel.First.Send([1]));
        channel.Delay = TimeSpan.FromMilliseconds(10);
        Assert.True(channel.First.Send([2]));
        internet.RunFor(TimeSpan.FromSeconds(1));
        Assert.Equal([(Timestamp.FromMilliseconds(50), (byte)1), (Timestamp.FromMilliseconds(50), (byte)2)], received);
    }

    [Fact]
    public void A_broken_channel_loses_what_is_under_way_and_tells_both_ends_once()
    {
        using var internet = new VirtualInternet(1);
        var channel = internet.OpenChannel("a", "server", TimeSpan.FromMilliseconds(50));
        int received = 0, firstTold = 0, secondTold = 0;
        channel.Second.Received = _ => received++;
        channel.First.Broken = () => firstTold++;
        channel.Second.Broken = () => secondTold++;
        channel.First.Send([1]);
        internet.Schedule(Timestamp.FromMilliseconds(20), channel.Break);
        internet.Schedule(Timestamp.FromMilliseconds(21), channel.Break);
        internet.RunFor(TimeSpan.FromMilliseconds(69));
        Assert.Equal((0, 0, 0), (received, firstTold, secondTold));
        internet.RunFor(TimeSpan.FromMilliseconds(1));
        Assert.Equal((0, 1, 1), (received, firstTold, secondTold));
        Assert.False(channel.First.Send([2]));
    }

    [Fact]
    public void The_trace_keeps_its_last_events_and_counts_them_all()
    {
        using var trace = new Trace();
        for (var i = 0; i < Trace.Capacity + 10; i++) trace.Record(new(new Timestamp(i), "here", Verdict.Sent, default, default, 0, default, 0));
        var kept = trace.Recent().ToList();
        Assert.Equal(Trace.Capacity, kept.Count);
        Assert.Equal(new Timestamp(10), kept[0].At);
        Assert.Equal(Trace.Capacity + 10, trace.Count(Verdict.Sent));
        Assert.StartsWith("10 earlier events are not kept", trace.ToText(), StringComparison.Ordinal);
    }

    private sealed class EndlessSender : ISimulatedHost
    {
        public Timestamp NextTimeout => Timestamp.Never;

        public void HandleDatagram(Endpoint source, ReadOnlySpan<byte> datagram, Timestamp now) => throw new InvalidOperationException("Nobody sends here.");

        public void HandleTimeout(Timestamp now) => throw new InvalidOperationException("No timeout was asked for.");

        public bool TryDequeueTransmit(Timestamp now, Span<byte> buffer, out Transmit transmit)
        {
            buffer[0] = 1;
            transmit = new Transmit(Endpoint.Parse("203.0.113.99:1"), 1);
            return true;
        }
    }
}
