using System.Net;
using Punchline.Cli.Chat;

namespace Punchline.Cli.Tests.Chat;

public sealed class PlainOutputTests : IDisposable
{
    private static readonly PeerId Bob = PeerId.Parse("aaaqeayeaudaocajbifqydiob4ibceqtcqkrmfyydenbwha5dypq");

    private readonly StringWriter _output = new() { NewLine = "\n" };
    private readonly StringWriter _error = new() { NewLine = "\n" };

    public void Dispose()
    {
        _output.Dispose();
        _error.Dispose();
    }

    [Fact]
    public void A_failure_that_comes_again_is_no_news_until_the_peer_was_connected_or_away()
    {
        var path = new PeerPath(PathKind.Direct, PathTransport.Udp, IPEndPoint.Parse("192.168.1.10:5000"), IPEndPoint.Parse("198.51.100.11:6000"));
        var inVain = new RoomEvent.Failed(Bob, "no-answer", "Nothing came back.", "Try this.");

        Show(inVain, inVain, inVain with { Cause = "one-way" }, inVain);
        Show(new RoomEvent.Connected(Bob, "Bob", path, TimeSpan.Zero, TimeSpan.Zero), inVain, new RoomEvent.Left(Bob, LeaveReason.Left), inVain);

        string[] told = [.. from line in _error.ToString().Split('\n') where line.Contains("No way", StringComparison.Ordinal) select line.Split('(', ')')[1]];
        Assert.Equal(["no-answer", "one-way", "no-answer", "no-answer", "no-answer"], told);
    }

    [Fact]
    public void A_members_stay_in_words()
    {
        var path = new PeerPath(PathKind.Direct, PathTransport.Udp, IPEndPoint.Parse("192.168.1.10:5000"), IPEndPoint.Parse("198.51.100.11:6000"));

        Show(
            new RoomEvent.ServerChanged(ServerState.Connected),
            new RoomEvent.Joined(Bob, "Bob"),
            new RoomEvent.Trying(Bob, "search", "Ports are searched.", "Use IPv6."),
            new RoomEvent.Connected(Bob, "Bob", path, TimeSpan.FromMilliseconds(12.34), TimeSpan.FromMilliseconds(5)),
            new RoomEvent.Message(Bob, "Bob", 1, "hello"),
            new RoomEvent.Delivered(Bob, 1),
            new RoomEvent.ServerChanged(ServerState.Lost),
            new RoomEvent.ServerChanged(ServerState.Connected),
            new RoomEvent.Failed(Bob, "no-answer", "Nothing came back.", "Try this."),
            new RoomEvent.Trying(Bob, "search", "Ports are searched.", "Use IPv6."),
            new RoomEvent.Disconnected(Bob, "left"),
            new RoomEvent.Left(Bob, LeaveReason.Left));

        Assert.Equal("Bob: hello\n", _output.ToString());
        Assert.Equal("""
            * Bob (aaaqeaye…) is here; connecting.
            * Not connected to Bob yet. Ports are searched. Use IPv6.
            * Bob is connected directly at 198.51.100.11:6000, in 12.3 ms (round trip 5 ms).
            * The server is away. Members that are connected stay connected.
            * The server is back.
            * No way to Bob (no-answer). Nothing came back. Try this.
            * Bob left.

            """, _error.ToString());
    }

    [Fact]
    public void No_message_looks_like_anothers_or_moves_the_cursor()
    {
        Show(new RoomEvent.Message(Bob, "B\e[1mob", 1, "one\nAnn: two\r\e[2J"));
        Assert.Equal("B[1mob: one\n    Ann: two[2J\n", _output.ToString());
    }

    private void Show(params RoomEvent[] events)
    {
        var plain = new PlainOutput(_output, _error);
        foreach (var roomEvent in events) plain.Show(roomEvent);
    }
}
