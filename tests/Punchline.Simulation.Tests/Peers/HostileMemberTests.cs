using Punchline.Protocols.Node;
using Punchline.Protocols.Noise;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;
using Punchline.Simulation.Nat;
using Punchline.Simulation.Peers;
using Punchline.Simulation.Tracing;

namespace Punchline.Simulation.Tests.Peers;

/// <summary>What members can make a peer do to others, and what they cannot: PROTOCOL §5, §8, §10.</summary>
public sealed class HostileMemberTests
{
    private static readonly LinkConditions Link = LinkConditions.Of(20);
    private static readonly Endpoint Elsewhere = Endpoint.Parse("203.0.113.200:5000");

    // The address that everybody names is a genuine member's, who comes last: our packets to it are spent on the others by then.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_member_whose_address_forty_others_name_is_met_all_the_same(bool initiates)
    {
        SimulationRun.Check(1, internet =>
        {
            var random = internet.NewRandom();
            using var low = P256KeyPair.Generate(random);
            using var high = P256KeyPair.Generate(random);
            var inOrder = low.DeriveId() < high.DeriveId() == initiates;
            using var room = new RoomScenario(internet, Link);
            var peer = room.AddPeer(NatBehavior.PortRestricted, inOrder ? low : high);
            var named = room.AddPeer(NatBehavior.PortRestricted, inOrder ? high : low);
            Assert.Equal(initiates, peer.Id < named.Id);
            for (var i = 0; i < 40; i++) AddWhoNames(room, room.Sites[1].ExternalAt(SimulatedPeer.Port));
            room.Join(peer);
            foreach (var hostile in room.Peers.Skip(2)) room.Join(hostile);
            internet.RunFor(TimeSpan.FromSeconds(10));
            Assert.Equal(40, peer.EventsOf<NodeEvent.MemberJoined>().Count());

            room.Join(named);

            Assert.True(internet.RunUntil(() => peer.IsConnectedTo(named) && named.IsConnectedTo(peer), TimeSpan.FromSeconds(1)));
        });
    }

    [Fact]
    public void A_packet_that_somebody_carried_elsewhere_gets_one_challenge_and_moves_nothing()
    {
        SimulationRun.Check(1, internet =>
        {
            using var room = new RoomScenario(internet, Link, NatBehavior.Open, NatBehavior.Open);
            var (peer, other) = (room.Peers[0], room.Peers[1]);
            var heard = new List<byte[]>();
            peer.Overheard = (_, packet) => heard.Add(packet.ToArray());
            Assert.True(room.JoinAllAndConnect(TimeSpan.FromSeconds(5)));
            Assert.True(other.Send("before"));
            internet.RunFor(TimeSpan.FromSeconds(1));
            var old = heard.FindAll(packet => packet[0] is >= PacketTypes.FirstData and <= PacketTypes.LastData);
            Assert.NotEmpty(old);

            // Old ones, and then a new one, taken off the wire before the peer has seen it.
            foreach (var packet in old) peer.Node.HandleDatagram(Elsewhere, packet, internet.Now);
            internet.RunFor(TimeSpan.FromSeconds(1));
            Assert.Empty(SentTo(internet, peer, Elsewhere));
            var taken = Take(other, "taken", internet.Now);
            peer.Node.HandleDatagram(Elsewhere, taken, internet.Now);
            for (var i = 0; i < 20; i++) Assert.True(peer.Send($"{i} {new string('x', 2_000)}"));
            internet.RunFor(TimeSpan.FromSeconds(5));

            // RFC 9000 §8.1: three times what came from there, until it answers; all else goes where the peer is known to be.
            var challenge = Assert.Single(SentTo(internet, peer, Elsewhere));
            Assert.Equal(Math.Min(1_200, 3 * taken.Length), challenge.Length);
            Assert.Empty(peer.EventsOf<NodeEvent.PathChanged>());
            Assert.Equal(20, other.TextsFrom(peer).Count());
            Assert.Equal(["before", "taken"], peer.TextsFrom(other));
        });
    }

