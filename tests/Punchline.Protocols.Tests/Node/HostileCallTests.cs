using Punchline.Protocols.Coordination;
using Punchline.Protocols.Node;
using Punchline.Protocols.Noise;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Rooms;
using Punchline.Protocols.Traversal;
using Punchline.Simulation;

namespace Punchline.Protocols.Tests.Node;

/// <summary>An inbox, and a caller, whose server and whose other side are the test's, which writes whatever those could.</summary>
public sealed class HostileCallTests : IDisposable
{
    private const string Host = "server.example:8080";

    private readonly SeededRandom _random = new(3);
    private readonly P256KeyPair _identity;
    private readonly P256KeyPair _other;
    private readonly NodeCore _node;
    private Timestamp _now = Timestamp.FromMilliseconds(1_000);
    private uint _number;

    public HostileCallTests()
    {
        (_identity, _other) = (P256KeyPair.Generate(_random), P256KeyPair.Generate(_random));
        _node = new NodeCore(_identity, _random);
        _node.SetHostAddresses([new HostAddress(Endpoint.Parse("198.51.100.7:40000"), 32)], _now);
    }

    [Fact]
    public void A_ring_that_is_given_out_again_rings_no_more()
    {
        var (inbox, own) = OpenInbox();
        var caller = new IntroducedPeer(_other.DeriveId(), new InstanceId(5));
        Tell(inbox, new JoinedMessage(EntryOf(_other, caller, _node.Id)));
        var ring = Sealed(CallSignalType.Ring, caller, own);
        Tell(inbox, new SignalledMessage(caller.Id, ring));
        var rang = Assert.Single(EventsOf(inbox).OfType<NodeEvent.CallRang>());
        _node.RefuseCall(inbox, rang.Call, CallRefusalCode.Refused, _now);
        Assert.Single(SignalsOut(inbox));

        Tell(inbox, new SignalledMessage(caller.Id, ring));
        Tell(inbox, new LeftMessage(caller.Id, LeftMessage.LeftReason));
        Tell(inbox, new JoinedMessage(EntryOf(_other, caller, _node.Id)));
        Tell(inbox, new SignalledMessage(caller.Id, ring));
        Assert.Empty(EventsOf(inbox));
        Assert.Empty(SignalsOut(inbox));
    }

    [Fact]
    public void Nobody_rings_in_anothers_name()
    {
        var (inbox, own) = OpenInbox();
        var caller = new IntroducedPeer(_other.DeriveId(), new InstanceId(5));
        using var impostor = P256KeyPair.Generate(_random);
        var impostorPeer = new IntroducedPeer(impostor.DeriveId(), new InstanceId(6));
        Tell(inbox, new JoinedMessage(EntryOf(_other, caller, _node.Id)));
        Tell(inbox, new JoinedMessage(EntryOf(impostor, impostorPeer, _node.Id)));
        // The blob of one under the id of the other, which the server could write.
        Tell(inbox, new JoinedMessage(EntryOf(impostor, impostorPeer, _node.Id) with { Id = caller.Id }));

        // Sealed with the key that the impostor has with us, handed on as the caller's; and an introduction that is not its own.
        Tell(inbox, new SignalledMessage(caller.Id, Sealed(CallSignalType.Ring, impostorPeer, own, impostor)));
        Tell(inbox, new SignalledMessage(impostorPeer.Id, Sealed(CallSignalType.Ring, impostorPeer, own, impostor, introduce: caller)));
        Tell(inbox, new SignalledMessage(caller.Id, _random.NextBytes(200)));
        Tell(inbox, new SignalledMessage(new PeerId(_random.NextBytes(PeerId.ByteLength)), _random.NextBytes(200)));
        Assert.Empty(EventsOf(inbox));
        Assert.Empty(SignalsOut(inbox));
        Assert.Equal(2, CallersOf(inbox));
    }

    [Fact]
    public void A_caller_who_rings_without_end_is_answered_at_the_servers_pace_and_rings_once()
    {
        var (inbox, own) = OpenInbox();
        var caller = new IntroducedPeer(_other.DeriveId(), new InstanceId(5));
        Tell(inbox, new JoinedMessage(EntryOf(_other, caller, _node.Id)));
        Tell(inbox, new SignalledMessage(caller.Id, Sealed(CallSignalType.Ring, caller, own)));
        var rang = Assert.Single(EventsOf(inbox).OfType<NodeEvent.CallRang>());
        _node.RefuseCall(inbox, rang.Call, CallRefusalCode.Refused, _now);
        for (var i = 0; i < 1_000; i++) Tell(inbox, new SignalledMessage(caller.Id, Sealed(CallSignalType.Ring, caller, own)));
        Assert.Equal(CoordinationLimits.HolderSignalBurst / 2, SignalsOut(inbox).Count);
        Assert.Empty(EventsOf(inbox));
    }

