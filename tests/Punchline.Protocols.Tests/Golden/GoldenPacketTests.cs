using System.Runtime.CompilerServices;
using Punchline.Protocols.Coordination;
using Punchline.Protocols.Node;
using Punchline.Protocols.Noise;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Rooms;
using Punchline.Protocols.Transport;
using Punchline.Protocols.Transport.ConnectionIds;
using Punchline.Protocols.Transport.Frames;
using Punchline.Protocols.Transport.Handshake;
using Punchline.Protocols.Traversal;
using Punchline.Simulation;

namespace Punchline.Protocols.Tests.Golden;

/// <summary>
/// One packet of every type of wire version 1, byte for byte, from fixed keys: <c>packets.txt</c>. What this code writes
/// are these bytes, and these bytes it understands. A line that has to change is a new wire version (WIRE 3). Coordination's
/// texts are kept beside their tests.
/// </summary>
public sealed class GoldenPacketTests : IDisposable
{
    private const ulong InitiatorConnectionId = 0x1111_1111_1111_1111;
    private const ulong ResponderConnectionId = 0x2222_2222_2222_2222;

    private static readonly RoomKeys Keys = new([.. Enumerable.Range(0, RoomKeys.KeyLength).Select(i => (byte)i)]);
    private static readonly Endpoint Source = Endpoint.Parse("198.51.100.7:40000");
    private const long ContactHour = 495_000;
    private static readonly ulong ContactHint = Keys.DeriveContactHint(ContactHour);
    private static readonly byte[] DataKey = [.. Enumerable.Range(100, 32).Select(i => (byte)i)];
    private static readonly InstanceId LowerInstance = InstanceId.FromBytes(Enumerable.Repeat((byte)0xbb, 16).ToArray());
    private static readonly InstanceId HigherInstance = InstanceId.FromBytes(Enumerable.Repeat((byte)0xaa, 16).ToArray());

    // Frames in clear, by RFC 9000 §19; each type, and each shape of STREAM, goes into a data packet of its own.
    private static readonly (FrameType Type, string Hex)[] Frames =
    [
        (FrameType.Padding, "00"),
        (FrameType.Ping, "01"),
        (FrameType.Ack, "0214050202" + "0100" + "030a"),
        (FrameType.AckEcn, "03140502020100030a010203"),
        (FrameType.ResetStream, "040841237bbd"),
        (FrameType.StopSending, "050801"),
        (FrameType.Stream, "0800" + "6869"),
        ((FrameType)0x09, "0900" + "6869"),
        ((FrameType)0x0a, "0a00" + "02" + "6869"),
        ((FrameType)0x0b, "0b00" + "02" + "6869"),
        ((FrameType)0x0c, "0c00" + "7bbd" + "6869"),
        ((FrameType)0x0d, "0d00" + "7bbd" + "6869"),
        ((FrameType)0x0e, "0e00" + "7bbd" + "02" + "6869"),
        (FrameType.StreamLast, "0f00" + "7bbd" + "02" + "6869"),
        (FrameType.MaxData, "109d7f3e7d"),
        (FrameType.MaxStreamData, "11047bbd"),
        (FrameType.MaxStreamsBidi, "1225"),
        (FrameType.MaxStreamsUni, "1325"),
        (FrameType.DataBlocked, "149d7f3e7d"),
        (FrameType.StreamDataBlocked, "15047bbd"),
        (FrameType.StreamsBlockedBidi, "1625"),
        (FrameType.StreamsBlockedUni, "1725"),
        (FrameType.PathChallenge, "1a0102030405060708"),
        (FrameType.PathResponse, "1b0102030405060708"),
        (FrameType.ConnectionClose, "1c0a0202" + "6869"),
        (FrameType.ConnectionCloseApplication, "1d0a02" + "6869"),
        (FrameType.Datagram, "30" + "6869"),
        (FrameType.DatagramWithLength, "31" + "02" + "6869"),
        (FrameType.NewConnectionId, "18" + "02" + "01" + "08" + "1112131415161718" + "2122232425262728292a2b2c2d2e2f30"),
        (FrameType.RetireConnectionId, "19" + "02"),
        (FrameType.Candidates, "38" + "4965" + "02" + "02" + "04" + "cb007105" + "1388" + "01" + "10" + "20010db8000000000000000000000001" + "1389"),
        (FrameType.ObservedAddress, "39" + "03" + "04" + "cb007105" + "1388"),
    ];