    [Fact]
    public void A_peer_whose_router_moved_its_port_is_challenged_there_before_data_follows()
    {
        SimulationRun.Check(1, internet =>
        {
            using var room = new RoomScenario(internet, Link, NatBehavior.Open, NatBehavior.ConeRandomPort);
            var (peer, other) = (room.Peers[0], room.Peers[1]);
            var received = new Dictionary<Endpoint, int>();
            peer.Overheard = (source, packet) =>
            {
                if (packet[0] is >= PacketTypes.FirstData and <= PacketTypes.LastData) received[source] = received.GetValueOrDefault(source) + packet.Length;
            };
            Assert.True(room.JoinAllAndConnect(TimeSpan.FromSeconds(5)));
            var before = peer.EventsOf<NodeEvent.Connected>().Single().Path.Remote;

            internet.Rebind(room.Sites[1], keepAddress: true);
            for (var i = 0; i < 20; i++) Assert.True(peer.Send($"{i} {new string('x', 2_000)}"));
            Assert.True(other.Send("moved"));
            Assert.True(internet.RunUntil(() => received.Count == 2, TimeSpan.FromSeconds(1)));
            var moved = received.Keys.Single(endpoint => endpoint != before);
            Assert.True(internet.RunUntil(() => SentTo(internet, peer, moved).Any(), TimeSpan.FromSeconds(1)));
            Assert.False(internet.RunUntil(() => SentTo(internet, peer, moved).Sum(sent => sent.Length) > 3 * received[moved] || peer.EventsOf<NodeEvent.PathChanged>().Any(), 2 * Link.Delay));
            Assert.True(internet.RunUntil(() => peer.EventsOf<NodeEvent.PathChanged>().Any(), TimeSpan.FromSeconds(1)));
            Assert.Equal(moved, peer.EventsOf<NodeEvent.PathChanged>().Single().Path.Remote);
            Assert.True(internet.RunUntil(() => other.TextsFrom(peer).Count() == 20, TimeSpan.FromSeconds(5)));
            Assert.Equal(["moved"], peer.TextsFrom(other));
        });
    }

    [Fact]
    public void Who_is_not_on_the_list_is_shown_and_gets_no_packet()
    {
        SimulationRun.Check(1, internet =>
        {
            using var friend = P256KeyPair.Generate(internet.NewRandom());
            using var room = new RoomScenario(internet, Link);
            var careful = room.AddPeer(NatBehavior.Open, allowed: new HashSet<PeerId> { friend.DeriveId() });
            var allowed = room.AddPeer(NatBehavior.Open, friend);
            var strangers = new[] { room.AddPeer(NatBehavior.Open), room.AddPeer(NatBehavior.Open) };
            room.Join(strangers[0]);
            internet.RunFor(TimeSpan.FromMilliseconds(500));
            foreach (var peer in (SimulatedPeer[])[careful, allowed, strangers[1]]) room.Join(peer);
            internet.RunFor(TimeSpan.FromSeconds(25));

            Assert.True(careful.IsConnectedTo(allowed) && allowed.IsConnectedTo(careful));
            Assert.True(strangers[0].IsConnectedTo(strangers[1]));
            Assert.Equal(3, careful.EventsOf<NodeEvent.MemberJoined>().Count());
            var failures = careful.EventsOf<NodeEvent.Failed>().ToList();
            Assert.Equal(strangers.Select(peer => peer.Id).Order(), failures.Select(failed => failed.Peer).Order());
            Assert.All(failures, failed => Assert.Equal(PunchFailure.NotAllowed, failed.Failure.Cause));
            foreach (var stranger in strangers)
            {
                // They asked, and found nobody.
                Assert.NotEmpty(SentTo(internet, stranger, room.Peers[0].Node.Reflexive.Single()));
                Assert.Empty(SentTo(internet, careful, stranger.Node.Reflexive.Single()));
                Assert.Single(stranger.EventsOf<NodeEvent.Failed>(), failed => failed.Peer == careful.Id);
            }

            // A message is for those on the list, and waits for nobody else.
            Assert.True(careful.Send("to my friend"));
            internet.RunFor(TimeSpan.FromSeconds(1));
            Assert.Equal(0, careful.Undelivered);
            Assert.Equal(["to my friend"], allowed.TextsFrom(careful));
            Assert.All(strangers, stranger => Assert.Empty(stranger.TextsFrom(careful)));

            // They leave as they came: by the server's word, and 15 s after the server itself.
            strangers[0].Leave();
            internet.RunFor(TimeSpan.FromSeconds(1));
            Assert.Equal((strangers[0].Id, DepartureReason.Left), Assert.Single(careful.EventsOf<NodeEvent.MemberLeft>().Select(left => (left.Peer, left.Reason))));
            room.Server.Kill();
            internet.RunFor(TimeSpan.FromSeconds(60));
            Assert.Equal((strangers[1].Id, DepartureReason.Timeout), careful.EventsOf<NodeEvent.MemberLeft>().Select(left => (left.Peer, left.Reason)).Last());
            Assert.True(careful.IsConnectedTo(allowed));
        });
    }

    // A member that sends nothing itself, and says that it is there.
    private static void AddWhoNames(RoomScenario room, Endpoint address)
    {
        var hostile = room.AddPeer(NatBehavior.Open);
        room.Sites[^1].Uplink.Set(isUp: false);
        hostile.Node.SetHostAddresses([new HostAddress(address, 32)], room.Internet.Now);
    }

    private static IEnumerable<TraceEvent> SentTo(VirtualInternet internet, SimulatedPeer peer, Endpoint destination) =>
        internet.Trace.Recent().Where(entry => entry.Place == peer.Name && entry.Verdict == Verdict.Sent && entry.Destination == destination);

    private static byte[] Take(SimulatedPeer from, string text, Timestamp now)
    {
        Assert.True(from.Send(text));
        var buffer = new byte[1_500];
        Assert.True(from.Node.TryDequeueTransmit(now, buffer, out var transmit));
        return buffer[..transmit.Length];
    }
}
