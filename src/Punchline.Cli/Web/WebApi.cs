using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;

namespace Punchline.Cli.Web;

// What a page can ask, all of it with cookie and key but the first; JSON both ways.
//
//   POST /api/open                    token → key and cookie
//   GET  /api/events?run=R&after=N    lines without end; see WebEvents
//   POST /api/rooms                   joins → room
//   POST /api/rooms/N/messages        sends
//   POST /api/rooms/N/leave           leaves, or forgets a room that is over
//   POST /api/calls                   calls → room
//   POST /api/inbox                   waits for calls
//   POST /api/inbox/close             waits no more
//   POST /api/inbox/N/answer          takes a call → room
//   POST /api/inbox/N/refuse
//   POST /api/peers/ID/verify         its id was compared
//   POST /api/peers/ID/block          and unblock
//   POST /api/code                    text → QR code
//   POST /api/doctor                  examines the network → diagnosis

/// <summary>The page's requests: a session first, then one command or the stream of events.</summary>
/// <param name="desk">What it is asked of.</param>
/// <param name="sessions">Who may ask.</param>
/// <param name="events">The stream.</param>
/// <param name="port">The page's.</param>
/// <param name="onOpened">Somebody used the link.</param>
internal sealed class WebApi(IWebDesk desk, WebSessions sessions, WebEvents events, int port, Action onOpened)
{
    private const string Json = "application/json";
    private const string KeyHeader = "X-Punchline-Key";

    // Cookies know no ports: two of these programs must not take each other's.
    private readonly string _cookie = $"punchline-{port}";

    public static bool IsPath(PathString path) => path.StartsWithSegments("/api", StringComparison.Ordinal);

    public async Task HandleAsync(HttpContext context)
    {
        var path = context.Request.Path.Value!.Split('/')[2..];
        var isOpening = path is ["open"];
        if (!isOpening && !sessions.IsOpen(context.Request.Cookies[_cookie], context.Request.Headers[KeyHeader]))
        {
            await AnswerAsync(context, StatusCodes.Status401Unauthorized, new ErrorAnswer("This page is not open any more, or never was: use the link that punchline printed."), WebAnswerJson.Default.ErrorAnswer);
            return;
        }
        var isEvents = path is ["events"];
        if (isEvents ? !HttpMethods.IsGet(context.Request.Method) : !HttpMethods.IsPost(context.Request.Method))
        {
            context.Response.Headers.Allow = isEvents ? "GET" : "POST";
            await RefuseAsync(context, StatusCodes.Status405MethodNotAllowed, "This is not how to ask that.");
            return;
        }
        try
        {
            if (isOpening) await OpenAsync(context);
            else if (isEvents) await events.WriteAsync(context);
            else await CommandAsync(context, path);
        }
        catch (BadHttpRequestException exception)
        {
            await RefuseAsync(context, exception.StatusCode, "That is more than can be sent at once.");
        }
        catch (Exception exception) when (exception is UsageException or IOException or UnauthorizedAccessException)
        {
            await RefuseAsync(context, StatusCodes.Status409Conflict, exception.Message);
        }
        catch (JsonException)
        {
            await RefuseAsync(context, StatusCodes.Status400BadRequest, "That is not what the page would ask.");
        }
    }

    private async Task OpenAsync(HttpContext context)
    {
        var request = await ReadAsync(context, WebRequestJson.Default.OpenRequest);
        if (sessions.Open(request.Token) is not { } session)
        {
            await RefuseAsync(context, StatusCodes.Status403Forbidden, "This link was used already, or is of an earlier run. Use the one that punchline printed last.");
            return;
        }
        context.Response.Cookies.Append(_cookie, session.Cookie, new CookieOptions { HttpOnly = true, SameSite = SameSiteMode.Strict, Path = "/api" });
        await AnswerAsync(context, StatusCodes.Status200OK, new OpenAnswer(session.Key), WebAnswerJson.Default.OpenAnswer);
        onOpened();
    }

    private async Task CommandAsync(HttpContext context, string[] path)
    {
        switch (path)
        {
            case ["rooms"]:
                await AnswerAsync(context, desk.Join(await ReadAsync(context, WebRequestJson.Default.JoinRequest)));
                break;
            case ["calls"]:
                await AnswerAsync(context, desk.Call(await ReadAsync(context, WebRequestJson.Default.CallRequest)));
                break;
            case ["rooms", var number, "messages"] when TryRead(number, out var room):
                desk.Send(room, (await ReadAsync(context, WebRequestJson.Default.SendRequest)).Text);
                context.Response.StatusCode = StatusCodes.Status204NoContent;
                break;
            case ["rooms", var number, "leave"] when TryRead(number, out var room):
                desk.Leave(room);
                context.Response.StatusCode = StatusCodes.Status204NoContent;
                break;
            case ["inbox"]:
                await desk.WaitAsync(await ReadAsync(context, WebRequestJson.Default.WaitRequest));
                context.Response.StatusCode = StatusCodes.Status204NoContent;
                break;
            case ["inbox", "close"]:
                await desk.StopWaitingAsync();
                context.Response.StatusCode = StatusCodes.Status204NoContent;
                break;
            case ["inbox", var number, "answer"] when TryRead(number, out var call):
                await AnswerAsync(context, desk.Answer(call));
                break;
            case ["inbox", var number, "refuse"] when TryRead(number, out var call):
                await desk.RefuseAsync(call);
                context.Response.StatusCode = StatusCodes.Status204NoContent;
                break;
            case ["peers", var id, "verify"] when PeerId.TryParse(id, out var peer):
                desk.Verify(peer);
                context.Response.StatusCode = StatusCodes.Status204NoContent;
                break;
            case ["peers", var id, "block" or "unblock"] when PeerId.TryParse(id, out var peer):
                desk.Block(peer, isBlocked: path[2] is "block");
                context.Response.StatusCode = StatusCodes.Status204NoContent;
                break;
            case ["code"]:
                await AnswerAsync(context, StatusCodes.Status200OK, WebCode.Of((await ReadAsync(context, WebRequestJson.Default.CodeRequest)).Text), WebAnswerJson.Default.WebCode);
                break;
            case ["doctor"]:
                var diagnosis = await desk.ExamineAsync(await ReadAsync(context, WebRequestJson.Default.ExamineRequest), context.RequestAborted);
                await AnswerAsync(context, StatusCodes.Status200OK, diagnosis, WebAnswerJson.Default.WebDiagnosis);
                break;
            default:
                await RefuseAsync(context, StatusCodes.Status404NotFound, "Nothing here.");
                break;
        }
    }

    private static bool TryRead(string number, out int value) => int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out value);

    private static async Task<T> ReadAsync<T>(HttpContext context, JsonTypeInfo<T> type)
        where T : class
    {
        if (context.Request.ContentType is not Json) throw new JsonException();
        return await JsonSerializer.DeserializeAsync(context.Request.Body, type, context.RequestAborted) ?? throw new JsonException();
    }

    private static Task AnswerAsync(HttpContext context, int room) => AnswerAsync(context, StatusCodes.Status200OK, new RoomAnswer(room), WebAnswerJson.Default.RoomAnswer);

    private static Task RefuseAsync(HttpContext context, int status, string reason) => AnswerAsync(context, status, new ErrorAnswer(reason), WebAnswerJson.Default.ErrorAnswer);

    private static Task AnswerAsync<T>(HttpContext context, int status, T answer, JsonTypeInfo<T> type)
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsJsonAsync(answer, type, cancellationToken: context.RequestAborted);
    }
}