    // Values of its own: what this implementation announces may change without another wire version.
    private static readonly TransportParameters Announced = new()
    {
        IdleTimeout = TimeSpan.FromSeconds(30),
        MaxUdpPayloadSize = 1_452,
        InitialMaxData = 4 << 20,
        InitialMaxStreamDataBidiLocal = 1 << 20,
        InitialMaxStreamDataBidiRemote = 1 << 20,
        InitialMaxStreamDataUni = 1 << 20,
        InitialMaxStreamsBidi = 100,
        InitialMaxStreamsUni = 100,
        ActiveConnectionIdLimit = 4,
        MaxDatagramFrameSize = 16_383,
        StatelessResetToken = new ResetToken(new UInt128(0x0102030405060708, 0x090a0b0c0d0e0f10)),
    };

    private readonly P256KeyPair _lower;
    private readonly P256KeyPair _higher;
    private readonly Dictionary<string, byte[]> _golden = File.ReadLines(PacketsFile())
        .Where(line => !line.StartsWith('#'))
        .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        .ToDictionary(parts => parts[0], parts => Convert.FromHexString(parts[1]), StringComparer.Ordinal);

    public GoldenPacketTests()
    {
        var (one, other) = (P256KeyPair.Generate(new SeededRandom(1)), P256KeyPair.Generate(new SeededRandom(2)));
        (_lower, _higher) = one.DeriveId() < other.DeriveId() ? (one, other) : (other, one);
    }

    [Fact]
    public void What_is_written_are_the_golden_bytes() => Assert.Equal(_golden.Select(Line), Write().Select(Line));

    [Fact]
    public void Every_type_of_packet_and_frame_is_there()
    {
        byte[] types = [.. _golden.Where(entry => !entry.Key.StartsWith("chat-", StringComparison.Ordinal) && !entry.Key.StartsWith("signal-", StringComparison.Ordinal) && !entry.Key.StartsWith("introduction-", StringComparison.Ordinal) && entry.Key != "blob").Select(entry => entry.Value[0]).Distinct().Order()];
        Assert.Equal(
            [
                PacketTypes.FirstData, PacketTypes.FirstData + 1, HandshakePacket.Message1, HandshakePacket.Message2, HandshakePacket.Message3, HandshakePacket.CookieReply,
                HandshakePacket.CookiedMessage1, (byte)ContactKind.Hello, (byte)ContactKind.Answer, (byte)ContactKind.Introduction, CallPacket.SignalType, PacketTypes.KeepAlive,
            ],
            types);
        Assert.Empty(Enum.GetValues<FrameType>().Except(Frames.Select(frame => frame.Type)));
        // In 0x08 to 0x0f three bits say which fields there are (RFC 9000 §19.8).
        Assert.Equal(8, Frames.Count(frame => frame.Type is >= FrameType.Stream and <= FrameType.StreamLast));
    }

    [Fact]
    public void The_golden_handshake_is_understood_on_both_sides()
    {
        var (initiatorContext, responderContext) = (Context(_lower), Context(_higher));
        Assert.True(HandshakePacket.TryReadHint(_golden["message-1"], out var hint));
        Assert.Equal(responderContext.IncomingHint, hint);
        Assert.True(ReceivedMessage1.TryRead(responderContext, _golden["message-1"], out var message1));
        Assert.Equal(new Message1Payload(_lower.DeriveId(), _higher.DeriveId(), 3, InitiatorConnectionId), message1.Payload);

        using var initiator = new InitiatorHandshake(initiatorContext, 3, InitiatorConnectionId, new SeededRandom(3));
        Assert.Equal(HandshakeOutcome.Completed, initiator.ReadMessage2(_golden["message-2"], Parameters(), out var initiated, out _));
        Assert.Equal((InitiatorConnectionId, ResponderConnectionId), (initiated!.LocalConnectionId, initiated.RemoteConnectionId));
        Assert.True(TransportParameters.TryRead(initiated.RemoteParameters, out var parameters));
        Assert.Equal(Announced, parameters);

        Assert.True(ResponderHandshake.TryRespond(responderContext, message1, ResponderConnectionId, Parameters(), new SeededRandom(4), out var responder));
        using (responder)
        {
            Assert.Equal(HandshakeOutcome.Completed, responder.ReadMessage3(_golden["message-3"], out var responded));
            Assert.Equal(initiated.SendKey, responded!.ReceiveKey);
            Assert.Equal(initiated.ReceiveKey, responded.SendKey);
        }

        Assert.True(HandshakePacket.TryReadCookieReply(_golden["cookie-reply"], out var connectionId, out var cookie));
        Assert.Equal(InitiatorConnectionId, connectionId);
        Assert.True(HandshakePacket.TryReadCookiedMessage1(_golden["message-1-with-cookie"], out var returned, out var inner));
        Assert.Equal(cookie, returned);
        Assert.Equal(_golden["message-1"], inner);
        Assert.True(CookiesAt(out var now).Verify(Source, returned, now));
    }

