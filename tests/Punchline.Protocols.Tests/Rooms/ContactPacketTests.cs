using Punchline.Protocols.Noise;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Rooms;
using Punchline.Protocols.Transport.Handshake;
using Punchline.Simulation;

namespace Punchline.Protocols.Tests.Rooms;

public sealed class ContactPacketTests : IDisposable
{
    private const long Hour = 495_000;

    private static readonly RoomKeys Keys = new([.. Enumerable.Repeat((byte)1, RoomKeys.KeyLength)]);
    private static readonly RoomKeys OtherRoom = new([.. Enumerable.Repeat((byte)2, RoomKeys.KeyLength)]);
    private static readonly byte[] Cookie = [.. Enumerable.Repeat((byte)3, AddressCookies.Length)];
    private static readonly byte[] Returned = [.. Enumerable.Repeat((byte)4, AddressCookies.Length)];

    private readonly SeededRandom _random = new(1);
    private readonly P256KeyPair _sender;

    public ContactPacketTests() => _sender = P256KeyPair.Generate(_random);

    [Fact]
    public void Hello_and_answer_have_one_length_so_that_answering_a_forged_source_amplifies_nothing()
    {
        Assert.Equal(135, ContactPacket.Length);
        Assert.Equal(ContactPacket.Length, Hello().Length);
        Assert.Equal(ContactPacket.Length, ContactPacket.Write(ContactKind.Answer, Keys, 5, _sender.PublicKey, Cookie, Returned, _random).Length);
        Assert.Equal(1_049, ContactPacket.MaxBlobLength);
    }

    [Fact]
    public void Of_two_hellos_that_say_the_same_no_bytes_but_the_header_are_alike() =>
        Assert.InRange(Hello()[10..].Zip(Hello()[10..]).Count(pair => pair.First == pair.Second), 0, 10);

    [Fact]
    public void Whoever_has_not_the_rooms_key_reads_and_changes_nothing()
    {
        var packet = Hello();
        Assert.True(ContactPacket.TryOpen(Keys, packet, out _));
        Assert.False(ContactPacket.TryOpen(OtherRoom, packet, out _));
        for (var i = 0; i < packet.Length; i++)
        {
            packet[i] ^= 1;
            Assert.False(ContactPacket.TryOpen(Keys, packet, out _), $"byte {i}");
            packet[i] ^= 1;
        }
    }

    [Fact]
    public void A_member_cannot_pass_on_anothers_introduction_as_its_own_nor_write_one_in_its_name()
    {
        using var receiver = P256KeyPair.Generate(_random);
        using var thief = P256KeyPair.Generate(_random);
        var key = PairKey(_sender, _sender.DeriveId(), receiver);
        var blob = new byte[IntroductionBlob.MaxLength];
        var writer = new SpanWriter(blob);
        new IntroductionBlob(_sender.PublicKey.ToArray(), default, 1, "a", []).Write(ref writer);
        var packet = ContactPacket.WriteIntroduction(Keys, 5, _sender.PublicKey, Cookie, Returned, key, writer.Written, _random);
        Assert.True(ContactPacket.TryOpenBlob(PairKey(receiver, _sender.DeriveId(), _sender, receiver), packet, out var introduction));
        Assert.Equal(_sender.DeriveId(), introduction.Id);
        // What a third member can agree on with either of the two is another key.
        Assert.False(ContactPacket.TryOpenBlob(PairKey(thief, _sender.DeriveId(), receiver), packet, out _));
        Assert.False(ContactPacket.TryOpenBlob(PairKey(thief, _sender.DeriveId(), _sender), packet, out _));
        // Another's head before it.
        var head = ContactPacket.Write(ContactKind.Answer, Keys, 5, thief.PublicKey, Cookie, Returned, _random);
        byte[] spliced = [.. head, .. packet[ContactPacket.Length..]];
        Assert.False(ContactPacket.TryOpenBlob(key, spliced, out _));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(134)]
    [InlineData(1_201)]
    public void Other_lengths_versions_and_types_are_no_contact(int length)
    {
        var packet = new byte[length];
        if (length > 1) (packet[0], packet[1]) = ((byte)ContactKind.Introduction, HandshakePacket.Version);
        Assert.False(ContactPacket.TryReadHint(packet, out _));
        var hello = Hello();
        Assert.True(ContactPacket.TryReadHint(hello, out var hint));
        Assert.Equal(Keys.DeriveContactHint(Hour), hint);
        Assert.False(ContactPacket.TryReadHint([.. hello, 0], out _));
        Assert.False(ContactPacket.TryReadHint([(byte)ContactKind.Introduction, .. hello[1..]], out _));
        Assert.False(ContactPacket.TryReadHint([hello[0], 2, .. hello[2..]], out _));
        Assert.False(ContactPacket.TryReadHint([0xc8, .. hello[1..]], out _));
    }

    [Fact]
    public void Noise_opens_to_nothing()
    {
        var packet = new byte[300];
        for (var i = 0; i < 300; i++)
        {
            _random.Fill(packet);
            (packet[0], packet[1]) = ((byte)(0xc5 + (i % 3)), HandshakePacket.Version);
            var noise = packet.AsSpan(0, ContactPacket.Length + (i % 3 == 2 ? 1 + (i % 100) : 0));
            Assert.True(ContactPacket.TryReadHint(noise, out _));
            Assert.False(ContactPacket.TryOpen(Keys, noise, out _));
            Assert.False(ContactPacket.TryOpenBlob(Keys.ContactKey, noise, out _));
        }
    }

    public void Dispose() => _sender.Dispose();

    private byte[] Hello() => ContactPacket.Write(ContactKind.Hello, Keys, Keys.DeriveContactHint(Hour), _sender.PublicKey, Cookie, [], _random);

    // What the owner of a key computes for a packet from a sender, with whomever it takes for the other side.
    private static byte[] PairKey(P256KeyPair own, PeerId sender, P256KeyPair other, P256KeyPair? receiver = null)
    {
        var agreement = new byte[P256KeyPair.SharedSecretLength];
        Assert.True(own.TryAgree(other.PublicKey, agreement));
        var key = new byte[RoomKeys.KeyLength];
        Keys.DeriveContactPairKey(sender, (receiver ?? other).DeriveId(), agreement, key);
        return key;
    }
}
