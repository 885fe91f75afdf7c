using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport;
using Punchline.Protocols.Transport.Frames;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Tests.Transport.Paths;

/// <summary>Two connections with two paths between them: 20 ms one way, and one of the neighbourhood that takes 1 ms.</summary>
public sealed class ConnectionMigrationTests
{
    private static readonly Endpoint Elsewhere = Endpoint.Parse("203.0.113.9:999");

    private static Pair TwoPaths() => new(hasManyIds: true)
    {
        Initiator = { Other = Endpoint.Parse("192.168.1.10:1000") },
        Responder = { Other = Endpoint.Parse("192.168.1.11:2000") },
    };

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Whoever_finds_a_better_path_both_go_over_to_it_and_no_byte_is_lost(bool initiatorAsks)
    {
        var pair = TwoPaths();
        var bytes = new byte[500_000];
        new Random(1).NextBytes(bytes);
        var id = pair.Initiator.Send("x", bytes);
        pair.Run(TimeSpan.FromMilliseconds(100));
        if (initiatorAsks) pair.Probe(pair.Initiator, pair.Responder.Other!.Value);
        else pair.Probe(pair.Responder, pair.Initiator.Other!.Value);

        // There and back, once more with a whole packet, and there with the first that says so: 5 ms. The responder asks for itself meanwhile.
        Assert.True(pair.RunUntil(() => pair.Initiator.Connection.Path == pair.Responder.Other && pair.Responder.Connection.Path == pair.Initiator.Other, TimeSpan.FromMilliseconds(20)));
        Assert.True(pair.RunUntil(() => pair.Responder.Finished.Contains(id)));
        Assert.Equal(bytes, pair.Responder.Received[id].ToArray());
        pair.Run(TimeSpan.FromSeconds(2));
        foreach (var side in (Side[])[pair.Initiator, pair.Responder])
        {
            Assert.Equal(1, side.Count(ConnectionEventKind.PathChanged));
            Assert.Equal(0, side.Count(ConnectionEventKind.PathSilent));
            Assert.True(side.Connection.IsNear);
            // Another path has another id (RFC 9000 §9.5), from the first packet on.
            Assert.Empty(IdsTo(side, isNear: true).Intersect(IdsTo(side, isNear: false)));
            // The old one answered, and is kept.
            Assert.Equal(1, side.Connection.OtherPathCount);
        }

        IEnumerable<string> IdsTo(Side side, bool isNear) => side.Sent
            .Where(packet => isNear == (packet.Destination == pair.Initiator.Other || packet.Destination == pair.Responder.Other))
            .Select(packet => Convert.ToHexString(packet.Bytes.AsSpan(1, 8))).Distinct(StringComparer.Ordinal);
    }

    [Fact]
    public void A_path_that_is_no_better_is_kept_and_takes_over_when_the_first_falls_silent()
    {
        var pair = TwoPaths();
        pair.Initiator.Other = Endpoint.Parse("198.51.100.50:1");
        pair.Responder.Other = Endpoint.Parse("203.0.113.50:2");
        pair.OtherDelay = TimeSpan.FromMilliseconds(20);
        pair.Probe(pair.Initiator, pair.Responder.Other!.Value);
        pair.Run(TimeSpan.FromSeconds(1));
        Assert.Equal(Pair.ResponderAddress, pair.Initiator.Connection.Path);
        var bytes = new byte[500_000];
        new Random(1).NextBytes(bytes);
        var id = pair.Initiator.Send("x", bytes);
        pair.Run(TimeSpan.FromMilliseconds(100));
        var dead = pair.Now;
        pair.Carries = to => to != Pair.ResponderAddress && to != Pair.InitiatorAddress;

        Assert.True(pair.RunUntil(() => pair.Initiator.Count(ConnectionEventKind.PathChanged) == 1));
        // What was answered last went in 40 ms before; silence is 500 ms, and the answer takes 40 ms.
        Assert.InRange(pair.Now - dead, TimeSpan.FromMilliseconds(500), TimeSpan.FromMilliseconds(600));
        Assert.True(pair.RunUntil(() => pair.Responder.Finished.Contains(id), TimeSpan.FromSeconds(5)));
        Assert.Equal(bytes, pair.Responder.Received[id].ToArray());
        Assert.Equal((pair.Responder.Other!.Value, pair.Initiator.Other!.Value), (pair.Initiator.Connection.Path.Remote, pair.Responder.Connection.Path.Remote));
        pair.Run(TimeSpan.FromSeconds(5));
        // It did not answer within three probe time-outs.
        Assert.Equal([Pair.ResponderAddress], pair.Initiator.Connection.FormerPaths);
    }

