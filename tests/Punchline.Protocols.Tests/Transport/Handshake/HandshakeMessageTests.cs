using Punchline.Protocols.Noise;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport;
using Punchline.Protocols.Transport.Handshake;
using Punchline.Simulation;

namespace Punchline.Protocols.Tests.Transport.Handshake;

public sealed class HandshakeMessageTests : IDisposable
{
    private readonly HandshakeFixture _peers = new();

    [Fact]
    public void The_three_messages_agree_on_keys_connection_ids_and_parameters()
    {
        using var initiator = _peers.Initiate();
        using var responder = _peers.Respond(initiator.Message1);
        Assert.Equal(HandshakeOutcome.Completed, initiator.ReadMessage2(responder.Message2, "mine"u8, out var ours, out var message3));
        Assert.Equal(HandshakeOutcome.Completed, responder.ReadMessage3(message3, out var theirs));
        Assert.Equal(ours!.SendKey, theirs!.ReceiveKey);
        Assert.Equal(ours.ReceiveKey, theirs.SendKey);
        Assert.Equal((HandshakeFixture.InitiatorConnectionId, HandshakeFixture.ResponderConnectionId), (ours.LocalConnectionId, ours.RemoteConnectionId));
        Assert.Equal((HandshakeFixture.ResponderConnectionId, HandshakeFixture.InitiatorConnectionId), (theirs.LocalConnectionId, theirs.RemoteConnectionId));
        Assert.Equal(_peers.Parameters, ours.RemoteParameters);
        Assert.Equal("mine"u8.ToArray(), theirs.RemoteParameters);
    }

    [Fact]
    public void Message_1_has_250_bytes_and_says_no_more_in_clear_than_type_version_and_hint()
    {
        using var initiator = _peers.Initiate();
        Assert.Equal(250, initiator.Message1.Length);
        Assert.Equal([0xc0, 1, 1, 2, 3, 4, 5, 6, 7, 8], initiator.Message1[..10].ToArray());
        Assert.True(HandshakePacket.TryReadHint(initiator.Message1, out var hint));
        Assert.Equal(HandshakeFixture.Hint, hint);
    }

    [Fact]
    public void With_every_grease_value_message_2_is_no_longer_than_message_1()
    {
        // NodeServices draws below 2^20.
        Span<byte> buffer = stackalloc byte[TransportParameters.MaxEncodedLength];
        byte[] longest = [];
        for (ulong grease = 0; grease < 1 << 20; grease++)
        {
            var writer = new SpanWriter(buffer);
            TransportParameters.Default.Write(ref writer, grease);
            if (writer.Length > longest.Length) longest = writer.Written.ToArray();
        }
        using var peers = new HandshakeFixture { Parameters = longest };
        using var initiator = peers.Initiate();
        using var responder = peers.Respond(initiator.Message1);
        // 9 of header, 65 of ephemeral key, 65 + 16 of static key, 8 of connection id, 16 of tag, and the parameters.
        Assert.Equal(9 + 65 + 81 + 8 + 16 + longest.Length, responder.Message2.Length);
        Assert.InRange(responder.Message2.Length, 1, HandshakePacket.Message1Length);
        Assert.Equal(HandshakeOutcome.Completed, initiator.ReadMessage2(responder.Message2, longest, out _, out var message3));
        Assert.Equal(9 + 81 + 16 + longest.Length, message3!.Length);
    }

    [Fact]
    public void A_message_1_for_somebody_else_from_somebody_else_or_of_our_own_is_not_read()
    {
        using var stranger = P256KeyPair.Generate(new SeededRandom(9));
        var initiatorId = _peers.InitiatorContext.LocalId;
        var responderId = _peers.ResponderContext.LocalId;
        // For the stranger.
        using var misdirected = new InitiatorHandshake(
            _peers.InitiatorContext with { RemoteId = stranger.DeriveId() }, 1, 1, new SeededRandom(5));
        Assert.False(ReceivedMessage1.TryRead(_peers.ResponderContext, misdirected.Message1, out _));
        // From the stranger, by its own word.
        using var foreign = new InitiatorHandshake(HandshakeFixture.Context(stranger, stranger.DeriveId(), responderId), 1, 1, new SeededRandom(5));
        Assert.False(ReceivedMessage1.TryRead(_peers.ResponderContext, foreign.Message1, out _));
        // Our own, reflected.
        using var own = new InitiatorHandshake(_peers.ResponderContext, 1, 1, new SeededRandom(5));
        Assert.False(ReceivedMessage1.TryRead(_peers.ResponderContext, own.Message1, out _));
        // For whoever has the key: the sender did not know the id.
        using var open = new InitiatorHandshake(_peers.InitiatorContext with { RemoteId = default }, 7, 1, new SeededRandom(5));
        Assert.True(ReceivedMessage1.TryRead(_peers.ResponderContext, open.Message1, out var read));
        Assert.Equal((initiatorId, default(PeerId), 7UL), (read.Payload.Sender, read.Payload.Target, read.Payload.Attempt));
    }

