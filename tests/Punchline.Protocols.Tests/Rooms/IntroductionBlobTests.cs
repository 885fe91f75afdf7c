using System.Security.Cryptography;
using Punchline.Protocols.Coordination;
using Punchline.Protocols.Noise;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Rooms;
using Punchline.Protocols.Traversal;
using Punchline.Simulation;

namespace Punchline.Protocols.Tests.Rooms;

public sealed class IntroductionBlobTests
{
    private static readonly RoomKeys Keys = new(new byte[32]);
    private static readonly byte[] PublicKey = [4, .. Enumerable.Range(0, 64).Select(i => (byte)i)];
    private static readonly PeerId Id = PeerIdDerivation.Derive(P256KeyPair.Suite, PublicKey);
    private static readonly InstanceId Instance = new(0x0123_4567_89ab_cdef);

    private static readonly Candidate[] Candidates =
    [
        new(CandidateKind.ServerReflexive, Endpoint.Parse("203.0.113.5:5000")),
        new(CandidateKind.Host, Endpoint.Parse("[2001:db8::1]:5001")),
    ];

    [Fact]
    public void What_was_sealed_is_what_is_opened()
    {
        var blob = new IntroductionBlob(PublicKey, Instance, 7, "Zoë", Candidates) { Versions = new byte[] { 2, 1 }, Suites = new byte[] { 9, 1 } };
        Assert.True(IntroductionBlob.TryOpen(blob.Seal(Keys, new SeededRandom(1)), Keys, out var opened));
        Assert.Equal((Id, Instance, 7u, "Zoë"), (opened.Id, opened.Instance, opened.Generation, opened.Name));
        Assert.Equal(Candidates, opened.Candidates);
        Assert.Equal([2, 1], opened.Versions.ToArray());
        Assert.Equal([9, 1], opened.Suites.ToArray());
        Assert.Equal(PublicKey, opened.PublicKey.ToArray());
        Assert.Equal(new IntroducedPeer(Id, Instance), opened.Peer);
    }

    [Fact]
    public void The_largest_blob_has_806_bytes_and_every_seal_another_nonce()
    {
        var candidates = Enumerable.Range(1, Candidate.MaxPerPeer).Select(i => new Candidate(CandidateKind.Host, Endpoint.Parse($"[2001:db8::{i}]:5000")));
        var blob = new IntroductionBlob(PublicKey, Instance, uint.MaxValue, new string('n', IntroductionBlob.MaxNameBytes), [.. candidates]);
        var random = new SeededRandom(1);
        var one = blob.Seal(Keys, random);
        var two = blob.Seal(Keys, random);
        // nonce 12, lists 2 + 2, key 65, instance 16, generation 4, name 2 + 64, count 1, 30 × (1 + 1 + 16 + 2), tag 16
        Assert.Equal(12 + 4 + 65 + 16 + 4 + 66 + 1 + 600 + 16, one.Length);
        Assert.NotEqual(one[..12], two[..12]);
        Assert.True(IntroductionBlob.TryOpen(one, Keys, out var opened));
        Assert.Equal(30, opened.Candidates.Count);
    }

    [Fact]
    public void Another_rooms_blob_or_a_changed_one_is_not_opened()
    {
        var genuine = new IntroductionBlob(PublicKey, Instance, 1, "name", Candidates).Seal(Keys, new SeededRandom(1));
        var otherKey = new byte[32];
        otherKey[0] = 1;
        Assert.False(IntroductionBlob.TryOpen(genuine, new RoomKeys(otherKey), out _));
        for (var i = 0; i < genuine.Length; i++)
        {
            byte[] changed = [.. genuine];
            changed[i] ^= 1;
            Assert.False(IntroductionBlob.TryOpen(changed, Keys, out _));
        }
        for (var length = 0; length < genuine.Length; length++) Assert.False(IntroductionBlob.TryOpen(genuine.AsSpan(0, length), Keys, out _));
        Assert.False(IntroductionBlob.TryOpen(new byte[IntroductionBlob.MaxLength + 1], Keys, out _));
    }

