using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using Punchline.Protocols.Node;
using Punchline.Protocols.Noise;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Rooms;
using Punchline.Simulation.Nat;
using Punchline.Simulation.Peers;

namespace Punchline.Simulation.Tests.Peers;

/// <summary>Calls by id through networks: who learns what and when, and what becomes of a call when the server dies.</summary>
public sealed class CallTests
{
    private static readonly LinkConditions Link = LinkConditions.Of(20);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    public static IEnumerable<TheoryDataRow<string, string>> Pairs() =>
        from caller in Network.All
        from callee in Network.All
        where caller.Carrier is null && callee.Carrier is null && Network.WhyImpossible(caller, callee) is null
            && !Network.TakesSearch(caller, callee) // nobody but the callee says where it is, so nobody tries its ports
        select new TheoryDataRow<string, string>(caller.Name, callee.Name);

    [Theory]
    [MemberData(nameof(Pairs))]
    public void A_call_that_is_taken_connects_and_goes_on_without_the_server(string caller, string callee)
    {
        foreach (var seed in SimulationSeeds.Take(3))
        {
            SimulationRun.Check(seed, internet =>
            {
                using var scenario = new CallScenario(internet, Link, Network.Named(caller).Nat, Network.Named(callee).Nat);
                var rooms = scenario.CallAndAccept();
                Assert.True(scenario.RunUntilConnected(rooms, Patience), "The peers did not connect.");
                scenario.Server.Kill();
                AssertTalk(scenario, rooms);
                Assert.Equal(["callee"], scenario.Caller.EventsOf<NodeEvent.Connected>().Select(connected => connected.Name));
                Assert.Equal(["caller"], scenario.Callee.EventsOf<NodeEvent.Connected>().Select(connected => connected.Name));
            }, $"{caller} - {callee}");
        }
    }

    // In everything that the server and the caller see until then, opened with every key that they have.
    [Fact]
    public void No_address_of_the_callee_leaves_before_it_takes_the_call()
    {
        SimulationRun.Check(1, internet =>
        {
            using var scenario = new CallScenario(internet, Link, NatBehavior.FullCone, NatBehavior.FullCone);
            var (caller, callee) = (scenario.Caller, scenario.Callee);
            List<string> said = [];
            scenario.Server.Overheard = (who, utf8) =>
            {
                if (who is "from callee") said.Add(Encoding.UTF8.GetString(utf8.Span));
            };
            // Once more from the beginning, so that its join is heard too.
            callee.BreakLink(scenario.Inbox);
            internet.RunFor(TimeSpan.FromSeconds(5));
            caller.Call(callee.Id);
            internet.RunFor(TimeSpan.FromSeconds(30));
            Assert.Single(callee.EventsOf<NodeEvent.CallRang>());

            Assert.Contains(said, text => text.Contains("\"join\"", StringComparison.Ordinal));
            Assert.DoesNotContain(said, text => text.Contains("\"signal\"", StringComparison.Ordinal));
            Assert.All(callee.Sent, packet => Assert.Contains(packet.To, scenario.Server.StunEndpoints));
            var keys = RoomKeys.OfInbox(callee.Id);
            foreach (var blob in said.Concat(caller.Heard).SelectMany(BlobsIn))
            {
                Assert.True(IntroductionBlob.TryOpen(blob, keys, out var introduction));
                Assert.Empty(introduction.Candidates);
                Assert.Equal("", introduction.Name);
            }
            Assert.Single(caller.Heard.SelectMany(BlobsIn));
            Endpoint[] addresses = [callee.Host, .. callee.Node.Reflexive];
            Assert.Equal(2, addresses.Distinct().Count());
            foreach (var address in addresses)
            {
                Assert.All(caller.Heard, text => Assert.DoesNotContain(address.ToIPEndPoint().Address.ToString(), text, StringComparison.Ordinal));
                Assert.All(said.Concat(caller.Heard).SelectMany(BytesIn), bytes => Assert.Equal(-1, bytes.AsSpan().IndexOf(address.ToIPEndPoint().Address.GetAddressBytes())));
            }

            var room = callee.Accept(scenario.Inbox);
            Assert.True(internet.RunUntil(() => callee.IsConnected(room), Patience));
            Assert.Single(said, text => text.Contains("\"signal\"", StringComparison.Ordinal));
        });
    }

