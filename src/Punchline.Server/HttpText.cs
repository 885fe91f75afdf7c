using Microsoft.AspNetCore.Http;

namespace Punchline.Server;

/// <summary>Answers for people who came by with a browser or curl.</summary>
internal static class HttpText
{
    public static Task AnswerAsync(HttpContext context, int status, string text)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(text, context.RequestAborted);
    }
}
