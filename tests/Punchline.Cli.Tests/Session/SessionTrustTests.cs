using System.Net;
using Punchline.Cli.Chat;
using Punchline.Cli.Session;
using Punchline.Server.Tests.Coordination;

namespace Punchline.Cli.Tests.Session;

public sealed class SessionTrustTests : IDisposable
{
    private static readonly PeerId Bob = new([2, .. new byte[31]]);
    private static readonly PeerId Eve = new([3, .. new byte[31]]);
    private static readonly PeerPath Direct = new(PathKind.Direct, PathTransport.Udp, IPEndPoint.Parse("192.168.1.10:5000"), IPEndPoint.Parse("203.0.113.1:6000"));

    private readonly TemporaryDirectory _directory = new();
    private readonly StringWriter _output = new() { NewLine = "\n" };

    private KnownPeers Known => new(_directory.Path);

    public void Dispose()
    {
        _output.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public void Who_is_verified_is_so_in_all_rooms_and_sessions()
    {
        var session = new SessionModel(new ManualTime()) { Known = Known };
        // Never met.
        Assert.False(session.Verify(Bob));
        var rooms = new[] { Open(session), Open(session) };
        foreach (var room in rooms) room.Show(new RoomEvent.Connected(Bob, "bob", Direct, default, default));
        Known.Meet("aaaaaaaa", Bob, "bob", DateTimeOffset.UnixEpoch);

        Assert.True(session.Verify(Bob));

        Assert.All(session.Snapshot().Rooms, room => Assert.Equal(TrustMark.Verified, Assert.Single(room.Members).Trust));
        Assert.True(Known.Find(Bob)!.IsVerified);
    }

    [Fact]
    public void Without_a_place_to_keep_it_somebody_here_is_verified_for_this_session()
    {
        var session = new SessionModel(new ManualTime());
        Open(session).Show(new RoomEvent.Joined(Bob, "bob"));
        Assert.True(session.Verify(Bob));
        Assert.False(session.Verify(Eve));
        Assert.Equal(TrustMark.Verified, Assert.Single(session.Snapshot().Rooms[0].Members).Trust);
    }

    [Fact]
    public void What_a_blocked_peer_says_is_not_shown_here_nor_in_the_next_session()
    {
        var session = new SessionModel(new ManualTime()) { Known = Known };
        var room = Open(session);
        room.Show(new RoomEvent.Joined(Eve, "eve"));
        session.Block(Eve);
        Say(room);
        Assert.Equal(("b", true, true), Facts(session));

        var next = new SessionModel(new ManualTime()) { Known = Known };
        var again = Open(next);
        again.Show(new RoomEvent.Joined(Eve, "eve"));
        Say(again);
        Assert.Equal(("b", true, true), Facts(next));
        next.Block(Eve, isBlocked: false);
        Say(again);
        Assert.Equal(("beb", false, false), Facts(next));
        Assert.Equal("bob: b\nbob: b\neve: e\nbob: b\n", _output.ToString());
        Assert.Empty(Known.ListBlocked());
    }

    [Fact]
    public void Who_is_blocked_is_kept_out_of_the_node_from_its_beginning()
    {
        Known.SetBlocked(Eve, isBlocked: true);
        List<(PeerId, bool)> told = [];
        var session = new SessionModel(new ManualTime()) { Known = Known, Barrier = (peer, isBlocked) => told.Add((peer, isBlocked)) };
        session.Block(Eve);
        session.Block(Bob);
        session.Block(Eve, isBlocked: false);
        Assert.Equal([(Eve, true), (Bob, true), (Eve, false)], told);
    }

    private RoomModel Open(SessionModel session) => session.Open("lounge", default, "ann", new PlainOutput(_output, TextWriter.Null));

    private static void Say(RoomModel room)
    {
        room.Show(new RoomEvent.Message(Eve, "eve", 1, "e"));
        room.Show(new RoomEvent.Message(Bob, "bob", 1, "b"));
    }

    private static (string Log, bool IsMemberBlocked, bool IsBlocked) Facts(SessionModel session)
    {
        var room = session.Snapshot().Rooms[0];
        return (string.Concat(room.Log.Select(entry => entry.Text)), Assert.Single(room.Members).IsBlocked, session.IsBlocked(Eve));
    }
}