    // A member has the room's key: what it seals may still be nonsense.
    [Fact]
    public void A_sealed_plaintext_is_whole_and_within_the_limits_or_nothing()
    {
        var plaintext = Plaintext("name", [.. Candidates.Select(candidate => (candidate.Kind, candidate.Endpoint))]);
        Assert.True(Opens(plaintext));
        Assert.True(Opens([.. plaintext, 1, 2, 3])); // a later version's fields
        for (var length = 0; length < plaintext.Length; length++) Assert.False(Opens(plaintext[..length]));
        Assert.True(Opens(Plaintext(new string('n', 64), [])));
        Assert.False(Opens(Plaintext(new string('n', 65), [])));
        Assert.True(Opens(Plaintext("n", [.. Enumerable.Repeat((CandidateKind.Host, Candidates[0].Endpoint), 30)])));
        Assert.False(Opens(Plaintext("n", [.. Enumerable.Repeat((CandidateKind.Host, Candidates[0].Endpoint), 31)])));
        Assert.False(Opens([0, .. plaintext[1..]])); // no version
        Assert.False(Opens([17, .. Enumerable.Repeat((byte)1, 17), .. plaintext[2..]])); // too many
        byte[] wrongLength = [.. plaintext];
        wrongLength[plaintext.Length - 20 - 8 + 1] = 5; // the first candidate's address
        Assert.False(Opens(wrongLength));
    }

    [Fact]
    public void Candidates_of_unknown_kinds_and_those_that_are_only_observed_are_left_out()
    {
        var endpoint = Candidates[0].Endpoint;
        var sealedBlob = Seal(Plaintext("n", [((CandidateKind)200, endpoint), (CandidateKind.PeerReflexive, endpoint), (CandidateKind.Host, endpoint), (CandidateKind.Mapped, endpoint), (default, endpoint)]));
        Assert.True(IntroductionBlob.TryOpen(sealedBlob, Keys, out var opened));
        Assert.Equal([new Candidate(CandidateKind.Host, endpoint), new Candidate(CandidateKind.Mapped, endpoint)], opened.Candidates);
    }

    [Fact]
    public void Ports_that_were_opened_for_others_stand_behind_the_candidates()
    {
        PortOffer[] offers =
        [
            new(7, Endpoint.Parse("198.51.100.7:5000"), 5_000, 1), new(8, Endpoint.Parse("[2001:db8::1]:30000"), 31_023, 64),
            new(7, Endpoint.Parse("198.51.100.7:20004"), 20_004, 1) { Carrier = Carrier.Tcp },
        ];
        var blob = new IntroductionBlob(PublicKey, Instance, 1, "n", Candidates) { Offers = offers };
        Assert.True(IntroductionBlob.TryOpen(blob.Seal(Keys, new SeededRandom(1)), Keys, out var opened));
        Assert.Equal(offers, opened.Offers);
        Assert.Equal(Candidates, opened.Candidates);
        // As many as there may be, in the longest blob there is.
        var full = new IntroductionBlob(PublicKey, Instance, 1, new string('n', 64), [.. Enumerable.Repeat(new Candidate(CandidateKind.Host, offers[1].First), 30)])
        {
            Offers = [.. Enumerable.Repeat(offers[1], PortOffer.MaxPerPeer)],
        };
        Assert.True(IntroductionBlob.TryOpen(full.Seal(Keys, new SeededRandom(1)), Keys, out opened));
        Assert.Equal(32, opened.Offers.Count);
    }

    [Fact]
    public void Where_searches_begin_stands_in_a_field_of_its_own()
    {
        SearchOrigin[] origins = [new(7, 50_001), new(ulong.MaxValue, 1_024)];
        var blob = new IntroductionBlob(PublicKey, Instance, 1, "n", Candidates) { Origins = origins };
        Assert.True(IntroductionBlob.TryOpen(blob.Seal(Keys, new SeededRandom(1)), Keys, out var opened));
        Assert.Equal(origins, opened.Origins);
        Assert.Empty(opened.Offers);
        // Behind as many offers as there may be, in the longest blob there is.
        var offer = new PortOffer(8, Endpoint.Parse("[2001:db8::1]:30000"), 31_023, 64);
        var full = new IntroductionBlob(PublicKey, Instance, 1, new string('n', 64), [.. Enumerable.Repeat(new Candidate(CandidateKind.Host, offer.First), 30)])
        {
            Profile = new NetworkProfile { Mapping = MappingBehavior.EndpointIndependent },
            Offers = [.. Enumerable.Repeat(offer, PortOffer.MaxPerPeer)],
            Origins = [.. Enumerable.Repeat(origins[0], SearchOrigin.MaxPerPeer)],
        };
        Assert.True(IntroductionBlob.TryOpen(full.Seal(Keys, new SeededRandom(1)), Keys, out opened));
        Assert.Equal((32, 16), (opened.Offers.Count, opened.Origins.Count));
        byte[] field = [4, 20, 0, 0, 0, 0, 0, 0, 0, 7, 0xc3, 0x51, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x04, 0x00];
        Assert.True(IntroductionBlob.TryOpen(Seal([.. Plaintext("n", []), .. field]), Keys, out opened));
        Assert.Equal(origins, opened.Origins);
        // One that is cut off is none.
        Assert.True(IntroductionBlob.TryOpen(Seal([.. Plaintext("n", []), 4, 19, .. field[2..^1]]), Keys, out opened));
        Assert.Equal(origins[..1], opened.Origins);
    }