    [Theory]
    [InlineData(CallRefusalCode.Busy, CallEnding.Busy)]
    [InlineData(CallRefusalCode.Refused, CallEnding.Refused)]
    internal void An_answer_that_is_no_ends_the_call_and_discloses_nothing(CallRefusalCode answer, CallEnding ending)
    {
        SimulationRun.Check(1, internet =>
        {
            using var scenario = new CallScenario(internet, Link, NatBehavior.FullCone, NatBehavior.FullCone);
            var call = scenario.Caller.Call(scenario.Callee.Id);
            internet.RunFor(TimeSpan.FromSeconds(1));
            scenario.Callee.Refuse(scenario.Inbox, answer);
            internet.RunFor(TimeSpan.FromSeconds(90));
            Assert.Equal([new NodeEvent.CallEnded(call, scenario.Callee.Id, ending)], scenario.Caller.EventsOf<NodeEvent.CallEnded>());
            Assert.Empty(scenario.Callee.EventsOf<NodeEvent.CallWithdrawn>());
            Assert.True(scenario.Caller.Node.IsServerFinal(call));
            Assert.All(scenario.Callee.Sent, packet => Assert.Contains(packet.To, scenario.Server.StunEndpoints));
            Assert.All(scenario.Caller.Sent, packet => Assert.Contains(packet.To, scenario.Server.StunEndpoints));
        }, $"{answer}");
    }

    [Fact]
    public void Who_is_not_there_is_offline_at_once()
    {
        SimulationRun.Check(1, internet =>
        {
            using var scenario = new CallScenario(internet, Link, NatBehavior.FullCone, NatBehavior.FullCone);
            var call = scenario.Callee.Call(scenario.Caller.Id);
            internet.RunFor(TimeSpan.FromMilliseconds(100));
            Assert.Equal([new NodeEvent.CallEnded(call, scenario.Caller.Id, CallEnding.Offline)], scenario.Callee.EventsOf<NodeEvent.CallEnded>());
        });
    }

    [Fact]
    public void A_call_that_nobody_answers_ends_after_60_s_on_both_sides()
    {
        SimulationRun.Check(1, internet =>
        {
            using var scenario = new CallScenario(internet, Link, NatBehavior.FullCone, NatBehavior.FullCone);
            var call = scenario.Caller.Call(scenario.Callee.Id);
            Assert.True(internet.RunUntil(() => scenario.Caller.EventsOf<NodeEvent.CallRings>().Any(), Patience));
            var rung = internet.Now;
            Assert.True(internet.RunUntil(() => scenario.Caller.EventsOf<NodeEvent.CallEnded>().Any(), TimeSpan.FromSeconds(90)));
            Assert.Equal(OutgoingCall.RingTime, internet.Now - rung);
            Assert.Equal([new NodeEvent.CallEnded(call, scenario.Callee.Id, CallEnding.NoAnswer)], scenario.Caller.EventsOf<NodeEvent.CallEnded>());
            internet.RunFor(TimeSpan.FromSeconds(1));
            var rang = Assert.Single(scenario.Callee.EventsOf<NodeEvent.CallRang>());
            Assert.Equal([rang.Call], scenario.Callee.EventsOf<NodeEvent.CallWithdrawn>().Select(withdrawn => withdrawn.Call));
            Assert.False(scenario.Callee.Node.TryAcceptCall(scenario.Inbox, rang.Call, internet.Now, out _));
        });
    }

    [Fact]
    public void A_caller_who_gives_up_withdraws_its_call()
    {
        SimulationRun.Check(1, internet =>
        {
            using var scenario = new CallScenario(internet, Link, NatBehavior.FullCone, NatBehavior.FullCone);
            var call = scenario.Caller.Call(scenario.Callee.Id);
            internet.RunFor(TimeSpan.FromSeconds(1));
            scenario.Caller.Leave(call);
            internet.RunFor(TimeSpan.FromMilliseconds(50));
            Assert.Single(scenario.Callee.EventsOf<NodeEvent.CallWithdrawn>());
        });
    }

