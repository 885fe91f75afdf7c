using System.Net;
using System.Net.NetworkInformation;
using Punchline.Protocols.Primitives;

namespace Punchline.Sockets;

/// <summary>
/// The first routers on the way to a server, by echo requests whose time-to-live ends at them. Systems let everybody send these by one way or another; where
/// one does not, or a router is silent, it is not known.
/// </summary>
internal static class FirstRouters
{
    /// <summary>A home's router, one of its own or of the provider's, and the carrier's NAT.</summary>
    public const int Count = 3;

    public static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(800);

    /// <summary>Null for each that does not answer.</summary>
    public static async Task<IReadOnlyList<Endpoint?>> FindAsync(IPAddress towards, CancellationToken cancellationToken) =>
        await Task.WhenAll(Enumerable.Range(1, Count).Select(hop => AskAsync(towards, hop, cancellationToken))).ConfigureAwait(false);

    private static async Task<Endpoint?> AskAsync(IPAddress towards, int hop, CancellationToken cancellationToken)
    {
        try
        {
            using var ping = new Ping();
            var reply = await ping.SendPingAsync(towards, Patience, buffer: null, new PingOptions(hop, dontFragment: false), cancellationToken).ConfigureAwait(false);
            return reply.Status is IPStatus.TtlExpired or IPStatus.TimeExceeded && !reply.Address.Equals(IPAddress.Any) ? Endpoint.From(reply.Address, 0) : null;
        }
        catch (Exception exception) when (exception is PingException or PlatformNotSupportedException or InvalidOperationException)
        {
            return null;
        }
    }
}
