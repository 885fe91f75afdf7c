using System.Net;
using Punchline.Cli.Chat;
using Punchline.Cli.Session;
using Punchline.Server.Tests.Coordination;

namespace Punchline.Cli.Tests.Chat;

/// <summary>What a user reads when names and keys don't go together as they did.</summary>
public sealed class AcquaintanceOutputTests : IDisposable
{
    private const string Room = "aaaaaaaa";

    private static readonly PeerId Bob = new([1, .. new byte[31]]);
    private static readonly PeerId Other = new([2, .. new byte[31]]);
    private static readonly DateTimeOffset Now = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);

    private readonly TemporaryDirectory _directory = new();
    private readonly StringWriter _output = new() { NewLine = "\n" };
    private readonly StringWriter _error = new() { NewLine = "\n" };

    public void Dispose()
    {
        _output.Dispose();
        _error.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public void The_same_people_again_are_nothing_to_speak_of()
    {
        Assert.Empty(WarningsOf(Connected(Bob, "bob"), Connected(Other, "ann")));
        Assert.Empty(WarningsOf(Connected(Other, "ann"), Connected(Bob, "bob"), Connected(Bob, "bob")));
    }

    [Fact]
    public void Another_key_under_a_known_name_is_loud_and_honest()
    {
        WarningsOf(Connected(Bob, "bob"));
        var warning = Assert.Single(WarningsOf(Connected(Other, "Bob")));
        Assert.Equal($"""
            * WARNING: Bob HAS ANOTHER KEY THAN BEFORE.
                You know that name in this room from aeaaaaaa…, met on 2026-11-21. This is {Other}.
                It may be the same person on another machine, or in a second process; another person of that name; or somebody who pretends.
                Nothing here can tell these apart: ask for the id (`punchline id`) by another way before you trust it.

            """, warning);
        // It was said; both are known now.
        Assert.Empty(WarningsOf(Connected(Other, "Bob")));
        Assert.Empty(WarningsOf(Connected(Bob, "bob")));
    }

    [Fact]
    public void Two_of_a_name_at_once_are_two()
    {
        var warning = Assert.Single(WarningsOf(new RoomEvent.Joined(Bob, "bob"), Connected(Bob, "bob"), Connected(Other, "bob")));
        Assert.StartsWith("* TWO ARE CALLED bob here: aiaaaaaa…, who just came, and aeaaaaaa…, who is still here.", warning, StringComparison.Ordinal);
    }

    [Fact]
    public void Who_left_is_not_here_any_more()
    {
        var warning = Assert.Single(WarningsOf(Connected(Bob, "bob"), new RoomEvent.Left(Bob, LeaveReason.Left), Connected(Other, "bob")));
        Assert.StartsWith("* WARNING: bob HAS ANOTHER KEY", warning, StringComparison.Ordinal);
    }

    [Fact]
    public void A_verified_peers_name_is_never_another_peers()
    {
        WarningsOf(Connected(Bob, "bob"));
        new KnownPeers(_directory.Path).SetVerified(Bob, true);
        for (var time = 0; time < 3; time++)
            Assert.Contains("aeaaaaaa…, verified, met on 2026-11-21", Assert.Single(WarningsOf(Connected(Other, "bob"))), StringComparison.Ordinal);
        // And the verified one is itself, whoever else took its name.
        Assert.Empty(WarningsOf(Connected(Bob, "bob")));
    }

    [Fact]
    public void Who_takes_a_known_name_later_is_noticed_too()
    {
        WarningsOf(Connected(Bob, "bob"), Connected(Other, "eve"));
        Assert.Contains("HAS ANOTHER KEY", Assert.Single(WarningsOf(Connected(Other, "bob"))), StringComparison.Ordinal);
    }

    [Fact]
    public void A_state_that_cannot_be_written_is_said_once_and_the_chat_goes_on()
    {
        var output = new AcquaintanceOutput(new PlainOutput(_output, _error), (_, _) => throw new IOException("No space left."), null);
        output.Show(Connected(Bob, "bob"));
        output.Show(Connected(Other, "ann"));
        output.Show(new RoomEvent.Message(Bob, "bob", 1, "hello"));
        Assert.Equal(1, _error.ToString().Split("Whom you meet is not remembered: No space left.").Length - 1);
        Assert.Equal("bob: hello\n", _output.ToString());
    }

    [Fact]
    public void In_an_open_room_there_are_digits_to_compare_until_they_were()
    {
        var known = new KnownPeers(_directory.Path);
        var output = new AcquaintanceOutput(new PlainOutput(_output, _error), (peer, name) => known.Meet(Room, peer, name, Now), peer => peer == Bob ? "12345" : "67890");
        output.Show(Connected(Bob, "bob\e"));
        Assert.EndsWith("* To be sure of bob, compare by another way: 12345\n", _error.ToString(), StringComparison.Ordinal);

        known.SetVerified(Bob, true);
        _error.GetStringBuilder().Clear();
        output.Show(Connected(Bob, "bob"));
        Assert.DoesNotContain("12345", _error.ToString(), StringComparison.Ordinal);

        new AcquaintanceOutput(new PlainOutput(_output, _error), null, _ => "67890").Show(Connected(Bob, "bob"));
        Assert.EndsWith(": 67890\n", _error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_members_key_has_a_mark_and_another_key_keeps_it_until_ids_were_compared()
    {
        var session = new SessionModel(new ManualTime());
        var known = new KnownPeers(_directory.Path);
        var output = new AcquaintanceOutput(
            session.Open("lounge", default, "ann", new PlainOutput(_output, _error)), (peer, name) => known.Meet(Room, peer, name, Now), null);
        TrustMark MarkOf(PeerId peer, string name)
        {
            output.Show(new RoomEvent.Left(peer, LeaveReason.Left));
            output.Show(Connected(peer, name));
            return session.Snapshot().Rooms[0].Members.Single(member => member.Peer == peer).Trust;
        }

        Assert.Equal(TrustMark.New, MarkOf(Bob, "bob"));
        Assert.Equal(TrustMark.Known, MarkOf(Bob, "bob"));
        Assert.Equal(TrustMark.Changed, MarkOf(Other, "bob"));
        Assert.Equal(TrustMark.Changed, MarkOf(Other, "bob"));
        known.SetVerified(Other, true);
        Assert.Equal(TrustMark.Verified, MarkOf(Other, "bob"));
    }

    private static RoomEvent.Connected Connected(PeerId peer, string name) => new(
        peer, name, new PeerPath(PathKind.Lan, PathTransport.Udp, new IPEndPoint(IPAddress.Loopback, 1), new IPEndPoint(IPAddress.Loopback, 2)), TimeSpan.Zero, TimeSpan.Zero);

    // One process's events, and what was said of them beyond what any output says.
    private List<string> WarningsOf(params RoomEvent[] events)
    {
        var known = new KnownPeers(_directory.Path);
        var output = new AcquaintanceOutput(new PlainOutput(_output, _error), (peer, name) => known.Meet(Room, peer, name, Now), null);
        List<string> warnings = [];
        foreach (var roomEvent in events)
        {
            var plain = new StringWriter { NewLine = "\n" };
            new PlainOutput(plain, plain).Show(roomEvent);
            _error.GetStringBuilder().Clear();
            output.Show(roomEvent);
            var said = _error.ToString();
            var usual = plain.ToString();
            if (roomEvent is RoomEvent.Left) continue;
            Assert.StartsWith(usual, said, StringComparison.Ordinal);
            if (said.Length > usual.Length) warnings.Add(said[usual.Length..]);
        }
        return warnings;
    }
}