    [Fact]
    public void Whoever_hangs_up_is_seen_leaving()
    {
        foreach (var byCaller in new[] { true, false })
        {
            SimulationRun.Check(1, internet =>
            {
                using var scenario = new CallScenario(internet, Link, NatBehavior.PortRestricted, NatBehavior.PortRestricted);
                var rooms = scenario.CallAndAccept();
                Assert.True(scenario.RunUntilConnected(rooms, Patience));
                if (byCaller) scenario.Caller.Leave(rooms.AtCaller);
                else scenario.Callee.Leave(rooms.AtCallee);
                internet.RunFor(TimeSpan.FromMilliseconds(100));
                var left = Assert.Single((byCaller ? scenario.Callee : scenario.Caller).EventsOf<NodeEvent.MemberLeft>());
                Assert.Equal(DepartureReason.Left, left.Reason);
            }, $"by caller {byCaller}");
        }
    }

    [Fact]
    public void Who_hangs_up_before_there_is_a_connection_is_seen_leaving_too()
    {
        SimulationRun.Check(1, internet =>
        {
            using var scenario = new CallScenario(internet, Link, NatBehavior.Symmetric, NatBehavior.PortRestricted);
            var rooms = scenario.CallAndAccept();
            internet.RunFor(TimeSpan.FromSeconds(5));
            scenario.Callee.Leave(rooms.AtCallee);
            internet.RunFor(TimeSpan.FromMilliseconds(100));
            Assert.Equal([new NodeEvent.MemberLeft(rooms.AtCaller, scenario.Callee.Id, DepartureReason.Left)], scenario.Caller.EventsOf<NodeEvent.MemberLeft>());
        });
    }

    // Both are at the server again, whoever is first, as the same call; and what has to go through it still does.
    [Fact]
    public void A_call_outlives_the_server_and_is_at_the_next_one()
    {
        foreach (var seed in SimulationSeeds.Take(10))
        {
            SimulationRun.Check(seed, internet =>
            {
                using var scenario = new CallScenario(internet, Link, NatBehavior.PortRestricted, NatBehavior.PortRestricted);
                var rooms = scenario.CallAndAccept();
                Assert.True(scenario.RunUntilConnected(rooms, Patience));
                scenario.Server.Kill();
                internet.RunFor(TimeSpan.FromSeconds(10 + seed));
                AssertTalk(scenario, rooms);
                scenario.Server.Restart();
                internet.RunFor(TimeSpan.FromSeconds(120));
                Assert.Equal([rooms.AtCaller, rooms.AtCaller], scenario.Caller.EventsOf<NodeEvent.ServerJoined>().Select(joined => joined.Room));
                Assert.Equal(2, scenario.Callee.EventsOf<NodeEvent.ServerJoined>().Count(joined => joined.Room == rooms.AtCallee));
                Assert.Empty(scenario.Caller.EventsOf<NodeEvent.MemberLeft>());
                Assert.Empty(scenario.Callee.EventsOf<NodeEvent.MemberLeft>());
                Assert.Single(scenario.Caller.EventsOf<NodeEvent.Connected>());
                // The server's word counts again.
                scenario.Caller.Kill();
                Assert.True(internet.RunUntil(() => scenario.Callee.EventsOf<NodeEvent.MemberLeft>().Any(), TimeSpan.FromSeconds(60)));
                Assert.Equal(DepartureReason.Timeout, scenario.Callee.EventsOf<NodeEvent.MemberLeft>().Single().Reason);
            });
        }
    }

    [Fact]
    public void A_ring_outlives_the_server()
    {
        foreach (var seed in SimulationSeeds.Take(10))
        {
            SimulationRun.Check(seed, internet =>
            {
                using var scenario = new CallScenario(internet, Link, NatBehavior.PortRestricted, NatBehavior.PortRestricted);
                var call = scenario.Caller.Call(scenario.Callee.Id);
                internet.RunFor(TimeSpan.FromSeconds(1));
                scenario.Server.Kill();
                internet.RunFor(TimeSpan.FromSeconds(seed));
                scenario.Server.Restart();
                internet.RunFor(TimeSpan.FromSeconds(35));
                var room = scenario.Callee.Accept(scenario.Inbox);
                Assert.True(scenario.RunUntilConnected((call, room), Patience));
            });
        }
    }

    // An answer on its way when the connection of either breaks is given again.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void An_answer_that_is_lost_with_a_connection_is_given_again(bool isCallers)
    {
        SimulationRun.Check(1, internet =>
        {
            using var scenario = new CallScenario(internet, Link, NatBehavior.PortRestricted, NatBehavior.PortRestricted);
            var call = scenario.Caller.Call(scenario.Callee.Id);
            internet.RunFor(TimeSpan.FromSeconds(1));
            var room = scenario.Callee.Accept(scenario.Inbox);
            if (isCallers) scenario.Caller.BreakLink(call);
            else scenario.Callee.BreakLink(scenario.Inbox);
            Assert.True(scenario.RunUntilConnected((call, room), Patience));
        }, $"{isCallers}");
    }

