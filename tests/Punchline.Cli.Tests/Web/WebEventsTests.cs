using System.Net;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Punchline.Cli.Session;
using Punchline.Cli.Web;

namespace Punchline.Cli.Tests.Web;

public sealed class WebEventsTests : WebHostFixture
{
    private static readonly PeerId Bob = new([2, .. new byte[31]]);
    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    [Fact]
    public async Task A_stream_begins_with_all_there_is_and_goes_on_with_each_event()
    {
        var room = Desk.Session.Open("lounge", Desk.Id, "ann", Silence.Instance);
        room.Show(new RoomEvent.Joined(Bob, "bob<b>"));
        var session = await OpenAsync();
        using var stream = await ReadAsync(session, "");

        var first = await NextAsync(stream);
        Assert.Equal(Desk.Self.Id, (string?)first["self"]!["id"]);
        var snapshot = first["snapshot"]!;
        Assert.Equal((WebEvents.Run, 2), ((string?)snapshot["run"], (int)snapshot["lastEvent"]!));
        var member = snapshot["rooms"]![0]!["members"]![0]!;
        Assert.Equal(("bob<b>", "connecting", "joined"), ((string?)member["name"], (string?)member["state"], (string?)member["story"]![0]!["kind"]));

        room.ShowSent(1, "hello");
        room.Show(new RoomEvent.Delivered(Bob, 1));
        var (sent, delivered) = ((await NextAsync(stream))["event"]!, (await NextAsync(stream))["event"]!);
        Assert.Equal((3, "entry", 0), ((int)sent["number"]!, (string?)sent["kind"], (int)sent["entry"]!["delivered"]!));
        Assert.Equal((4, 1, 1), ((int)delivered["number"]!, (int)delivered["entry"]!["delivered"]!, (int)delivered["entry"]!["recipients"]!));
    }

    [Fact]
    public async Task Who_was_away_goes_on_where_it_was()
    {
        var room = Desk.Session.Open("lounge", Desk.Id, "ann", Silence.Instance);
        var session = await OpenAsync();
        room.Notice("missed");
        using var stream = await ReadAsync(session, $"?run={WebEvents.Run}&after=1");
        Assert.Equal("missed", (string?)(await NextAsync(stream))["event"]!["entry"]!["text"]);
    }

    [Theory]
    [InlineData("?run=0123456789abcdef0123456789abcdef&after=1")] // another process's
    [InlineData("?run={0}&after=99")] // never told
    [InlineData("?run={0}&after=-1")]
    [InlineData("?run={0}&after=x")]
    [InlineData("?run={0}")]
    [InlineData("?after=1")]
    public async Task A_place_that_is_not_ours_is_a_snapshot_anew(string query)
    {
        Desk.Session.Open("lounge", Desk.Id, "ann", Silence.Instance);
        var session = await OpenAsync();
        using var stream = await ReadAsync(session, query.Replace("{0}", WebEvents.Run, StringComparison.Ordinal));
        Assert.Equal("lounge", (string?)(await NextAsync(stream))["snapshot"]!["rooms"]![0]!["name"]);
    }

    [Fact]
    public async Task Who_was_away_for_too_long_gets_a_snapshot()
    {
        var room = Desk.Session.Open("lounge", Desk.Id, "ann", Silence.Instance);
        for (var number = 0; number <= SessionModel.MaxEvents; number++) room.Notice($"{number}");
        var session = await OpenAsync();
        using var stream = await ReadAsync(session, $"?run={WebEvents.Run}&after=1");
        Assert.Equal(SessionModel.MaxEvents + 2, (int)(await NextAsync(stream))["snapshot"]!["lastEvent"]!);
    }

    [Fact]
    public async Task Each_kind_of_event_has_its_word()
    {
        var session = await OpenAsync();
        using var stream = await ReadAsync(session, "");
        await NextAsync(stream);
        var room = Desk.Session.Open("lounge", Desk.Id, "ann", Silence.Instance);
        room.Show(new RoomEvent.ServerChanged(ServerState.Lost));
        room.Show(new RoomEvent.Joined(Bob, "bob"));
        room.Show(new RoomEvent.Probing(Bob, PathTransport.Udp, [new ProbedAddress(AddressOrigin.Mapped, IPEndPoint.Parse("198.51.100.1:5000"))]));
        room.Show(new RoomEvent.Trying(Bob, "search", "Ports are searched.", "Use IPv6."));
        room.Show(new RoomEvent.Connected(Bob, "bob", new PeerPath(PathKind.Direct, PathTransport.Udp, IPEndPoint.Parse("192.0.2.1:1"), IPEndPoint.Parse("198.51.100.1:5000")), TimeSpan.FromMilliseconds(64), TimeSpan.FromMilliseconds(21)));
        room.ShowQuality([new MemberQuality(Bob, new QualitySample(default, TimeSpan.FromSeconds(10), TimeSpan.FromMilliseconds(20.25), TimeSpan.FromMilliseconds(2), 100, 5, 12_000, 30_000, 0))]);
        room.Show(new RoomEvent.Failed(Bob, "no-answer", "Nothing came.", "Try another network."));
        room.Show(new RoomEvent.Left(Bob, LeaveReason.Left));
        room.ShowEnded();
        Assert.True(Desk.Session.Forget(room.Number));
        Desk.Session.ShowInbox(new InboxSnapshot("ann", "server.test", null, [new RingingCall(1, default, Bob, "bob", "You have not met it.")]));
        Desk.Session.ShowInbox(null);

        string[] kinds = ["opened", "server", "member", "member", "member", "member", "quality", "member", "gone", "ended", "closed", "inbox", "inbox"];
        List<JsonNode> told = [];
        foreach (var _ in kinds) told.Add((await NextAsync(stream))["event"]!);
        Assert.Equal(kinds, told.Select(happened => (string?)happened["kind"]));
        Assert.Equal($$$"""{"peer":"{{{Bob}}}","samples":[{"time":"0001-01-01T00:00:00+00:00","rttMs":20.2,"loss":0.05,"sent":1200,"received":3000}]}""", told[6]["quality"]![0]!.ToJsonString(Plain));
        var story = told[7]["member"]!["story"]!;
        Assert.Equal(["joined", "probing", "trying", "connected", "failed"], story.AsArray().Select(step => (string?)step!["kind"]));
        Assert.Equal("""[{"address":"198.51.100.1:5000","origin":"mapped by its router"}]""", story[1]!["addresses"]!.ToJsonString());
        Assert.Equal("Try another network.", (string?)story[4]!["advice"]);
        Assert.Equal("bob", (string?)told[11]["inbox"]!["calls"]![0]!["name"]);
        Assert.Null(told[12]["inbox"]);
    }

    private async Task<StreamReader> ReadAsync(WebSessionKeys session, string query)
    {
        var answer = await AskAsync(Request(HttpMethod.Get, $"/api/events{query}", session));
        Assert.Equal("application/x-ndjson", answer.Content.Headers.ContentType?.MediaType);
        return new StreamReader(await answer.Content.ReadAsStreamAsync(Cancellation));
    }

    private static async Task<JsonNode> NextAsync(StreamReader stream) => JsonNode.Parse((await stream.ReadLineAsync(Cancellation))!)!;
}
