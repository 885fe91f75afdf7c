using System.Text;
using Punchline.Protocols.Coordination;
using Punchline.Protocols.Noise;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Rooms;
using static Punchline.Protocols.Coordination.CoordinationClientEvent;

namespace Punchline.Protocols.Tests.Coordination;

/// <summary>Inboxes at the server: who hears of whom, and what signals go where.</summary>
public sealed class InboxTests
{
    private readonly CoordinationWorld _world = new();
    private readonly (P256KeyPair Key, InstanceId Instance) _holder;
    private readonly byte[] _tag;

    public InboxTests()
    {
        _holder = _world.NewIdentity();
        _tag = RoomKeys.OfInbox(_holder.Key.DeriveId()).Tag;
    }

    [Fact]
    public void The_holder_and_callers_are_introduced_and_callers_never_to_each_other()
    {
        var holder = Join(_holder);
        var alice = Join(_world.NewIdentity());
        var carol = Join(_world.NewIdentity());
        Assert.Equal([holder.Id], Assert.Single(alice.TakeEvents().OfType<Welcomed>()).Members.Select(member => member.Id));
        Assert.Equal([holder.Id], Assert.Single(carol.TakeEvents().OfType<Welcomed>()).Members.Select(member => member.Id));
        Assert.Equal([alice.Id, carol.Id], holder.TakeEvents().OfType<MemberJoined>().Select(joined => joined.Member.Id));

        carol.Client.ProvideBlob(2, "changed"u8, _world.Now);
        _world.Deliver();
        Assert.Single(holder.TakeEvents().OfType<MemberUpdated>());
        carol.Client.Leave(_world.Now);
        _world.Deliver();
        Assert.Equal([new MemberLeft(carol.Id, MemberLeftReason.Left)], holder.TakeEvents());
        Assert.Empty(alice.TakeEvents());
        Assert.DoesNotContain(alice.Received, text => text.Contains(carol.Id.ToString(), StringComparison.Ordinal));

        holder.Client.Leave(_world.Now);
        _world.Deliver();
        Assert.Equal([new MemberLeft(holder.Id, MemberLeftReason.Left)], alice.TakeEvents());
        // The holder is back, and is introduced to who waited.
        var again = Join(_holder);
        Assert.Equal([alice.Id], Assert.Single(again.TakeEvents().OfType<Welcomed>()).Members.Select(member => member.Id));
        Assert.Equal([again.Id], alice.TakeEvents().OfType<MemberJoined>().Select(joined => joined.Member.Id));
    }

    [Fact]
    public void Nobody_learns_an_address_from_the_server()
    {
        var holder = Join(_holder, "198.51.100.77:5000");
        var caller = Join(_world.NewIdentity(), "198.51.100.88:5000");
        Assert.DoesNotContain(caller.Received, text => text.Contains("198.51.100.77", StringComparison.Ordinal));
        Assert.DoesNotContain(holder.Received, text => text.Contains("198.51.100.88", StringComparison.Ordinal));
        Assert.Equal("0.0.0.0", Assert.Single(caller.Events.OfType<Welcomed>()).Members[0].Address.ToIPEndPoint().Address.ToString());
    }

    [Fact]
    public void Without_its_holder_an_inbox_is_offline_for_callers_and_nobody_else_is_its_holder()
    {
        var caller = Join(_world.NewIdentity());
        Assert.Equal(CoordinationErrorCode.Offline, Assert.Single(caller.Events.OfType<Refused>()).Code);
        Assert.Equal([caller.Connection], _world.Closed);
        Assert.Equal((0, 0), (_world.Server.RoomCount, _world.Server.MemberCount));
    }

    [Fact]
    public void Kinds_do_not_mix_though_their_tags_be_the_same()
    {
        var holder = Join(_holder);
        var member = _world.Join(_world.NewIdentity(), tag: _tag);
        Assert.Empty(Assert.Single(member.Events.OfType<Welcomed>()).Members);
        Assert.Empty(holder.Events.OfType<MemberJoined>());
        Assert.Equal(2, _world.Server.RoomCount);
    }

    [Fact]
    public void A_signal_goes_to_whom_it_is_for_and_from_caller_to_caller_nowhere()
    {
        var holder = Join(_holder);
        var alice = Join(_world.NewIdentity());
        var carol = Join(_world.NewIdentity());
        holder.TakeEvents();
        alice.Client.Signal(holder.Id, "ring"u8);
        alice.Client.Signal(carol.Id, "hello"u8);
        alice.Client.Signal(alice.Id, "echo"u8);
        holder.Client.Signal(carol.Id, "answer"u8);
        _world.Deliver();
        Assert.Equal([(alice.Id, "ring")], Signals(holder));
        Assert.Equal([(holder.Id, "answer")], Signals(carol));
        Assert.Empty(Signals(alice));
        Assert.False(alice.Client.IsOver);

        // Away within its grace: nothing waits for it.
        carol.Cut(serverNotices: true);
        holder.Client.Signal(carol.Id, "lost"u8);
        _world.Deliver();
        Assert.DoesNotContain(carol.Received, text => text.Contains("bG9zdA", StringComparison.Ordinal));
    }

    [Fact]
    public void A_room_has_no_signals()
    {
        var peer = _world.Join(_world.NewIdentity());
        var other = _world.Join(_world.NewIdentity());
        peer.Client.Signal(other.Id, "x"u8);
        _world.Deliver();
        Assert.Equal(CoordinationErrorCode.BadMessage, Assert.Single(peer.Events.OfType<Refused>()).Code);
        Assert.Empty(Signals(other));
    }