    [Theory]
    [InlineData(20, 500)] // three probe time-outs of 145 ms are less
    [InlineData(100, 1_275)] // 3 × (200 + 4 × 50 + 25)
    [InlineData(400, 2_600)] // 1 s and two round trips
    public void Silence_is_noticed_in_time(int delayMilliseconds, int afterMilliseconds)
    {
        var delay = TimeSpan.FromMilliseconds(delayMilliseconds);
        var pair = new Pair(link: new LinkBehaviour { Delay = delay });
        for (var i = 0; delayMilliseconds != 20 && i < 100; i++)
        {
            pair.Initiator.Connection.Ping();
            pair.Run(4 * delay);
        }
        // The handshake's round trip of 40 ms was too short for the longer ones.
        var before = pair.Initiator.Count(ConnectionEventKind.PathSilent);
        Assert.False(pair.Initiator.Connection.IsSilent);
        pair.Carries = _ => false;
        pair.Initiator.Connection.Ping();
        var asked = pair.Now;
        Assert.True(pair.RunUntil(() => pair.Initiator.Count(ConnectionEventKind.PathSilent) == before + 1));
        Assert.True(pair.Initiator.Connection.IsSilent);
        Assert.InRange(pair.Now - asked, TimeSpan.FromMilliseconds(Math.Min(500, afterMilliseconds)), TimeSpan.FromMilliseconds(afterMilliseconds));
        Assert.InRange(pair.Now - asked, TimeSpan.Zero, TimeSpan.FromSeconds(1) + (4 * delay));
    }

    [Fact]
    public void What_there_is_to_say_waits_while_the_path_is_silent_and_flows_within_a_second_of_its_return()
    {
        var pair = new Pair();
        var id = pair.Initiator.Open("x");
        pair.Run(TimeSpan.FromSeconds(1));
        pair.Carries = _ => false;
        pair.Initiator.Connection.Ping();
        pair.Run(TimeSpan.FromSeconds(1));
        var before = pair.Initiator.Sent.Count;
        pair.Initiator.SendOn(id, new byte[100_000]);
        pair.Run(TimeSpan.FromSeconds(5));
        // Two packets a time-out, at most one a second apart.
        Assert.InRange(pair.Initiator.Sent.Count - before, 8, 12);
        pair.Carries = _ => true;
        Assert.True(pair.RunUntil(() => pair.Responder.Received.TryGetValue(id, out var received) && received.Length > 0, TimeSpan.FromMilliseconds(1_080)));
        Assert.True(pair.RunUntil(() => pair.Responder.Finished.Contains(id), TimeSpan.FromSeconds(2)));
    }

    [Fact]
    public void A_challenge_from_an_unknown_address_gets_three_times_its_bytes_and_moves_nothing()
    {
        var peer = new ScriptedPeer { Source = Elsewhere };
        var challenge = "1a" + "0102030405060708" + string.Concat(Enumerable.Repeat("00", Connection.ProbeSize - PacketHeader.Length - PacketHeader.TagLength - PathFrame.Length));
        peer.SendHex(challenge);
        var sent = peer.Drain().Where(p => p.Destination == Elsewhere).ToList();
        Assert.Equal([(FrameType.PathResponse, Connection.ProbeSize), (FrameType.PathChallenge, 2 * Connection.ProbeSize)], sent.Select(p => ((FrameType)p.Frames[0], p.Length)));
        for (var i = 0; i < 20; i++)
        {
            peer.Now += TimeSpan.FromMilliseconds(145);
            peer.Connection.HandleTimeout(peer.Now);
            Assert.DoesNotContain(peer.Drain(), p => p.Destination == Elsewhere);
        }
        // It answers: now it is known, and still not where packets go.
        peer.SendHex("1b" + Convert.ToHexString(sent[1].Frames.AsSpan(1, 8)));
        Assert.Empty(peer.Events());
        peer.SendHex(challenge);
        sent = [.. peer.Drain().Where(p => p.Destination == Elsewhere)];
        peer.SendHex("1b" + Convert.ToHexString(sent[1].Frames.AsSpan(1, 8)));
        Assert.Equal(new ConnectionEvent(ConnectionEventKind.PathValidated, Path: Elsewhere), Assert.Single(peer.Events()));
        Assert.Equal(Pair.InitiatorAddress, peer.Connection.Path);
    }