    [Theory]
    [InlineData(5_000, 4_999, 1)] // no port
    [InlineData(5_000, 5_000, 0)] // no socket
    [InlineData(5_000, 5_001, 3)] // more sockets than ports
    public void An_offer_that_makes_no_sense_ends_the_list(ushort first, ushort last, ushort sockets)
    {
        PortOffer good = new(7, Endpoint.Parse("198.51.100.7:5000"), 5_000, 1);
        var blob = new IntroductionBlob(PublicKey, Instance, 1, "n", []) { Offers = [good, new(8, good.First.WithPort(first), last, sockets), good] };
        Assert.True(IntroductionBlob.TryOpen(blob.Seal(Keys, new SeededRandom(1)), Keys, out var opened));
        Assert.Equal([good], opened.Offers);
    }

    // A later version's fields in between are passed over; what is cut off ends the reading.
    [Fact]
    public void Fields_that_are_unknown_or_malformed_do_no_harm()
    {
        byte[] offers = [1, 19, 0, 0, 0, 0, 0, 0, 0, 7, 4, 198, 51, 100, 7, 0x13, 0x88, 0x13, 0x88, 0, 1];
        byte[] unknown = [0x40, 99, 3, 1, 2, 3];
        Assert.Single(OffersBehind([.. unknown, .. offers]));
        Assert.Empty(OffersBehind(offers[..^1]));
        Assert.Empty(OffersBehind([0x40, 99, 40, .. offers]));
    }

    private static IReadOnlyList<PortOffer> OffersBehind(byte[] fields)
    {
        Assert.True(IntroductionBlob.TryOpen(Seal([.. Plaintext("n", []), .. fields]), Keys, out var opened));
        return opened.Offers;
    }

    [Fact]
    public void A_name_is_made_safe_to_show()
    {
        Assert.True(IntroductionBlob.TryOpen(Seal(Plaintext("a\u001b[31mb\r\nc\u202ed", [])), Keys, out var opened));
        Assert.Equal("a[31mbcd", opened.Name);
    }

    private static bool Opens(byte[] plaintext) => IntroductionBlob.TryOpen(Seal(plaintext), Keys, out _);

    private static byte[] Plaintext(string name, (CandidateKind Kind, Endpoint Endpoint)[] candidates)
    {
        var buffer = new byte[1_500];
        var writer = new SpanWriter(buffer);
        writer.WriteBytes([1, 1, 1, 1]);
        writer.WriteBytes(PublicKey);
        Instance.CopyTo(writer.Free);
        writer.Advance(InstanceId.ByteLength);
        writer.WriteUInt32(1);
        var bytes = System.Text.Encoding.UTF8.GetBytes(name);
        writer.WriteVarInt((ulong)bytes.Length);
        writer.WriteBytes(bytes);
        writer.WriteByte((byte)candidates.Length);
        foreach (var (kind, endpoint) in candidates)
        {
            writer.WriteByte((byte)kind);
            writer.WriteByte((byte)endpoint.AddressLength);
            writer.Advance(endpoint.WriteAddress(writer.Free));
            writer.WriteUInt16(endpoint.Port);
        }
        return writer.Written.ToArray();
    }

    private static byte[] Seal(byte[] plaintext)
    {
        var blob = new byte[12 + plaintext.Length + 16];
        using var aes = new AesGcm(Keys.IntroductionKey, 16);
        aes.Encrypt(blob.AsSpan(0, 12), plaintext, blob.AsSpan(12, plaintext.Length), blob.AsSpan(12 + plaintext.Length), Keys.Tag);
        return blob;
    }
}