    [Fact]
    public void The_same_caller_from_another_process_replaces_its_ring()
    {
        SimulationRun.Check(1, internet =>
        {
            using var scenario = new CallScenario(internet, Link, NatBehavior.FullCone, NatBehavior.FullCone);
            using var identity = P256KeyPair.Generate(internet.NewRandom());
            var (first, second) = (scenario.AddPhone("first", NatBehavior.Open, identity), scenario.AddPhone("second", NatBehavior.Open, identity));
            first.Call(scenario.Callee.Id);
            internet.RunFor(TimeSpan.FromSeconds(1));
            var call = second.Call(scenario.Callee.Id);
            internet.RunFor(TimeSpan.FromSeconds(1));
            var rings = scenario.Callee.EventsOf<NodeEvent.CallRang>().ToList();
            Assert.Equal(["first", "second"], rings.Select(rang => rang.Name));
            Assert.Equal([rings[0].Call], scenario.Callee.EventsOf<NodeEvent.CallWithdrawn>().Select(withdrawn => withdrawn.Call));
            Assert.Single(first.EventsOf<NodeEvent.ServerReplaced>());
            var room = scenario.Callee.Accept(scenario.Inbox);
            Assert.True(internet.RunUntil(() => second.IsConnected(call) && scenario.Callee.IsConnected(room), Patience));
        });
    }

    [Fact]
    public void Beyond_16_rings_the_answer_is_busy_and_several_calls_go_on_at_once()
    {
        SimulationRun.Check(1, internet =>
        {
            using var scenario = new CallScenario(internet, Link, NatBehavior.FullCone, NatBehavior.FullCone);
            var callers = Enumerable.Range(0, InboxSession.MaxRinging + 1).Select(i => scenario.AddPhone($"caller-{i}", NatBehavior.Open)).ToList();
            List<int> calls = [];
            List<int> rooms = [];
            foreach (var caller in callers)
            {
                calls.Add(caller.Call(scenario.Callee.Id));
                internet.RunFor(TimeSpan.FromMilliseconds(500));
            }
            Assert.Equal(InboxSession.MaxRinging, scenario.Callee.EventsOf<NodeEvent.CallRang>().Count());
            Assert.Equal(CallEnding.Busy, Assert.Single(callers[^1].EventsOf<NodeEvent.CallEnded>()).Ending);
            foreach (var rang in scenario.Callee.EventsOf<NodeEvent.CallRang>().ToList()) rooms.Add(scenario.Callee.Accept(scenario.Inbox, rang.Call));
            Assert.True(internet.RunUntil(() => rooms.All(scenario.Callee.IsConnected), Patience));
            // Nobody hears of another caller.
            Assert.All(callers, (caller, i) => Assert.All(callers.Where(other => other != caller), other => Assert.DoesNotContain(other.Id.ToString(), string.Concat(callers[i].Heard), StringComparison.Ordinal)));
        });
    }

    [Fact]
    public void A_caller_that_was_killed_is_gone_within_17_s_and_after_everything_is_closed_no_route_is_left()
    {
        SimulationRun.Check(1, internet =>
        {
            using var scenario = new CallScenario(internet, Link, NatBehavior.PortRestricted, NatBehavior.PortRestricted);
            var rooms = scenario.CallAndAccept();
            Assert.True(scenario.RunUntilConnected(rooms, Patience));
            scenario.Caller.Kill();
            internet.RunFor(TimeSpan.FromSeconds(17.1));
            Assert.Equal(DepartureReason.Timeout, Assert.Single(scenario.Callee.EventsOf<NodeEvent.MemberLeft>()).Reason);
            scenario.Callee.Leave(rooms.AtCallee);
            scenario.Callee.Leave(scenario.Inbox);
            internet.RunFor(TimeSpan.FromSeconds(5));
            scenario.Callee.Node.CloseRoom(rooms.AtCallee);
            scenario.Callee.Node.CloseRoom(scenario.Inbox);
            Assert.Equal(0, scenario.Callee.Node.RouteCount);
        });
    }