    [Fact]
    public void The_golden_contact_packets_are_understood()
    {
        foreach (var (name, kind) in new[] { ("contact-hello", ContactKind.Hello), ("contact-answer", ContactKind.Answer), ("contact-introduction", ContactKind.Introduction) })
        {
            Assert.True(ContactPacket.TryReadHint(_golden[name], out var hint));
            Assert.Equal(Keys.DeriveContactHint(ContactHour), hint);
            Assert.True(ContactPacket.TryOpen(Keys, _golden[name], out var contact));
            Assert.Equal((kind, Convert.ToHexString(_lower.PublicKey)), (contact.Kind, Convert.ToHexString(contact.PublicKey)));
            Assert.True(CookiesAt(out var now).Verify(Source, contact.Cookie, now));
            Assert.Equal(Enumerable.Repeat(kind == ContactKind.Hello ? (byte)0 : (byte)0xcc, AddressCookies.Length), contact.ReturnedCookie.ToArray());
        }
        Assert.True(ContactPacket.TryOpenBlob(ContactPairKeyOf(_higher), _golden["contact-introduction"], out var blob));
        Assert.Equal((_lower.DeriveId(), LowerInstance, 7u, "Zoë"), (blob.Id, blob.Instance, blob.Generation, blob.Name));
    }

    [Fact]
    public void The_golden_call_packets_are_understood_by_the_callee()
    {
        Assert.True(CallPacket.TryReadSignal(_golden["call-signal"], out var hint, out var signal));
        Assert.Equal((ContactHint, Convert.ToHexString(_golden["signal-1"])), (hint, Convert.ToHexString(signal)));

        var (inbox, packet) = (RoomKeys.OfInbox(_higher.DeriveId()), _golden["call-introduction"]);
        Assert.True(ContactPacket.TryOpen(inbox, packet, out var contact));
        using var shown = ShownKey();
        Assert.Equal(Convert.ToHexString(shown.PublicKey), Convert.ToHexString(contact.PublicKey));
        Assert.True(CallPacket.TryOpenIntroduction(packet, CallPairKey(inbox, _higher, shown, isOurs: false), out var blob));
        Assert.Equal((_lower.DeriveId(), LowerInstance, 7u, "", 0), (blob.Id, blob.Instance, blob.Generation, blob.Name, blob.Candidates.Count));
        Assert.True(CallPacket.IsProven(packet, CallPairKey(inbox, _higher, _lower, isOurs: false)));
        packet[^1] ^= 1;
        Assert.False(CallPacket.IsProven(packet, CallPairKey(inbox, _higher, _lower, isOurs: false)));
    }

