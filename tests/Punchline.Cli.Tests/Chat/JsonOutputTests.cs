using System.Net;
using Punchline.Cli.Chat;

namespace Punchline.Cli.Tests.Chat;

/// <summary>The lines that scripts rely on, to the letter.</summary>
public sealed class JsonOutputTests
{
    private const string Bob = "aaaqeayeaudaocajbifqydiob4ibceqtcqkrmfyydenbwha5dypq";

    private static readonly PeerId Peer = PeerId.Parse(Bob);

    private static readonly PeerPath Path = new(
        PathKind.Direct, PathTransport.Udp, IPEndPoint.Parse("192.168.1.10:5000"), IPEndPoint.Parse("[2001:db8::1]:6000"));

    public static TheoryData<RoomEvent, string> Lines => new()
    {
        { new RoomEvent.ServerChanged(ServerState.Connected), """{"event":"server","state":"connected"}""" },
        { new RoomEvent.ServerChanged(ServerState.Lost) { Reason = "No." }, """{"event":"server","state":"lost","reason":"No."}""" },
        { new RoomEvent.ServerChanged(ServerState.Lost), """{"event":"server","state":"lost"}""" },
        { new RoomEvent.ServerChanged(ServerState.Replaced), """{"event":"server","state":"replaced"}""" },
        { new RoomEvent.Joined(Peer, "Bob"), $$"""{"event":"joined","peer":"{{Bob}}","name":"Bob"}""" },
        { new RoomEvent.Left(Peer, LeaveReason.Left), $$"""{"event":"left","peer":"{{Bob}}","reason":"left"}""" },
        { new RoomEvent.Left(Peer, LeaveReason.Timeout), $$"""{"event":"left","peer":"{{Bob}}","reason":"timeout"}""" },
        {
            new RoomEvent.Connected(Peer, "Bob", Path, TimeSpan.FromMicroseconds(41_260), TimeSpan.FromMilliseconds(20)),
            $$"""{"event":"connected","peer":"{{Bob}}","name":"Bob","path":{"kind":"direct","transport":"udp","local":"192.168.1.10:5000","remote":"[2001:db8::1]:6000"},"elapsedMs":41.3,"rttMs":20}"""
        },
        {
            new RoomEvent.PathChanged(Peer, Path with { Kind = PathKind.Lan }, TimeSpan.FromMicroseconds(440)),
            $$"""{"event":"path","peer":"{{Bob}}","path":{"kind":"lan","transport":"udp","local":"192.168.1.10:5000","remote":"[2001:db8::1]:6000"},"rttMs":0.4}"""
        },
        { new RoomEvent.Message(Peer, "Bob", 7, "a \"line\"\nü €"), $$"""{"event":"message","peer":"{{Bob}}","name":"Bob","id":7,"text":"a \"line\"\nü €"}""" },
        { new RoomEvent.Delivered(Peer, ulong.MaxValue), $$"""{"event":"delivered","peer":"{{Bob}}","id":18446744073709551615}""" },
        { new RoomEvent.Disconnected(Peer, "idle"), $$"""{"event":"disconnected","peer":"{{Bob}}","reason":"idle"}""" },
        { new RoomEvent.Probing(Peer, PathTransport.Udp, [new ProbedAddress(AddressOrigin.Outside, IPEndPoint.Parse("198.51.100.1:5000"))]), $$"""{"event":"probing","peer":"{{Bob}}","transport":"udp","addresses":[{"origin":"outside","address":"198.51.100.1:5000"}]}""" },
        { new RoomEvent.Trying(Peer, "tcp", "d", "a"), $$"""{"event":"trying","peer":"{{Bob}}","means":"tcp","detail":"d","advice":"a"}""" },
        { new RoomEvent.Failed(Peer, "no-answer", "d", "a"), $$"""{"event":"failed","peer":"{{Bob}}","cause":"no-answer","detail":"d","advice":"a"}""" },
    };

    [Theory(DisableDiscoveryEnumeration = true)]
    [MemberData(nameof(Lines))]
    public void An_event_is_a_line(RoomEvent roomEvent, string line)
    {
        using var output = new StringWriter { NewLine = "\n" };
        new JsonOutput(output, TextWriter.Null).Show(roomEvent);
        Assert.Equal(line + "\n", output.ToString());
    }

    [Fact]
    public void Being_in_the_room_is_a_line_and_notices_go_elsewhere()
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        var json = new JsonOutput(output, error);

        json.ShowReady(Peer, "Ann \"A\"", "lounge");
        json.Notice("a word");

        Assert.Equal($$"""{"event":"ready","peer":"{{Bob}}","name":"Ann \"A\"","room":"lounge"}""" + "\n", output.ToString());
        Assert.Equal("* a word\n", error.ToString());
    }
}
