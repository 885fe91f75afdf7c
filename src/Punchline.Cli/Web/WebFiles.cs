using System.Collections.Frozen;
using Microsoft.AspNetCore.Http;

namespace Punchline.Cli.Web;

/// <summary>The page's files, which are in this assembly. There is nothing secret in them, so whoever asks gets them.</summary>
internal static class WebFiles
{
    private const string Prefix = "web/";
    private const string Index = "index.html";

    private static readonly FrozenDictionary<string, WebFile> Files = typeof(WebFiles).Assembly.GetManifestResourceNames()
        .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal))
        .ToFrozenDictionary(name => $"/{name[Prefix.Length..]}", Read, StringComparer.Ordinal);

    public static IEnumerable<string> Paths => Files.Keys;

    /// <summary>Null: there is no such file.</summary>
    public static WebFile? Find(string? path) => Files.GetValueOrDefault(path is "/" ? $"/{Index}" : path ?? "");

    private static WebFile Read(string name)
    {
        using var stream = typeof(WebFiles).Assembly.GetManifestResourceStream(name)!;
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        return new WebFile(content, Path.GetExtension(name) switch
        {
            ".html" => "text/html; charset=utf-8",
            ".css" => "text/css; charset=utf-8",
            ".js" => "text/javascript; charset=utf-8",
            var other => throw new InvalidOperationException($"{other} has no media type here."),
        });
    }
}

internal sealed record WebFile(byte[] Content, string MediaType)
{
    public async Task WriteAsync(HttpContext context)
    {
        context.Response.ContentType = MediaType;
        context.Response.ContentLength = Content.Length;
        if (!HttpMethods.IsHead(context.Request.Method)) await context.Response.Body.WriteAsync(Content, context.RequestAborted);
    }
}
