using System.Diagnostics;

namespace Punchline.Engine.Telemetry;

/// <summary>What the library traces (docs/observing.md): ids and addresses, never a room's name, a secret or a text.</summary>
internal static class PeerActivities
{
    public const string Join = "punchline.join";
    public const string Call = "punchline.call";
    public const string Inbox = "punchline.inbox";
    public const string Connect = "punchline.connect";

    public const string Self = "punchline.node.id";
    public const string Peer = "punchline.peer.id";

    private static readonly ActivitySource Source = new(PeerMetrics.Name, typeof(PeerActivities).Assembly.GetName().Version?.ToString(3));

    public static bool HasListeners => Source.HasListeners();

    /// <summary>Until the server has introduced us, the DHT (no server) has answered, or the called peer has answered. Null where nobody listens.</summary>
    public static Activity? Start(string name, PeerId self, ServerAddress? server)
    {
        var activity = Source.StartActivity(name, ActivityKind.Client);
        if (activity is not { IsAllDataRequested: true }) return activity;
        activity.SetTag(Self, self.ToString());
        return server is null ? activity : activity.SetTag("server.address", server.Host).SetTag("server.port", server.Port);
    }

    /// <summary>Does what an activity is about, and ends it with how that went.</summary>
    public static async Task<T> TraceAsync<T>(Activity? activity, Func<Task<T>> action)
    {
        using (activity)
        {
            try
            {
                return await action().ConfigureAwait(false);
            }
            catch (Exception exception)
            {
                Fail(activity, exception);
                throw;
            }
        }
    }

    /// <summary>An attempt that has ended, from the beginning to the end that it had. With no parent: it may be hours after the join.</summary>
    public static Activity? Begin(string name, DateTimeOffset startedAt) => Source.StartActivity(name, ActivityKind.Client, parentContext: default, startTime: startedAt);

    private static void Fail(Activity? activity, Exception exception) => activity
        ?.SetStatus(ActivityStatusCode.Error, exception.Message)
        .SetTag(PeerMetrics.ErrorType, exception is PunchlineException known ? known.Error.ToString() : exception.GetType().FullName);
}
