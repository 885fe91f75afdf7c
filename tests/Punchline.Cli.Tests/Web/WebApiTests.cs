using System.Net;
using System.Text.Json;
using Punchline.Cli.Web;

namespace Punchline.Cli.Tests.Web;

public sealed class WebApiTests : WebHostFixture
{
    [Theory]
    [InlineData("/api/rooms", """{"place":"dht","server":"s","name":"n","room":"r","secret":""}""", "JoinRequest { Place = dht, Server = s, Name = n, Room = r, Secret =  }", """{"room":7}""")]
    [InlineData("/api/calls", """{"place":"server","server":"s","name":"n","peer":"p"}""", "CallRequest { Place = server, Server = s, Name = n, Peer = p }", """{"room":8}""")]
    [InlineData("/api/rooms/3/messages", """{"text":"<b>hi</b>\n"}""", "send 3 <b>hi</b>\n", "")]
    [InlineData("/api/rooms/3/leave", "", "leave 3", "")]
    [InlineData("/api/inbox", """{"place":"dht","server":"s","name":"n","reachable":true}""", "WaitRequest { Place = dht, Server = s, Name = n, Reachable = True }", "")]
    [InlineData("/api/peers/aeaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/verify", "", "verify aeaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "")]
    [InlineData("/api/peers/aeaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/block", "", "block aeaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "")]
    [InlineData("/api/peers/aeaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/unblock", "", "unblock aeaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "")]
    [InlineData("/api/doctor", """{"server":""}""", "ExamineRequest { Server =  }", """{"kind":"A router.","way":[],"findings":[],"prospects":[],"advice":[],"unknown":[]}""")]
    [InlineData("/api/inbox/close", "", "wait no more", "")]
    [InlineData("/api/inbox/5/answer", "", "answer 5", """{"room":9}""")]
    [InlineData("/api/inbox/5/refuse", "", "refuse 5", "")]
    public async Task Each_command_reaches_the_desk(string path, string json, string asked, string answered)
    {
        using var answer = await PostAsync(path, await OpenAsync(), json);
        Assert.Equal((answered, asked), (await answer.Content.ReadAsStringAsync(Cancellation), Assert.Single(Desk.Asked)));
        Assert.Equal(answered.Length > 0 ? HttpStatusCode.OK : HttpStatusCode.NoContent, answer.StatusCode);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("""{"text":null}""")]
    [InlineData("""{"text":1}""")]
    [InlineData("""{"text":"a","text":"b"}""")]
    [InlineData("""{"text":"a","more":1}""")]
    [InlineData("""{"text":"a"} {"text":"b"}""")]
    [InlineData("""{"text":"a""")]
    [InlineData("""{"Text":"a"}""")]
    [InlineData("""{"text":"\ud800"}""")]
    [InlineData("""{"text":[[[[[[[[[[]]]]]]]]]]}""")]
    public async Task Other_json_is_no_message(string json)
    {
        using var answer = await PostAsync("/api/rooms/3/messages", await OpenAsync(), json);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Empty(Desk.Asked);
    }

    [Fact]
    public async Task A_form_of_another_kind_is_no_command()
    {
        using var request = Request(HttpMethod.Post, "/api/rooms/3/messages", await OpenAsync());
        request.Content = new StringContent("""{"text":"a"}""", mediaType: new("text/plain"));
        using var answer = await AskAsync(request);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Empty(Desk.Asked);
    }

    [Theory]
    [InlineData("/api")]
    [InlineData("/api/")]
    [InlineData("/api/rooms/-1/leave")]
    [InlineData("/api/rooms/99999999999/leave")]
    [InlineData("/api/rooms/3")]
    [InlineData("/api/rooms/3/leave/now")]
    [InlineData("/api/peers/bob/block")]
    [InlineData("/api/peers/aeaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public async Task What_there_is_not_is_not_found(string path)
    {
        using var answer = await PostAsync(path, await OpenAsync(), "");
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Empty(Desk.Asked);
    }

    [Fact]
    public async Task The_longest_message_passes_and_what_is_longer_than_any_does_not()
    {
        var session = await OpenAsync();
        // As JSON has it at its longest: each byte is one character that is escaped.
        var longest = string.Concat(Enumerable.Repeat(@"\u0061", Room.MaxMessageBytes));
        using var sent = await PostAsync("/api/rooms/3/messages", session, $$"""{"text":"{{longest}}"}""");
        Assert.Equal((HttpStatusCode.NoContent, Room.MaxMessageBytes + "send 3 ".Length), (sent.StatusCode, Assert.Single(Desk.Asked).Length));

        using var tooLong = Request(HttpMethod.Post, "/api/rooms/3/messages", session, $$"""{"text":"{{longest}}{{new string('a', WebHost.MaxBodyBytes - longest.Length)}}"}""");
        tooLong.Headers.ExpectContinue = true;
        using var refused = await AskAsync(tooLong);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, refused.StatusCode);
        Assert.Single(Desk.Asked);
    }

    [Fact]
    public async Task What_cannot_be_done_is_said_in_a_sentence()
    {
        Desk.Problem = new UsageException("There is no such room any more.");
        using var answer = await PostAsync("/api/rooms/3/leave", await OpenAsync(), "");
        using var body = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Cancellation));
        Assert.Equal((HttpStatusCode.Conflict, Desk.Problem.Message), (answer.StatusCode, body.RootElement.GetProperty("error").GetString()));
    }
}