    [Fact]
    public void Callers_that_come_and_go_are_forgotten_and_those_that_are_there_are_not()
    {
        var (inbox, _) = OpenInbox();
        for (var i = 0; i < InboxSession.MaxCallers + 100; i++)
        {
            using var key = P256KeyPair.Generate(_random);
            var caller = new IntroducedPeer(key.DeriveId(), new InstanceId(5));
            Tell(inbox, new JoinedMessage(EntryOf(key, caller, _node.Id)));
            Tell(inbox, new LeftMessage(caller.Id, LeftMessage.LeftReason));
        }
        Assert.Equal(InboxSession.MaxCallers, CallersOf(inbox));
    }

    [Fact]
    public void A_holder_whose_key_is_not_that_of_the_dialled_id_is_nobody()
    {
        var call = _node.OpenCall(_other.DeriveId(), "caller");
        Connect(call);
        using var impostor = P256KeyPair.Generate(_random);
        var holder = new IntroducedPeer(impostor.DeriveId(), new InstanceId(5));
        // The server says that this is whom we dialled.
        Tell(call, new WelcomeMessage(Endpoint.Parse("198.51.100.1:1"), 5, [EntryOf(impostor, holder, _other.DeriveId()) with { Id = _other.DeriveId() }]));
        Assert.Equal(CallEnding.Offline, Assert.Single(EventsOf(call).OfType<NodeEvent.CallEnded>()).Ending);
        Assert.Empty(SignalsOut(call));
    }

    [Fact]
    public void Whoever_is_not_on_the_list_is_refused_without_a_word_to_the_owner()
    {
        var (inbox, own) = OpenInbox(new HashSet<PeerId>());
        var caller = new IntroducedPeer(_other.DeriveId(), new InstanceId(5));
        Tell(inbox, new JoinedMessage(EntryOf(_other, caller, _node.Id)));
        Tell(inbox, new SignalledMessage(caller.Id, Sealed(CallSignalType.Ring, caller, own)));
        Assert.Empty(EventsOf(inbox));
        var answer = Assert.Single(SignalsOut(inbox));
        Assert.True(CallSignal.TryOpen(answer.Data, KeysOf(caller, own, _other), own.Id, caller.Id, out var signal));
        Assert.Equal((CallSignalType.Refuse, CallRefusalCode.Refused), (signal.Type, signal.Refusal));
    }

    public void Dispose()
    {
        _node.Dispose();
        _identity.Dispose();
        _other.Dispose();
    }

    // The number of the inbox, and which process of ours is in it.
    private (int Inbox, IntroducedPeer Own) OpenInbox(IReadOnlySet<PeerId>? allowed = null)
    {
        var inbox = _node.OpenInbox("callee", allowed);
        var join = Connect(inbox);
        Tell(inbox, new WelcomeMessage(Endpoint.Parse("198.51.100.1:1"), 5, []));
        Assert.Single(EventsOf(inbox));
        return (inbox, new IntroducedPeer(_node.Id, join.Instance));
    }

    private JoinMessage Connect(int number)
    {
        _node.HandleServerConnected(number, Host, [], isLoopback: false, _now);
        Tell(number, new ChallengeMessage(new byte[32], _other.PublicKey.ToArray(), []));
        return Assert.IsType<JoinMessage>(Assert.Single(MessagesOut(number)));
    }

    private void Tell(int number, ServerMessage message) => _node.HandleServerMessage(number, CoordinationJson.Write(message), _now);

    private List<NodeEvent> EventsOf(int number)
    {
        var events = new List<NodeEvent>();
        while (_node.TryDequeueEvent(number, _now, out var nodeEvent)) events.Add(nodeEvent);
        return events;
    }

    private List<ClientMessage> MessagesOut(int number)
    {
        var messages = new List<ClientMessage>();
        while (_node.TryDequeueServerMessage(out var of, out var utf8))
        {
            Assert.Equal(number, of);
            Assert.True(CoordinationJson.TryRead(utf8.Span, out ClientMessage? message));
            messages.Add(message);
        }
        return messages;
    }

    private List<SignalMessage> SignalsOut(int number) => [.. MessagesOut(number).OfType<SignalMessage>()];

    private int CallersOf(int inbox) => _node.CountCallers(inbox);

    private MemberEntry EntryOf(P256KeyPair key, IntroducedPeer peer, PeerId inbox) =>
        new(peer.Id, peer.Instance, 1, default, new IntroductionBlob(key.PublicKey.ToArray(), peer.Instance, 1, "", []).Seal(RoomKeys.OfInbox(inbox), _random));

    private CallKeys KeysOf(IntroducedPeer caller, IntroducedPeer callee, P256KeyPair callersKey)
    {
        Assert.True(CallKeys.TryDerive(RoomKeys.OfInbox(callee.Id), callersKey, caller, callee, _identity.PublicKey, out var keys));
        return keys;
    }

    private byte[] Sealed(CallSignalType type, IntroducedPeer caller, IntroducedPeer callee, P256KeyPair? key = null, IntroducedPeer? introduce = null)
    {
        key ??= _other;
        var introduced = introduce ?? caller;
        var introduction = new IntroductionBlob((introduced.Id == caller.Id ? key : _other).PublicKey.ToArray(), introduced.Instance, ++_number, "caller", []);
        return new CallSignal(type, _number) { Introduction = introduction }.Seal(KeysOf(caller, callee, key), caller.Id, callee.Id, _random);
    }
}