    [Fact]
    public void The_golden_data_packets_open_to_the_frames()
    {
        using var opener = new PacketOpener(DataKey, AeadLimits.Default);
        for (var i = 0; i < Frames.Length; i++)
        {
            var packet = _golden[$"data-{Frames[i].Hex[..2]}"];
            Assert.True(PacketHeader.TryRead(packet, out var header));
            Assert.Equal((InitiatorConnectionId, (uint)i), (header.ConnectionId, header.TruncatedNumber));
            var frames = new byte[packet.Length - PacketHeader.Length - PacketHeader.TagLength];
            Assert.True(opener.TryOpen(packet, header, (ulong)i, frames, out _));
            Assert.Equal(Convert.FromHexString(Frames[i].Hex), frames);
        }
        Assert.True(PacketHeader.TryRead(_golden["data-under-the-next-key"], out var next));
        var ping = new byte[1];
        Assert.True(opener.TryOpen(_golden["data-under-the-next-key"], next, next.TruncatedNumber, ping, out var key));
        Assert.Equal(((byte)FrameType.Ping, KeyGeneration.Next), (ping[0], key));
    }

    [Fact]
    public void The_golden_introduction_and_chat_frames_are_understood()
    {
        Assert.True(IntroductionBlob.TryOpen(_golden["blob"], Keys, out var blob));
        Assert.Equal((_lower.DeriveId(), LowerInstance, 7u, "Zoë"), (blob.Id, blob.Instance, blob.Generation, blob.Name));
        Assert.Equal(Introduction(_lower).Candidates, blob.Candidates);

        foreach (var type in Enum.GetValues<CallSignalType>())
        {
            Assert.True(CallSignal.TryOpen(_golden[$"signal-{(int)type}"], CallKeysOf(_higher), _lower.DeriveId(), _higher.DeriveId(), out var signal));
            var sent = Signal(type);
            Assert.Equal((type, 9u, sent.Refusal), (signal.Type, signal.Number, signal.Refusal));
            Assert.Equal(sent.Introduction?.Candidates, signal.Introduction?.Candidates);
        }

        Assert.Equal((ChatFrame.Message, "4965" + "6869"), ReadChat("chat-message"));
        Assert.Equal((ChatFrame.Delivered, "4965"), ReadChat("chat-delivered"));

        var (connected, targets) = ReadChat("introduction-connected");
        Assert.Equal((IntroductionFrame.Connected, true), (connected, IntroductionFrame.TryReadConnected(Convert.FromHexString(targets), out var told)));
        Assert.Equal(new[] { PortOffer.TargetOf(_lower.DeriveId()), PortOffer.TargetOf(_higher.DeriveId()) }.Order(), told!.Order());
        var (self, ofItself) = ReadChat("introduction-self");
        Assert.Equal((IntroductionFrame.Self, true), (self, IntroductionBlob.TryRead(Convert.FromHexString(ofItself), out var speaker)));
        var (member, ofAnother) = ReadChat("introduction-member");
        Assert.Equal((IntroductionFrame.Member, true), (member, IntroductionFrame.TryReadMember(Convert.FromHexString(ofAnother), out var introduced)));
        Assert.Equal((_lower.DeriveId(), null, _lower.DeriveId(), (Endpoint?)Source), (speaker!.Id, speaker.SeenAt, introduced!.Id, introduced.SeenAt));
    }

    public void Dispose()
    {
        _lower.Dispose();
        _higher.Dispose();
    }

