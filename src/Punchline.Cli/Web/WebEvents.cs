using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Punchline.Cli.Web;

/// <summary>
/// The stream of what happens: a snapshot, then one line an event. Who was away gives the run and the last number that it saw, and
/// goes on there; where that is too long ago, or was another process, it gets a snapshot again.
/// </summary>
/// <param name="desk">What there is to show.</param>
/// <param name="stop">Ends every stream.</param>
internal sealed class WebEvents(IWebDesk desk, CancellationToken stop)
{
    private const string MediaType = "application/x-ndjson";

    private readonly WebProjection _projection = new(Run, desk.Id);

    /// <summary>Names this process: numbers of events begin anew in each.</summary>
    public static string Run { get; } = Guid.NewGuid().ToString("N", CultureInfo.InvariantCulture);

    public async Task WriteAsync(HttpContext context)
    {
        context.Response.ContentType = MediaType;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stop);
        try
        {
            await WriteAsync(context.Response.Body, ReadPlace(context.Request.Query), either.Token);
        }
        catch (OperationCanceledException) when (either.IsCancellationRequested)
        {
            // Nobody reads any more, or nobody is to.
        }
    }

    // Null: from the beginning.
    private static long? ReadPlace(IQueryCollection query) =>
        string.Equals(query["run"], Run, StringComparison.Ordinal) && long.TryParse(query["after"], NumberStyles.None, CultureInfo.InvariantCulture, out var after) ? after : null;

    private async Task WriteAsync(Stream body, long? place, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (place is not { } last || !desk.Session.TryReadAfter(last, out var events))
            {
                var snapshot = desk.Session.Snapshot();
                await WriteAsync(body, new WebLine(Self: desk.Self, Snapshot: _projection.Of(snapshot)), cancellationToken);
                place = snapshot.LastEvent;
                events = [];
            }
            foreach (var happened in events)
            {
                await WriteAsync(body, new WebLine(Event: _projection.Of(happened)), cancellationToken);
                place = happened.Number;
            }
            await body.FlushAsync(cancellationToken);
            await desk.Session.WaitAfterAsync(place.Value, cancellationToken);
        }
    }

    private static async Task WriteAsync(Stream body, WebLine line, CancellationToken cancellationToken)
    {
        await JsonSerializer.SerializeAsync(body, line, WebAnswerJson.Default.WebLine, cancellationToken);
        await body.WriteAsync("\n"u8.ToArray(), cancellationToken);
    }
}
