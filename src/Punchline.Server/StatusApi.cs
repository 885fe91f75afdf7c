using System.Reflection;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Punchline.Protocols.Coordination;
using Endpoint = Punchline.Protocols.Primitives.Endpoint;

namespace Punchline.Server;

// What the server says of itself, to whoever asks: GET, JSON, nothing kept and nothing about anybody but the caller.
//
//   /v1/health    {"status":"ok"}, or 503 and {"status":"stopping"}
//   /v1/version   {"version":"0.1.0","protocol":"punchline.v1"}
//   /v1/stats     {"uptimeSeconds":86400.5,"rooms":3,"peers":7,"connections":7,"stunRequests":1234}
//   /v1/address   {"address":"198.51.100.11"}
internal sealed record HealthStatus(string Status);

internal sealed record VersionStatus(string Version, string Protocol);

/// <param name="UptimeSeconds">Since the server listens, by a clock that nobody sets.</param>
/// <param name="Rooms">With a member at this moment.</param>
/// <param name="Peers">Members of all rooms; those whose connection broke stay for 15 s.</param>
/// <param name="Connections">WebSockets, joined or not.</param>
/// <param name="StunRequests">Answered since the start, over UDP and TCP.</param>
internal sealed record StatsStatus(double UptimeSeconds, int Rooms, int Peers, int Connections, long StunRequests);

internal sealed record AddressStatus(string Address);

/// <summary>The four documents above.</summary>
internal sealed class StatusApi(Func<StatsStatus> stats, Func<bool> isStopping)
{
    private const string Health = "/v1/health";
    private const string Version = "/v1/version";
    private const string Stats = "/v1/stats";
    private const string Address = "/v1/address";

    // "0.1.0+commit" where the build knows the commit, which is nobody's business here.
    private static readonly VersionStatus OwnVersion = new(
        typeof(StatusApi).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0],
        CoordinationUrl.SubProtocol);

    public static bool IsPath(string? path) => path is Health or Version or Stats or Address;

    /// <summary>Answers a request for which <see cref="IsPath"/> holds.</summary>
    public Task HandleAsync(HttpContext context)
    {
        // RFC 9110 §15.5.6: a 405 says what is allowed.
        if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method))
        {
            context.Response.Headers.Allow = "GET, HEAD";
            return HttpText.AnswerAsync(context, StatusCodes.Status405MethodNotAllowed, "This is only to be read: GET.\n");
        }
        switch (context.Request.Path.Value)
        {
            case Health:
                var stopping = isStopping();
                if (stopping) context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
                return WriteAsync(context, new HealthStatus(stopping ? "stopping" : "ok"), StatusJsonContext.Default.HealthStatus);
            case Version:
                return WriteAsync(context, OwnVersion, StatusJsonContext.Default.VersionStatus);
            case Stats:
                return WriteAsync(context, stats(), StatusJsonContext.Default.StatsStatus);
            default:
                var caller = Endpoint.From(context.Connection.RemoteIpAddress!, 0).ToIPAddress();
                return WriteAsync(context, new AddressStatus(caller.ToString()), StatusJsonContext.Default.AddressStatus);
        }
    }

    private static Task WriteAsync<T>(HttpContext context, T status, JsonTypeInfo<T> type)
    {
        // The caller's address from somebody's cache would be another caller's.
        context.Response.Headers.CacheControl = "no-store";
        return context.Response.WriteAsJsonAsync(status, type, cancellationToken: context.RequestAborted);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(HealthStatus))]
[JsonSerializable(typeof(VersionStatus))]
[JsonSerializable(typeof(StatsStatus))]
[JsonSerializable(typeof(AddressStatus))]
internal sealed partial class StatusJsonContext : JsonSerializerContext;
