using Punchline.Protocols.Node;
using Punchline.Protocols.Noise;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;
using Punchline.Simulation.Nat;
using Punchline.Simulation.Peers;

namespace Punchline.Simulation.Tests.Peers;

/// <summary>What one node answers to handshake packets, packet by packet: PROTOCOL §6.</summary>
public sealed class HandshakeTests
{
    private const byte Message1 = 0xc0;
    private const byte Message2 = 0xc1;

    private static readonly LinkConditions Link = LinkConditions.Of(20);
    private static readonly Endpoint Elsewhere = Endpoint.Parse("203.0.113.200:5000");

    [Fact]
    public void The_initiator_sends_identical_bytes_to_every_address_and_in_every_flight()
    {
        SimulationRun.Check(1, internet =>
        {
            using var introduced = new Introduced(internet);
            // The responder's answers never arrive.
            introduced.SiteOf(introduced.Initiator).Uplink.Down.IsUp = false;
            introduced.JoinBoth();
            // Of a second, behind which a message 1 gives way to a new attempt.
            internet.RunFor(TimeSpan.FromMilliseconds(900));
            var sent = introduced.Heard.Where(packet => packet.To == introduced.Responder && packet.Bytes[0] == Message1).ToList();
            // Flights at 0, 33, 99, 231 and 495 ms.
            Assert.Equal(5, sent.Count);
            Assert.Single(sent.Select(packet => Convert.ToHexString(packet.Bytes)).Distinct());
        });
    }

    [Fact]
    public void Duplicates_of_message_1_get_the_cached_message_2_three_times_a_source()
    {
        SimulationRun.Check(1, internet =>
        {
            using var introduced = new Introduced(internet);
            introduced.SiteOf(introduced.Initiator).Uplink.Down.IsUp = false;
            introduced.JoinBoth();
            Assert.True(internet.RunUntil(() => introduced.Heard.Any(packet => packet.To == introduced.Responder), TimeSpan.FromSeconds(2)));
            var message1 = introduced.Heard.First(packet => packet.To == introduced.Responder).Bytes;
            // Whoever sees a message 1 can send it from anywhere.
            for (var i = 0; i < 10; i++) introduced.Responder.Node.HandleDatagram(Elsewhere, message1, internet.Now);
            introduced.Responder.Node.HandleDatagram(Elsewhere.WithPort(5001), message1, internet.Now);
            internet.RunFor(PunchPlan.FreshDelay); // then they come by other sockets, too
            var sent = introduced.SentBy(introduced.Responder).ToList();
            // One message, encrypted once, and nothing else to whom we do not know.
            var message2 = Assert.Single(sent.Where(packet => packet.Destination.Address == Elsewhere.Address).Select(packet => packet.Digest).Distinct());
            var answers = sent.Where(packet => packet.Digest == message2).ToList();
            Assert.Equal(3, answers.Count(packet => packet.Destination == Elsewhere));
            Assert.Equal(1, answers.Count(packet => packet.Destination == Elsewhere.WithPort(5001)));
            Assert.Equal(3, answers.Count(packet => packet.Destination == introduced.AddressOf(introduced.Initiator)));
            // The peer's hint, the connection id of our own message 1 and the one of the answer.
            Assert.Equal(3, introduced.Responder.Node.RouteCount);
        });
    }

    [Fact]
    public void A_replayed_attempt_is_dropped_once_a_newer_one_was_seen_and_after_the_handshake()
    {
        SimulationRun.Check(1, internet =>
        {
            using var introduced = new Introduced(internet);
            introduced.SiteOf(introduced.Initiator).Uplink.Down.IsUp = false;
            introduced.JoinBoth();
            // The initiator begins its second attempt with the flight at 1,023 ms.
            internet.RunFor(TimeSpan.FromMilliseconds(1_500));
            var attempts = introduced.Heard.Where(packet => packet.To == introduced.Responder && packet.Bytes[0] == Message1)
                .Select(packet => packet.Bytes).DistinctBy(Convert.ToHexString).ToList();
            Assert.Equal(2, attempts.Count);
            introduced.Responder.Node.HandleDatagram(Elsewhere, attempts[0], internet.Now);
            internet.RunFor(TimeSpan.FromMilliseconds(100));
            Assert.DoesNotContain(introduced.SentBy(introduced.Responder), packet => packet.Destination == Elsewhere);

            introduced.SiteOf(introduced.Initiator).Uplink.Down.IsUp = true;
            Assert.True(internet.RunUntil(introduced.AreConnected, TimeSpan.FromSeconds(10)));
            internet.RunFor(TimeSpan.FromSeconds(1));
            var routes = introduced.Responder.Node.RouteCount;
            foreach (var message1 in attempts) introduced.Responder.Node.HandleDatagram(Elsewhere, message1, internet.Now);
            internet.RunFor(TimeSpan.FromSeconds(5));
            Assert.DoesNotContain(introduced.SentBy(introduced.Responder), packet => packet.Destination == Elsewhere);
            Assert.Equal(routes, introduced.Responder.Node.RouteCount);
            Assert.Single(introduced.Responder.EventsOf<NodeEvent.Connected>());
        });
    }

