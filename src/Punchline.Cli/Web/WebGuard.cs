using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Punchline.Cli.Web;

/// <summary>
/// What is asked of every request before anything else: that it was meant for this page, and comes from it. Another site's name
/// that resolves to 127.0.0.1 (DNS rebinding) is not ours, and another site's page is not allowed to ask.
/// </summary>
/// <param name="port">On 127.0.0.1.</param>
internal sealed class WebGuard(int port)
{
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

    private readonly string _host = $"127.0.0.1:{port}";

    public string Origin { get; } = $"http://127.0.0.1:{port}";

    /// <summary>Writes the headers that every answer has.</summary>
    public static void Protect(IHeaderDictionary headers)
    {
        headers.ContentSecurityPolicy = Policy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()";
        // A page of a process that is gone, out of a cache, would be confusing, and messages do not belong there.
        headers.CacheControl = "no-store";
    }

    /// <summary>Null: the request may go on.</summary>
    /// <param name="request">The request.</param>
    /// <returns>The status and the reason of a refusal.</returns>
    public (int Status, string Reason)? Check(HttpRequest request)
    {
        // RFC 9110 §15.5.20: 421, for a host that is not served here.
        if (!string.Equals(request.Host.Value, _host, StringComparison.Ordinal))
            return (StatusCodes.Status421MisdirectedRequest, $"This page is {Origin}/ and answers to no other name.");
        var isRead = HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method);
        var origin = request.Headers.Origin;
        // Browsers leave it out of what only reads from the same origin.
        if (origin.Count > 0 ? !Is(origin, Origin) : !isRead) return (StatusCodes.Status403Forbidden, "Only this page itself may ask that.");
        // Fetch Metadata: "none" is a person who typed the address or clicked the link elsewhere than in a page.
        var site = request.Headers["Sec-Fetch-Site"];
        var isPage = isRead && Is(request.Headers["Sec-Fetch-Mode"], "navigate");
        if (site.Count > 0 && !isPage && !Is(site, "same-origin") && !Is(site, "none")) return (StatusCodes.Status403Forbidden, "Only this page itself may ask that.");
        return null;
    }

    private static bool Is(StringValues values, string expected) => values.Count == 1 && string.Equals(values[0], expected, StringComparison.Ordinal);
}