    // Whoever sees the peer's packets can send a copy of one from where the peer was.
    [Fact]
    public void A_path_that_was_left_is_not_returned_to_without_a_new_answer()
    {
        var peer = new ScriptedPeer { Source = Elsewhere };
        peer.SendHex("01" + string.Concat(Enumerable.Repeat("00", 1_100)));
        peer.SendHex("1b" + Convert.ToHexString(Assert.Single(peer.Drain()).Frames.AsSpan(1, 8)));
        Assert.Equal(Elsewhere, peer.Connection.Path);
        var challenge = peer.Drain().Single(p => p.Destination == Pair.InitiatorAddress).Frames;
        peer.Source = Pair.InitiatorAddress;
        peer.SendHex("01");
        Assert.Equal(Elsewhere, peer.Connection.Path);
        peer.SendHex("1b" + Convert.ToHexString(challenge.AsSpan(1, 8)));
        Assert.Equal(Pair.InitiatorAddress, peer.Connection.Path);
    }

    [Fact]
    public void What_comes_from_elsewhere_before_the_peer_is_back_moves_nothing()
    {
        var peer = new ScriptedPeer { Source = Elsewhere };
        peer.SendHex("01" + string.Concat(Enumerable.Repeat("00", 1_100)));
        var challenge = Assert.Single(peer.Drain()).Frames;
        peer.Source = Pair.InitiatorAddress;
        peer.SendHex("01");
        peer.Source = Elsewhere;
        peer.SendHex("1b" + Convert.ToHexString(challenge.AsSpan(1, 8)));
        Assert.Equal(Pair.InitiatorAddress, peer.Connection.Path);
        Assert.Equal(ConnectionEventKind.PathValidated, Assert.Single(peer.Events()).Kind);
    }

    [Fact]
    public void Of_ever_other_addresses_four_are_remembered_and_one_is_followed()
    {
        var peer = new ScriptedPeer();
        for (var i = 0; i < 100; i++)
        {
            peer.Source = Elsewhere.WithPort((ushort)(2_000 + i));
            peer.SendHex("01" + string.Concat(Enumerable.Repeat("00", 500)));
        }
        Assert.Equal(4, peer.Connection.OtherPathCount);
        Assert.Equal([2_000], peer.Drain().Where(p => p.Destination != Pair.InitiatorAddress).Select(p => (int)p.Destination.Port).Distinct());
    }

    [Fact]
    public void Candidates_travel_until_they_arrive_and_the_newest_counts()
    {
        var pair = new Pair();
        Candidate[] old = [new(CandidateKind.Host, Endpoint.Parse("192.0.2.77:7000"))];
        Candidate[] latest = [new(CandidateKind.ServerReflexive, Endpoint.Parse("192.0.2.78:7000"))];
        pair.Carries = _ => false;
        pair.Initiator.Connection.Announce(3, old);
        pair.Run(TimeSpan.FromSeconds(1));
        pair.Initiator.Connection.Announce(4, latest);
        pair.Initiator.Connection.Announce(2, old);
        pair.Carries = _ => true;
        Assert.True(pair.RunUntil(() => pair.Responder.Connection.RemoteCandidates.Generation == 4, TimeSpan.FromSeconds(2)));
        Assert.Equal(latest, pair.Responder.Connection.RemoteCandidates.Candidates);
        pair.Run(TimeSpan.FromSeconds(2));
        Assert.Equal(4UL, pair.Responder.Connection.RemoteCandidates.Generation);
    }

    [Fact]
    public void The_peer_is_told_where_it_is_seen_and_again_after_a_move()
    {
        var pair = new Pair();
        pair.Responder.Connection.TellObservedAddress();
        pair.Responder.Connection.TellObservedAddress();
        Assert.True(pair.RunUntil(() => pair.Initiator.Count(ConnectionEventKind.AddressObserved) == 1));
        Assert.Equal(Pair.InitiatorAddress, pair.Initiator.Connection.ObservedAddress);
        pair.Initiator.Address = Elsewhere;
        pair.Initiator.Connection.Ping();
        Assert.True(pair.RunUntil(() => pair.Initiator.Connection.ObservedAddress == Elsewhere, TimeSpan.FromSeconds(1)));
        Assert.Equal(2, pair.Initiator.Count(ConnectionEventKind.AddressObserved));
    }

    [Fact]
    public void A_peer_that_does_not_know_our_frames_gets_none()
    {
        var older = TransportParameters.Default with { KnowsPathFrames = false };
        var pair = new Pair(parameters: TransportParameters.Default, responderParameters: older);
        pair.Initiator.Connection.Announce(1, [new(CandidateKind.Host, Endpoint.Parse("192.0.2.77:7000"))]);
        pair.Initiator.Connection.TellObservedAddress();
        pair.Run(TimeSpan.FromSeconds(1));
        Assert.Empty(pair.Initiator.Sent);
        Assert.Equal(0UL, pair.Responder.Connection.RemoteCandidates.Generation);
    }
}