    // The higher id's message 1 is an opener: the lower one sends its own to where it came from.
    [Fact]
    public void The_initiator_answers_an_observed_source_with_its_own_message_1_three_times()
    {
        SimulationRun.Check(1, internet =>
        {
            using var introduced = new Introduced(internet);
            introduced.SiteOf(introduced.Responder).Uplink.Down.IsUp = false;
            introduced.JoinBoth();
            Assert.True(internet.RunUntil(() => introduced.Heard.Any(packet => packet.To == introduced.Initiator), TimeSpan.FromSeconds(2)));
            var opener = introduced.Heard.First(packet => packet.To == introduced.Initiator).Bytes;
            Assert.Equal((Message1, 250), (opener[0], opener.Length));
            for (var i = 0; i < 10; i++) introduced.Initiator.Node.HandleDatagram(Elsewhere, opener, internet.Now);
            internet.RunFor(TimeSpan.FromSeconds(3));
            var answers = introduced.SentBy(introduced.Initiator).Where(packet => packet.Destination == Elsewhere).ToList();
            Assert.Equal(3, answers.Count);
            Assert.All(answers, packet => Assert.Equal(250, packet.Length));
            Assert.DoesNotContain(introduced.Heard, packet => packet.To == introduced.Initiator && packet.Bytes[0] == Message2);
        });
    }

    // PROTOCOL §12: 50 agreements a second, three a handshake: 11 are answered at once, 5 more when their cookies come back. The
    // others must be when they ask again, with the same message.
    [Fact]
    public void Whoever_is_not_answered_for_want_of_agreements_is_answered_when_it_asks_again()
    {
        SimulationRun.Check(1, internet =>
        {
            var random = internet.NewRandom();
            var identities = Enumerable.Range(0, 25).Select(_ => P256KeyPair.Generate(random)).OrderBy(identity => identity.DeriveId()).ToList();
            using var room = new RoomScenario(internet, Link);
            foreach (var identity in identities) room.AddPeer(NatBehavior.Open, identity);
            foreach (var peer in room.Peers.SkipLast(1)) room.Join(peer);
            Assert.True(internet.RunUntil(() => room.Peers.SkipLast(1).All(peer => peer.EventsOf<NodeEvent.Connected>().Count() == 23), TimeSpan.FromSeconds(20)));
            var responder = room.Peers[^1];
            room.Join(responder);
            Assert.True(internet.RunUntil(() => responder.EventsOf<NodeEvent.Connected>().Any(), TimeSpan.FromSeconds(2)));
            internet.RunFor(TimeSpan.FromMilliseconds(1));
            Assert.Equal(11, responder.EventsOf<NodeEvent.Connected>().Count());
            // One round trip later, in which the agreements of another handshake or two came in.
            internet.RunFor((4 * Link.Delay) + TimeSpan.FromMilliseconds(1));
            Assert.InRange(responder.EventsOf<NodeEvent.Connected>().Count(), 16, 18);
            Assert.True(internet.RunUntil(room.IsFullMesh, TimeSpan.FromSeconds(3)));
            Assert.Equal(24, responder.EventsOf<NodeEvent.Connected>().Count());
            foreach (var identity in identities) identity.Dispose();
        });
    }

    private sealed class Introduced : IDisposable
    {
        private readonly VirtualInternet _internet;
        private readonly RoomScenario _room;

        public Introduced(VirtualInternet internet)
        {
            _internet = internet;
            _room = new RoomScenario(internet, Link, NatBehavior.Open, NatBehavior.Open);
            var (one, other) = (_room.Peers[0], _room.Peers[1]);
            (Initiator, Responder) = one.Id < other.Id ? (one, other) : (other, one);
            foreach (var peer in _room.Peers)
            {
                peer.Overheard = (_, packet) =>
                {
                    if (packet[0] is >= Message1 and <= 0xc2) Heard.Add((peer, packet.ToArray()));
                };
            }
        }

        public SimulatedPeer Initiator { get; }

        public SimulatedPeer Responder { get; }

        /// <summary>Handshake packets that arrived, in order.</summary>
        public List<(SimulatedPeer To, byte[] Bytes)> Heard { get; } = [];

        public Site SiteOf(SimulatedPeer peer) => _room.Sites[peer == _room.Peers[0] ? 0 : 1];

        public Endpoint AddressOf(SimulatedPeer peer) => _internet.Trace.Recent().First(entry => entry.Place == peer.Name && entry.Verdict == Tracing.Verdict.Sent).Source;

        public IEnumerable<Tracing.TraceEvent> SentBy(SimulatedPeer peer) =>
            _internet.Trace.Recent().Where(entry => entry.Place == peer.Name && entry.Verdict == Tracing.Verdict.Sent);

        public bool AreConnected() => Initiator.IsConnectedTo(Responder) && Responder.IsConnectedTo(Initiator);

        public void JoinBoth()
        {
            foreach (var peer in _room.Peers) _room.Join(peer);
        }

        public void Dispose() => _room.Dispose();
    }
}
