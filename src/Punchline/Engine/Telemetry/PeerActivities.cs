using System.Diagnostics;

namespace Punchline.Engine.Telemetry;

/// <summary>What the library traces (docs/observing.md): ids and addresses, never a room's name, a secret or a text.</summary>
internal static class PeerActivities
{
    public const string Join = "punchline.join";
    public const string Connect = "punchline.connect";

    public const string Self = "punchline.node.id";
    public const string Peer = "punchline.peer.id";

    private static readonly ActivitySource Source = new(PeerMetrics.Name, typeof(PeerActivities).Assembly.GetName().Version?.ToString(3));

    public static bool HasListeners => Source.HasListeners();

    /// <summary>Until the server has introduced us. Null where nobody listens.</summary>
    public static Activity? StartJoin(PeerId self, ServerAddress server)
    {
        var activity = Source.StartActivity(Join, ActivityKind.Client);
        if (activity is not { IsAllDataRequested: true }) return activity;
        return activity.SetTag(Self, self.ToString()).SetTag("server.address", server.Host).SetTag("server.port", server.Port);
    }

    /// <summary>An attempt that has ended, from the beginning to the end that it had. With no parent: it may be hours after the join.</summary>
    public static Activity? Begin(string name, DateTimeOffset startedAt) => Source.StartActivity(name, ActivityKind.Client, parentContext: default, startTime: startedAt);

    public static void Fail(Activity? activity, Exception exception) => activity
        ?.SetStatus(ActivityStatusCode.Error, exception.Message)
        .SetTag(PeerMetrics.ErrorType, exception is PunchlineException known ? known.Error.ToString() : exception.GetType().FullName);
}