    [Fact]
    public void A_signal_that_is_too_long_is_refused()
    {
        var holder = Join(_holder);
        Assert.Throws<ArgumentOutOfRangeException>(() => holder.Client.Signal(holder.Id, new byte[CoordinationLimits.MaxSignalBytes + 1]));
        var caller = Join(_world.NewIdentity());
        caller.Client.Signal(holder.Id, new byte[CoordinationLimits.MaxSignalBytes]);
        _world.Deliver();
        Assert.Single(Signals(holder));
        _world.Server.HandleMessage(caller.Connection, CoordinationJson.Write(new SignalMessage(holder.Id, new byte[CoordinationLimits.MaxSignalBytes + 1])), _world.Now);
        _world.Deliver();
        Assert.Equal(CoordinationErrorCode.BadMessage, Assert.Single(caller.Events.OfType<Refused>()).Code);
        Assert.Empty(Signals(holder));
    }

    [Theory]
    [InlineData(true, CoordinationLimits.HolderSignalBurst, CoordinationLimits.HolderSignalsPerSecond)]
    [InlineData(false, CoordinationLimits.CallerSignalBurst, CoordinationLimits.CallerSignalsPerSecond)]
    public void Signals_have_a_rate_beyond_which_the_connection_ends(bool isHolder, int burst, int perSecond)
    {
        var holder = Join(_holder);
        var caller = Join(_world.NewIdentity());
        var (sender, receiver) = isHolder ? (holder, caller) : (caller, holder);
        for (var i = 0; i < burst; i++) sender.Client.Signal(receiver.Id, "x"u8);
        _world.Deliver();
        _world.Pass(TimeSpan.FromSeconds(1));
        for (var i = 0; i < perSecond; i++) sender.Client.Signal(receiver.Id, "x"u8);
        _world.Deliver();
        Assert.Equal(burst + perSecond, Signals(receiver).Count);
        Assert.False(sender.Client.IsOver);
        sender.Client.Signal(receiver.Id, "x"u8);
        _world.Deliver();
        Assert.Equal(CoordinationErrorCode.TooManySignals, Assert.Single(sender.Events.OfType<Refused>()).Code);
        Assert.Empty(Signals(receiver));
    }

    [Fact]
    public void An_inbox_has_63_callers_and_a_place_for_its_holder()
    {
        Join(_holder);
        var callers = Enumerable.Range(0, CoordinationLimits.MaxCallersPerInbox).Select(_ => Join(_world.NewIdentity())).ToList();
        Assert.All(callers, caller => Assert.Single(caller.Events.OfType<Welcomed>()));
        var late = Join(_world.NewIdentity());
        Assert.Equal(CoordinationErrorCode.RoomFull, Assert.Single(late.Events.OfType<Refused>()).Code);
        // From another process, and after it was away.
        var again = Join((_holder.Key, InstanceId.Generate(_world.Random)));
        Assert.Equal(63, Assert.Single(again.Events.OfType<Welcomed>()).Members.Count);
        again.Client.Leave(_world.Now);
        _world.Deliver();
        Assert.Equal(63, Assert.Single(Join(_holder).Events.OfType<Welcomed>()).Members.Count);
    }

    [Fact]
    public void An_echo_comes_when_the_other_has_what_was_said_before_it_and_is_not_another_heartbeats()
    {
        var holder = Join(_holder);
        var caller = Join(_world.NewIdentity());
        _world.Pass(CoordinationLimits.HeartbeatInterval);
        holder.TakeEvents();
        holder.Client.Signal(caller.Id, "answer"u8);
        var first = holder.Client.RequestEcho();
        var second = holder.Client.RequestEcho();
        Assert.Equal(first + 1, second);
        _world.Deliver();
        Assert.Equal([new Echoed(first), new Echoed(second)], holder.TakeEvents());
        Assert.Equal([(holder.Id, "answer")], Signals(caller));
    }

    [Fact]
    public void A_path_says_which_kind_it_is_of()
    {
        Assert.True(CoordinationUrl.TryRead(CoordinationUrl.PathOf(_tag, PlaceKind.Inbox), out var kind, out var tag));
        Assert.Equal(PlaceKind.Inbox, kind);
        Assert.Equal(_tag, tag);
        Assert.StartsWith("/v1/inboxes/", CoordinationUrl.PathOf(_tag, PlaceKind.Inbox), StringComparison.Ordinal);
        Assert.True(CoordinationUrl.TryRead(CoordinationUrl.PathOf(_tag), out kind, out _));
        Assert.Equal(PlaceKind.Room, kind);
        Assert.False(CoordinationUrl.TryRead("/v1/inboxes/aa", out _, out _));
        Assert.False(CoordinationUrl.TryRead("/v1/outboxes/" + Base32.Encode(_tag), out _, out _));
    }

    private Peer Join((P256KeyPair Key, InstanceId Instance) identity, string address = "198.51.100.1:50000") =>
        _world.Join(identity, address, tag: _tag, kind: PlaceKind.Inbox);

    private static List<(PeerId From, string Text)> Signals(Peer peer) =>
        [.. peer.TakeEvents().OfType<Signalled>().Select(signal => (signal.From, Encoding.UTF8.GetString(signal.Data.Span)))];
}