    private IEnumerable<KeyValuePair<string, byte[]>> Write()
    {
        using var initiator = new InitiatorHandshake(Context(_lower), 3, InitiatorConnectionId, new SeededRandom(3));
        yield return new("message-1", initiator.Message1.ToArray());
        Assert.True(ReceivedMessage1.TryRead(Context(_higher), initiator.Message1, out var message1));
        Assert.True(ResponderHandshake.TryRespond(Context(_higher), message1, ResponderConnectionId, Parameters(), new SeededRandom(4), out var responder));
        yield return new("message-2", responder.Message2.ToArray());
        Assert.Equal(HandshakeOutcome.Completed, initiator.ReadMessage2(responder.Message2, Parameters(), out _, out var message3));
        responder.Dispose();
        yield return new("message-3", message3!);
        var cookie = new byte[AddressCookies.Length];
        CookiesAt(out var now).Write(Source, now, cookie);
        yield return new("cookie-reply", HandshakePacket.WriteCookieReply(InitiatorConnectionId, cookie));
        var cookied = new byte[HandshakePacket.CookiedMessage1Length];
        HandshakePacket.WriteMessage1(cookie, initiator.Message1, cookied);
        yield return new("message-1-with-cookie", cookied);
        yield return new("keep-alive", [PacketTypes.KeepAlive]);
        foreach (var (name, packet) in WriteContacts(cookie)) yield return new(name, packet);
        foreach (var (name, packet) in WriteCallPackets(cookie)) yield return new(name, packet);
        using var sealer = new PacketSealer(DataKey, AeadLimits.Default, Timestamp.Zero);
        foreach (var (_, hex) in Frames)
        {
            byte[] packet = [.. new byte[PacketHeader.Length], .. Convert.FromHexString(hex), .. new byte[PacketHeader.TagLength]];
            Assert.True(sealer.TrySeal(packet, InitiatorConnectionId));
            yield return new($"data-{hex[..2]}", packet);
        }
        using var updated = new PacketSealer(DataKey, AeadLimits.Default, Timestamp.Zero);
        updated.UpdateKey(Timestamp.Zero);
        byte[] ping = [.. new byte[PacketHeader.Length], (byte)FrameType.Ping, .. new byte[PacketHeader.TagLength]];
        Assert.True(updated.TrySeal(ping, InitiatorConnectionId));
        yield return new("data-under-the-next-key", ping);
        var resets = new StatelessResetResponder(new StatelessResetKey(DataKey), new SeededRandom(6));
        resets.HandleUnknown(Source, StatelessResetResponder.MinTriggerLength, InitiatorConnectionId, Timestamp.Zero);
        var reset = new byte[StatelessResetResponder.MinTriggerLength];
        Assert.True(resets.TryDequeueTransmit(reset, out var transmit));
        yield return new("stateless-reset", reset[..transmit.Length]);
        yield return new("blob", Introduction(_lower).Seal(Keys, new SeededRandom(5)));
        foreach (var type in Enum.GetValues<CallSignalType>())
            yield return new($"signal-{(int)type}", Signal(type).Seal(CallKeysOf(_lower), _lower.DeriveId(), _higher.DeriveId(), new SeededRandom(7)));
        yield return new("chat-message", ChatFrame.WriteMessage(0x965, "hi"u8));
        yield return new("chat-delivered", ChatFrame.WriteDelivered(0x965));
        yield return new("introduction-connected", IntroductionFrame.WriteConnected([PortOffer.TargetOf(_lower.DeriveId()), PortOffer.TargetOf(_higher.DeriveId())]));
        yield return new("introduction-self", IntroductionFrame.WriteSelf(Introduction(_lower)));
        yield return new("introduction-member", IntroductionFrame.WriteMember(Introduction(_lower), Source));
    }

    private IEnumerable<(string Name, byte[] Packet)> WriteContacts(byte[] cookie)
    {
        var returned = Enumerable.Repeat((byte)0xcc, AddressCookies.Length).ToArray();
        yield return ("contact-hello", ContactPacket.Write(ContactKind.Hello, Keys, ContactHint, _lower.PublicKey, cookie, [], new SeededRandom(8)));
        yield return ("contact-answer", ContactPacket.Write(ContactKind.Answer, Keys, ContactHint, _lower.PublicKey, cookie, returned, new SeededRandom(9)));
        var buffer = new byte[IntroductionBlob.MaxLength];
        var writer = new SpanWriter(buffer);
        Introduction(_lower).Write(ref writer);
        yield return ("contact-introduction", ContactPacket.WriteIntroduction(Keys, ContactHint, _lower.PublicKey, cookie, returned, ContactPairKeyOf(_lower), writer.Written, new SeededRandom(10)));
    }

    private IEnumerable<(string Name, byte[] Packet)> WriteCallPackets(byte[] cookie)
    {
        yield return ("call-signal", CallPacket.WriteSignal(ContactHint, Signal(CallSignalType.Ring).Seal(CallKeysOf(_lower), _lower.DeriveId(), _higher.DeriveId(), new SeededRandom(7))));
        using var shown = ShownKey();
        var inbox = RoomKeys.OfInbox(_higher.DeriveId());
        var buffer = new byte[IntroductionBlob.MaxLength];
        var writer = new SpanWriter(buffer);
        (Introduction(_lower) with { Name = "", Candidates = [] }).Write(ref writer);
        var returned = Enumerable.Repeat((byte)0xcc, AddressCookies.Length).ToArray();
        var introduction = ContactPacket.WriteIntroduction(
            inbox, ContactHint, shown.PublicKey, cookie, returned, CallPairKey(inbox, shown, _higher, isOurs: true), writer.Written, new SeededRandom(12));
        yield return ("call-introduction", CallPacket.Prove(introduction, CallPairKey(inbox, _lower, _higher, isOurs: true)));
    }