    [Fact]
    public void A_message_2_of_another_static_key_ends_the_attempt_before_message_3()
    {
        using var impostor = P256KeyPair.Generate(new SeededRandom(9));
        using var initiator = _peers.Initiate();
        // It has the room's key and claims the peer's id, but cannot have the peer's key.
        using var responder = _peers.Respond(initiator.Message1, _peers.ResponderContext with { StaticKey = impostor });
        Assert.Equal(HandshakeOutcome.Impostor, initiator.ReadMessage2(responder.Message2, [], out var result, out var message3));
        Assert.Null(result);
        Assert.Null(message3);
    }

    [Fact]
    public void A_message_3_of_another_static_key_completes_nothing()
    {
        using var impostor = P256KeyPair.Generate(new SeededRandom(9));
        using var initiator = new InitiatorHandshake(_peers.InitiatorContext with { StaticKey = impostor }, 1, 1, new SeededRandom(3));
        using var responder = _peers.Respond(initiator.Message1);
        Assert.Equal(HandshakeOutcome.Completed, initiator.ReadMessage2(responder.Message2, [], out _, out var message3));
        Assert.Equal(HandshakeOutcome.Impostor, responder.ReadMessage3(message3, out var result));
        Assert.Null(result);
    }

    [Fact]
    public void Forged_messages_2_and_3_leave_the_genuine_ones_their_turn()
    {
        using var initiator = _peers.Initiate();
        using var responder = _peers.Respond(initiator.Message1);
        foreach (var forged in Forgeries(responder.Message2))
            Assert.Equal(HandshakeOutcome.Ignored, initiator.ReadMessage2(forged, [], out _, out _));
        Assert.Equal(HandshakeOutcome.Completed, initiator.ReadMessage2(responder.Message2, [], out _, out var message3));
        foreach (var forged in Forgeries(message3)) Assert.Equal(HandshakeOutcome.Ignored, responder.ReadMessage3(forged, out _));
        Assert.Equal(HandshakeOutcome.Completed, responder.ReadMessage3(message3, out _));
    }

    [Fact]
    public void Eight_early_packets_are_held_and_no_longer_ones_than_fit_a_datagram()
    {
        using var initiator = _peers.Initiate();
        using var responder = _peers.Respond(initiator.Message1);
        PathAddress from = Endpoint.Parse("198.51.100.1:5000");
        responder.HoldEarlyPacket(from, new byte[1_201]);
        for (var i = 0; i < 12; i++) responder.HoldEarlyPacket(from, [0x80, (byte)i]);
        Assert.Equal(Enumerable.Range(0, 8).Select(i => Convert.ToHexString([0x80, (byte)i])), responder.EarlyPackets.Select(held => Convert.ToHexString(held.Packet)));
        Assert.All(responder.EarlyPackets, held => Assert.Equal(from, held.Source));
    }

    [Theory]
    [InlineData("c001", 250, true)]
    [InlineData("c001", 249, false)]
    [InlineData("c001", 251, false)]
    [InlineData("c002", 250, false)] // another version
    [InlineData("c101", 250, false)]
    [InlineData("c301", 250, false)] // a cookie reply
    public void Only_a_message_1_of_our_version_and_of_its_length_has_a_hint(string head, int length, bool expected)
    {
        var packet = new byte[length];
        Convert.FromHexString(head).CopyTo(packet, 0);
        Assert.Equal(expected, HandshakePacket.TryReadHint(packet, out _));
    }

    [Theory]
    [InlineData(0xc1, 9, true)]
    [InlineData(0xc2, 1_200, true)]
    [InlineData(0xc2, 8, false)]
    [InlineData(0xc1, 1_201, false)]
    [InlineData(0xc0, 250, false)]
    [InlineData(0xc3, 250, false)]
    [InlineData(0xcf, 250, false)]
    public void Only_messages_2_and_3_of_a_packets_length_have_a_connection_id(byte type, int length, bool expected)
    {
        var packet = new byte[length];
        packet[0] = type;
        Assert.Equal(expected, HandshakePacket.TryReadConnectionId(packet, out _));
    }

    public void Dispose() => _peers.Dispose();

    // One bit in every eighth byte behind the header, whose connection id only finds the state; a byte less and one more.
    private static List<byte[]> Forgeries(ReadOnlySpan<byte> message)
    {
        var forgeries = new List<byte[]> { message[..^1].ToArray(), (byte[])[.. message, 0], (byte[])[0xc3, .. message[1..]] };
        for (var i = HandshakePacket.HeaderLength; i < message.Length; i += 8)
        {
            var forged = message.ToArray();
            forged[i] ^= 0x40;
            forgeries.Add(forged);
        }
        return forgeries;
    }
}
