using Punchline.Protocols.Coordination;
using Punchline.Protocols.Noise;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Rooms;
using Punchline.Protocols.Traversal;
using Punchline.Simulation;

namespace Punchline.Protocols.Tests.Rooms;

public sealed class IntroductionFrameTests
{
    private static readonly Endpoint Seen = Endpoint.Parse("198.51.100.7:40000");

    private readonly SeededRandom _random = new(1);

    [Theory]
    [InlineData("198.51.100.7:40000")]
    [InlineData("[2001:db8::7]:40000")]
    [InlineData(null)]
    public void A_member_is_read_as_it_was_written_with_where_it_is_seen(string? address)
    {
        Endpoint? seen = address is null ? null : Endpoint.Parse(address);
        var written = Introduction();
        Assert.True(IntroductionFrame.TryReadMember(BodyOf(IntroductionFrame.WriteMember(written, seen), IntroductionFrame.Member), out var read));
        Assert.Equal((written.Id, written.Instance, 7u, "member", seen), (read.Id, read.Instance, read.Generation, read.Name, read.SeenAt));
        Assert.Equal(written.Candidates, read.Candidates);
        Assert.Equal(written.Offers, read.Offers);
        Assert.Equal(written.Profile, read.Profile);
        // Whoever passes it on is known by the connection, and not by what it says.
        Assert.Null(read.Introducer);
    }

    [Fact]
    public void A_member_that_is_cut_off_before_its_fields_is_none()
    {
        var body = BodyOf(IntroductionFrame.WriteMember(Introduction() with { Offers = [], Profile = NetworkProfile.Unknown }, Seen), IntroductionFrame.Member);
        for (var length = 0; length < body.Length; length++) Assert.False(IntroductionFrame.TryReadMember(body.AsSpan(0, length), out _), $"{length} bytes");
        body[0] = 5;
        Assert.False(IntroductionFrame.TryReadMember(body, out _));
    }

    [Fact]
    public void The_longest_introduction_there_is_fits()
    {
        var candidates = Enumerable.Range(0, Candidate.MaxPerPeer).Select(i => new Candidate(CandidateKind.ServerReflexive, Endpoint.Parse($"[2001:db8::{i:x}]:40000")));
        var longest = Introduction() with { Candidates = [.. candidates], Name = new string('x', IntroductionBlob.MaxNameBytes), Offers = [.. Enumerable.Repeat(Offer, PortOffer.MaxPerPeer)] };
        Assert.True(IntroductionFrame.TryReadMember(BodyOf(IntroductionFrame.WriteMember(longest, Endpoint.Parse("[2001:db8::7]:40000")), IntroductionFrame.Member), out var read));
        Assert.Equal((Candidate.MaxPerPeer, PortOffer.MaxPerPeer), (read.Candidates.Count, read.Offers.Count));
    }

    [Fact]
    public void Connected_are_whole_targets_and_no_more_than_a_room_has_members()
    {
        var body = BodyOf(IntroductionFrame.WriteConnected([1, 2]), IntroductionFrame.Connected);
        Assert.True(IntroductionFrame.TryReadConnected(body, out var targets));
        Assert.Equal([1ul, 2ul], targets.Order());
        Assert.True(IntroductionFrame.TryReadConnected([], out targets));
        Assert.Empty(targets);
        Assert.False(IntroductionFrame.TryReadConnected(body.AsSpan(1), out _));
        Assert.True(IntroductionFrame.TryReadConnected(new byte[8 * IntroductionFrame.MaxConnected], out _));
        Assert.False(IntroductionFrame.TryReadConnected(new byte[8 * (IntroductionFrame.MaxConnected + 1)], out _));
    }

    [Fact]
    public void A_stream_that_announces_a_longer_body_than_any_may_be_is_malformed()
    {
        var reader = new ChatFrameReader(IntroductionFrame.MaxBodyBytes);
        var header = new SpanWriter(reader.GetSpan());
        header.WriteVarInt(IntroductionFrame.Member);
        header.WriteVarInt(IntroductionFrame.MaxBodyBytes + 1);
        reader.Advance(header.Length);
        Assert.False(reader.TryRead(out _, out _));
        Assert.True(reader.IsMalformed);
    }

    private static PortOffer Offer => new(5, Seen, 40_009, 3);

    private IntroductionBlob Introduction()
    {
        using var key = P256KeyPair.Generate(_random);
        return new IntroductionBlob(key.PublicKey.ToArray(), InstanceId.Generate(_random), 7, "member", [new Candidate(CandidateKind.ServerReflexive, Seen)])
        {
            Offers = [Offer],
            Profile = new NetworkProfile { Mapping = MappingBehavior.AddressDependent, Allocation = PortAllocation.Random },
        };
    }

    private static byte[] BodyOf(byte[] frame, ulong type)
    {
        var reader = new ChatFrameReader(IntroductionFrame.MaxBodyBytes);
        frame.CopyTo(reader.GetSpan());
        reader.Advance(frame.Length);
        Assert.True(reader.TryRead(out var read, out var body));
        Assert.Equal(type, read);
        return body.ToArray();
    }
}