    // The caller's, of one call alone.
    private static P256KeyPair ShownKey() => P256KeyPair.Generate(new SeededRandom(11));

    private static byte[] CallPairKey(RoomKeys inbox, P256KeyPair own, P256KeyPair other, bool isOurs)
    {
        Assert.True(CallPacket.TryDeriveKey(inbox, own, other.PublicKey, isOurs, out var key));
        return key;
    }

    // From the lower one to the higher one.
    private byte[] ContactPairKeyOf(P256KeyPair local)
    {
        var agreement = new byte[P256KeyPair.SharedSecretLength];
        Assert.True(local.TryAgree((local == _lower ? _higher : _lower).PublicKey, agreement));
        var key = new byte[RoomKeys.KeyLength];
        Keys.DeriveContactPairKey(_lower.DeriveId(), _higher.DeriveId(), agreement, key);
        return key;
    }

    private HandshakeContext Context(P256KeyPair local)
    {
        var remote = Introduction(local == _lower ? _higher : _lower);
        var own = Introduction(local);
        var agreement = new byte[P256KeyPair.SharedSecretLength];
        Assert.True(local.TryAgree(remote.PublicKey.Span, agreement));
        return new HandshakeContext(
            local, own.Id, remote.Id, Keys.DerivePairKey(own.Peer, remote.Peer, agreement), HandshakePrologue.Write(Keys.Tag, own, remote),
            Keys.DeriveHint(own.Peer, remote.Peer), Keys.DeriveHint(remote.Peer, own.Peer));
    }

    private IntroductionBlob Introduction(P256KeyPair key) => new(
        key.PublicKey.ToArray(), key == _lower ? LowerInstance : HigherInstance, 7, "Zoë",
        [new(CandidateKind.ServerReflexive, Endpoint.Parse("203.0.113.5:5000")), new(CandidateKind.Host, Endpoint.Parse("[2001:db8::1]:5001"))]);

    private static CallSignal Empty(CallSignalType type) => new(type, 9) { Refusal = type == CallSignalType.Refuse ? CallRefusalCode.Busy : default };

    private CallSignal Signal(CallSignalType type) =>
        type is CallSignalType.Ring or CallSignalType.Accept or CallSignalType.Update ? Empty(type) with { Introduction = Introduction(_lower) } : Empty(type);

    // The lower one calls the higher one.
    private CallKeys CallKeysOf(P256KeyPair local)
    {
        var (own, remote) = (Introduction(local), Introduction(local == _lower ? _higher : _lower));
        Assert.True(CallKeys.TryDerive(RoomKeys.OfInbox(_higher.DeriveId()), local, own.Peer, remote.Peer, remote.PublicKey.Span, out var keys));
        return keys;
    }

    private static byte[] Parameters()
    {
        Span<byte> buffer = stackalloc byte[TransportParameters.MaxEncodedLength];
        var writer = new SpanWriter(buffer);
        Announced.Write(ref writer, grease: 5);
        return writer.Written.ToArray();
    }

    private static AddressCookies CookiesAt(out Timestamp now)
    {
        now = Timestamp.FromMilliseconds(1_000);
        return new AddressCookies(new SeededRandom(6));
    }

    private (ulong Type, string Body) ReadChat(string name)
    {
        var reader = new SpanReader(_golden[name]);
        Assert.True(reader.TryReadVarInt(out var type));
        Assert.True(reader.TryReadVarIntPrefixed(out var body));
        Assert.True(reader.IsEmpty);
        return (type, Convert.ToHexStringLower(body));
    }

    private static string Line(KeyValuePair<string, byte[]> entry) => $"{entry.Key} {Convert.ToHexStringLower(entry.Value)}";

    private static string PacketsFile([CallerFilePath] string here = "") => Path.Combine(Path.GetDirectoryName(here)!, "packets.txt");
}
