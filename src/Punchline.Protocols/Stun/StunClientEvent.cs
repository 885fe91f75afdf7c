using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Stun;

/// <summary>How a query ended; each query gives exactly one.</summary>
internal abstract record StunClientEvent(Endpoint Server)
{
    /// <summary>The server saw us.</summary>
    /// <param name="Server">The server asked.</param>
    /// <param name="Mapped">Our server-reflexive endpoint: what the outermost NAT made of our socket's.</param>
    /// <param name="RoundTrip">From the first request to the response: exact if there was one request, else an upper bound.</param>
    /// <param name="Requests">Requests sent, 1 to <see cref="StunClient.MaxRequests"/>.</param>
    internal sealed record Reflected(Endpoint Server, Endpoint Mapped, TimeSpan RoundTrip, int Requests) : StunClientEvent(Server);

    /// <summary>The server did not say where it sees us.</summary>
    /// <param name="Server">The server asked.</param>
    /// <param name="Cause">Why.</param>
    /// <param name="ErrorCode">The server's code, 300 to 699, where the cause is <see cref="StunFailure.ErrorResponse"/>; else 0.</param>
    internal sealed record Failed(Endpoint Server, StunFailure Cause, int ErrorCode = 0) : StunClientEvent(Server);
}

/// <summary>Why a query failed.</summary>
internal enum StunFailure
{
    /// <summary>No answer to any request: the server is away, or UDP to it is blocked.</summary>
    TimedOut,

    /// <summary>The server answered with an error.</summary>
    ErrorResponse,

    /// <summary>The answer has an attribute that must be understood, and is not (RFC 8489 §6.3.3).</summary>
    UnknownAttribute,

    /// <summary>The answer holds no address, or an impossible one.</summary>
    NoAddress,
}
