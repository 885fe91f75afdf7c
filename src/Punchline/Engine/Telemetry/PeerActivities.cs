using System.Diagnostics;

namespace Punchline.Engine.Telemetry;

/// <summary>What the library traces (docs/observing.md): ids and addresses, never a room's name, a secret or a text.</summary>
internal static class PeerActivities
{
    public const string Join = "punchline.join";

    private static readonly ActivitySource Source = new(PeerMetrics.Name, typeof(PeerActivities).Assembly.GetName().Version?.ToString(3));

    /// <summary>Until the server has introduced us. Null where nobody listens.</summary>
    public static Activity? StartJoin(PeerId self, ServerAddress server)
    {
        var activity = Source.StartActivity(Join, ActivityKind.Client);
        if (activity is not { IsAllDataRequested: true }) return activity;
        return activity.SetTag("punchline.node.id", self.ToString()).SetTag("server.address", server.Host).SetTag("server.port", server.Port);
    }

    public static void Fail(Activity? activity, Exception exception) => activity
        ?.SetStatus(ActivityStatusCode.Error, exception.Message)
        .SetTag(PeerMetrics.ErrorType, exception is PunchlineException known ? known.Error.ToString() : exception.GetType().FullName);
}