    [Fact]
    public void A_call_goes_on_when_the_callee_closes_its_inbox()
    {
        SimulationRun.Check(1, internet =>
        {
            using var scenario = new CallScenario(internet, Link, NatBehavior.PortRestricted, NatBehavior.PortRestricted);
            var rooms = scenario.CallAndAccept();
            Assert.True(scenario.RunUntilConnected(rooms, Patience));
            scenario.Callee.Leave(scenario.Inbox);
            internet.RunFor(TimeSpan.FromSeconds(1));
            scenario.Callee.Node.CloseRoom(scenario.Inbox);
            internet.RunFor(TimeSpan.FromSeconds(120));
            AssertTalk(scenario, rooms);
            Assert.Empty(scenario.Caller.EventsOf<NodeEvent.MemberLeft>());
            Assert.Empty(scenario.Callee.EventsOf<NodeEvent.MemberLeft>());
        });
    }

    // A packet that reaches a router that accepts unsolicited ones, before its own host has sent anything, spoils the pair's ports.
    [Fact]
    public void Both_begin_at_the_moment_at_which_the_caller_hears_the_answer()
    {
        SimulationRun.Check(1, internet =>
        {
            using var scenario = new CallScenario(internet, LinkConditions.Of(100), NatBehavior.PortRestricted, NatBehavior.PortRestricted);
            scenario.CallAndAccept();
            var accepted = internet.Now;
            Assert.True(internet.RunUntil(() => scenario.Caller.EventsOf<NodeEvent.MemberJoined>().Any(), Patience));
            Assert.Equal(TimeSpan.FromMilliseconds(200), internet.Now - accepted);
            Assert.All(scenario.Callee.Sent, packet => Assert.Contains(packet.To, scenario.Server.StunEndpoints));
            internet.RunFor(TimeSpan.Zero);
            Assert.Single(scenario.Callee.EventsOf<NodeEvent.MemberJoined>());
        });
    }

    // The server has our answer and is gone before it says so.
    [Fact]
    public void Without_the_servers_echo_the_callee_begins_all_the_same()
    {
        SimulationRun.Check(1, internet =>
        {
            using var scenario = new CallScenario(internet, Link, NatBehavior.PortRestricted, NatBehavior.PortRestricted);
            var call = scenario.Caller.Call(scenario.Callee.Id);
            internet.RunFor(TimeSpan.FromSeconds(1));
            var room = scenario.Callee.Accept(scenario.Inbox);
            internet.RunFor(TimeSpan.FromMilliseconds(39));
            scenario.Callee.BreakLink(scenario.Inbox);
            scenario.Server.Overheard = (who, _) => Assert.NotEqual("from callee", who);
            internet.RunFor(TimeSpan.FromMilliseconds(30));
            Assert.Single(scenario.Callee.EventsOf<NodeEvent.MemberJoined>());
            Assert.True(scenario.RunUntilConnected((call, room), TimeSpan.FromSeconds(1)));
        });
    }

    private static void AssertTalk(CallScenario scenario, (int AtCaller, int AtCallee) rooms)
    {
        Assert.True(scenario.Caller.Send(rooms.AtCaller, "hello from the caller"));
        Assert.True(scenario.Callee.Send(rooms.AtCallee, "hello from the callee"));
        scenario.Internet.RunFor(TimeSpan.FromSeconds(2));
        Assert.Equal(["hello from the caller"], scenario.Callee.TextsIn(rooms.AtCallee));
        Assert.Equal(["hello from the callee"], scenario.Caller.TextsIn(rooms.AtCaller));
    }

    private static IEnumerable<byte[]> BlobsIn(string text) => StringsIn(JsonDocument.Parse(text).RootElement).Where(pair => pair.Name == "blob").Select(pair => Decode(pair.Value));

    // What stands there in base64url, blobs and signals among it.
    private static IEnumerable<byte[]> BytesIn(string text) => StringsIn(JsonDocument.Parse(text).RootElement).Select(pair => Decode(pair.Value));

    private static IEnumerable<(string Name, string Value)> StringsIn(JsonElement element, string name = "") => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().SelectMany(property => StringsIn(property.Value, property.Name)),
        JsonValueKind.Array => element.EnumerateArray().SelectMany(item => StringsIn(item, name)),
        JsonValueKind.String => [(name, element.GetString()!)],
        _ => [],
    };

    private static byte[] Decode(string text) => Base64Url.IsValid(text) ? Base64Url.DecodeFromChars(text) : [];
}
