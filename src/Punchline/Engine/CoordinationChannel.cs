using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Punchline.Protocols.Coordination;
using Punchline.Protocols.Primitives;
using Punchline.Sockets;

namespace Punchline.Engine;

/// <summary>
/// A WebSocket over TLS to one room or inbox of a coordination server, whose certificate was judged by <see cref="ServerTrust"/>.
/// One send and one receive may run at a time.
/// </summary>
internal sealed class CoordinationChannel : IAsyncDisposable
{
    /// <summary>For name, TCP, TLS and upgrade together: a lost SYN is sent again after 1, 3 and 7 s (RFC 6298 §2.1).</summary>
    public static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(1);

    private readonly ClientWebSocket _socket;
    private byte[] _buffer = new byte[8192];

    private CoordinationChannel(ClientWebSocket socket, ServerAddress address, byte[] certificateKeyHash)
    {
        _socket = socket;
        Host = address.Authority;
        CertificateKeyHash = certificateKeyHash;
    }

    /// <summary>The server as dialled, for the proof of key.</summary>
    public string Host { get; }

    /// <summary>SHA-256 of the SubjectPublicKeyInfo that TLS showed, for the proof of key.</summary>
    public ReadOnlyMemory<byte> CertificateKeyHash { get; }

    /// <summary>How the server closed; null while it has not.</summary>
    public WebSocketCloseStatus? CloseStatus => _socket.CloseStatus;

