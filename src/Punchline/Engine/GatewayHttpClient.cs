using System.Buffers;
using System.Net;
using System.Net.Http.Headers;
using Punchline.Protocols.PortMapping;

namespace Punchline.Engine;

/// <summary>
/// Does a gateway's exchanges over HTTP as if it were hostile: no redirect is followed, no proxy asked, nothing decompressed, no cookie
/// kept; what is too long, or not whole in time, is no answer.
/// </summary>
internal sealed class GatewayHttpClient : IDisposable
{
    /// <summary>For a whole exchange, from the connection to the last byte.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    private const int MaxHeadersKilobytes = 16;

    private readonly HttpClient _http = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseProxy = false,
        UseCookies = false,
        AutomaticDecompression = DecompressionMethods.None,
        MaxResponseHeadersLength = MaxHeadersKilobytes,
        MaxResponseDrainSize = 0,
        ConnectTimeout = Timeout,
        ActivityHeadersPropagator = null,
    })
    {
        Timeout = System.Threading.Timeout.InfiniteTimeSpan,
    };

    /// <summary>Null where nothing came, or not within the limits.</summary>
    public async Task<GatewayHttpAnswer?> SendAsync(GatewayHttpRequest request, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Timeout);
        try
        {
            using var message = Create(request);
            using var response = await _http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, limit.Token).ConfigureAwait(false);
            return await ReadAsync(response, limit.Token).ConfigureAwait(false);
        }
        // Whatever a stranger's bytes make of a client: it is no answer.
        catch (Exception exception) when (exception is HttpRequestException or IOException or OperationCanceledException or UriFormatException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }

    public void Dispose() => _http.Dispose();

    private static HttpRequestMessage Create(GatewayHttpRequest request)
    {
        var message = new HttpRequestMessage(request.Action is null ? HttpMethod.Get : HttpMethod.Post, new Uri($"http://{request.Url.Server}{request.Url.Path}"))
        {
            Version = HttpVersion.Version11,
        };
        // Old routers' servers do not keep connections, whatever they say.
        message.Headers.ConnectionClose = true;
        if (request.Action is null) return message;
        message.Headers.TryAddWithoutValidation("SOAPAction", request.Action);
        message.Content = new ReadOnlyMemoryContent(request.Body);
        message.Content.Headers.ContentType = MediaTypeHeaderValue.Parse("text/xml; charset=\"utf-8\"");
        return message;
    }

    private static async Task<GatewayHttpAnswer?> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(UpnpDescription.MaxLength + 1);
        try
        {
            using var body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
            var length = await body.ReadAtLeastAsync(buffer.AsMemory(0, UpnpDescription.MaxLength + 1), UpnpDescription.MaxLength + 1, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
            return length > UpnpDescription.MaxLength ? null : new GatewayHttpAnswer((int)response.StatusCode, buffer.AsSpan(0, length).ToArray());
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