    /// <summary>Connects to the room or inbox at <paramref name="path"/>.</summary>
    /// <exception cref="CoordinationConnectException">No connection, for the reason that it names.</exception>
    /// <exception cref="OperationCanceledException">The caller's token.</exception>
    public static async ValueTask<CoordinationChannel> ConnectAsync(
        ServerAddress address, string path, IKnownServers knownServers, bool trustFirst, Nat64 nat64, CancellationToken cancellationToken)
    {
        var known = knownServers.Find(address.Authority);
        TrustDecision decision = default;
        byte[] keyHash = [];
        var tls = new SslClientAuthenticationOptions
        {
            TargetHost = address.Host,
            RemoteCertificateValidationCallback = (_, certificate, _, errors) =>
            {
                if (certificate is not X509Certificate2 shown) return false;
                keyHash = SHA256.HashData(shown.PublicKey.ExportSubjectPublicKeyInfo());
                decision = ServerTrust.Decide(address, Base32.Encode(keyHash), errors == SslPolicyErrors.None, known, trustFirst);
                return decision.IsTrusted;
            },
        };
        if (!ServerTrust.AsksCertificateStore(address, known))
        {
            // The pin decides, whatever the chain: an empty store of our own keeps TLS from reading the system's.
            tls.CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                DisableCertificateDownloads = true,
                RevocationMode = X509RevocationMode.NoCheck,
            };
        }
        using var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            SslOptions = tls,
            ConnectCallback = async (_, limited) => new NetworkStream(
                await ServerConnector.ConnectAsync(address.Host, address.Port, nat64, limited).ConfigureAwait(false), ownsSocket: true),
        };
        using var invoker = new HttpMessageInvoker(handler, disposeHandler: false);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(ConnectTimeout);
        var socket = new ClientWebSocket();
        try
        {
            socket.Options.AddSubProtocol(CoordinationUrl.SubProtocol);
            // Liveness is the protocol's own heartbeat.
            socket.Options.KeepAliveInterval = Timeout.InfiniteTimeSpan;
            // A server that is busy says so by its status.
            socket.Options.CollectHttpResponseDetails = true;
            // What the proof of key covers, to the letter.
            socket.Options.SetRequestHeader("Host", address.Authority);
            await socket.ConnectAsync(address.UriOf(path), invoker, limit.Token).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            var status = socket.HttpStatusCode;
            socket.Dispose();
            cancellationToken.ThrowIfCancellationRequested();
            if (exception is not (OperationCanceledException or WebSocketException)) throw;
            throw Explain(address, exception, decision, status);
        }
        if (!string.Equals(socket.SubProtocol, CoordinationUrl.SubProtocol, StringComparison.Ordinal))
        {
            socket.Dispose();
            throw NotOurs(address, null);
        }
        if (decision.Remember is { } server) knownServers.Remember(server);
        return new CoordinationChannel(socket, address, keyHash);
    }

    /// <summary>Sends one text message.</summary>
    /// <exception cref="WebSocketException">The connection is lost.</exception>
    public ValueTask SendAsync(ReadOnlyMemory<byte> utf8, CancellationToken cancellationToken) =>
        _socket.SendAsync(utf8, WebSocketMessageType.Text, endOfMessage: true, cancellationToken);

    /// <summary>
    /// The next text message, which is valid until the next call. Null: the server closed, the connection is lost, or
    /// the server sent what no coordination server sends.
    /// </summary>
    public async ValueTask<ReadOnlyMemory<byte>?> ReceiveAsync(CancellationToken cancellationToken)
    {
        var length = 0;
        try
        {
            while (true)
            {
                var received = await _socket.ReceiveAsync(_buffer.AsMemory(length), cancellationToken).ConfigureAwait(false);
                if (received.MessageType != WebSocketMessageType.Text) return null;
                length += received.Count;
                if (received.EndOfMessage) return _buffer.AsMemory(0, length);
                if (length < _buffer.Length) continue;
                if (length >= CoordinationLimits.MaxServerMessageBytes) return null;
                Array.Resize(ref _buffer, Math.Min(2 * length, CoordinationLimits.MaxServerMessageBytes));
            }
        }
        catch (WebSocketException)
        {
            return null;
        }
    }

    /// <summary>
    /// Closes in good order where the server answers within a second. Not behind a cancelled call, which has cut the
    /// connection: whoever leaves says so and lets <see cref="ReceiveAsync"/> run to its end.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        if (_socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
        {
            using var limit = new CancellationTokenSource(CloseTimeout);
            try
            {
                // Not just our half: a socket that is closed with unread bytes resets, and our last words are lost.
                await _socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, limit.Token).ConfigureAwait(false);
            }
            catch (Exception exception) when (exception is WebSocketException or OperationCanceledException)
            {
                // Lost already: closed all the same.
            }
        }
        _socket.Dispose();
    }

    private static CoordinationConnectException Explain(ServerAddress address, Exception exception, TrustDecision decision, HttpStatusCode status)
    {
        if (decision.Refusal is { } refusal) return new(CoordinationConnectFailure.CertificateRefused, refusal, exception);
        if (exception is OperationCanceledException)
        {
            return new(CoordinationConnectFailure.TimedOut, $"{address.Authority} did not answer within {ConnectTimeout.TotalSeconds:F0} s.", exception);
        }
        switch (status)
        {
            case HttpStatusCode.TooManyRequests:
                return new(CoordinationConnectFailure.Busy, $"{address.Authority} has too many connections, or joins, from this machine's address. Try again later.", exception);
            case HttpStatusCode.ServiceUnavailable:
                return new(CoordinationConnectFailure.Busy, $"{address.Authority} is full, or stops. Try again later.", exception);
        }
        for (var cause = exception; cause is not null; cause = cause.InnerException)
        {
            switch (cause)
            {
                case SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain }:
                    return new(CoordinationConnectFailure.NameNotFound, $"There is no host named {address.Host}, or no name server to ask.", exception);
                case SocketException { SocketErrorCode: SocketError.ConnectionRefused }:
                    return new(CoordinationConnectFailure.Refused, $"Nothing listens at {address.Authority}: is the server running, on this port?", exception);
                case SocketException { SocketErrorCode: SocketError.TimedOut }:
                    return new(CoordinationConnectFailure.TimedOut, $"{address.Authority} did not answer.", exception);
                case SocketException { SocketErrorCode: SocketError.NetworkUnreachable or SocketError.HostUnreachable or SocketError.NetworkDown or SocketError.AddressNotAvailable }:
                    return new(CoordinationConnectFailure.Unreachable, $"There is no route to {address.Authority}: is this machine online?", exception);
                case AuthenticationException:
                    return NotOurs(address, exception);
            }
        }
        return NotOurs(address, exception);
    }

    private static CoordinationConnectException NotOurs(ServerAddress address, Exception? exception) => new(
        CoordinationConnectFailure.NotAPunchlineServer, $"What answers at {address.Authority} is not a Punchline coordination server, or one of another version.", exception);
}
