using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Punchline.Protocols.Node;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Sockets;

/// <summary>
/// The first routers on the way to a server, by packets whose time-to-live ends at them: datagrams of one byte on Linux, which tells a socket who answered, and echo requests elsewhere,
/// which systems let everybody send by one way or another. Where one does not, or a router is silent, it is not known.
/// </summary>
internal static class FirstRouters
{
    /// <summary>As many as may be NATs of one's own.</summary>
    public const int Count = OwnRouters.MaxLayers;

    /// <summary>A router has answered by then.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(800);

    /// <summary>It takes a few datagrams, and no process of its own, which an echo request may.</summary>
    public static bool IsCheap => OperatingSystem.IsLinux();

    /// <summary>Null for each that does not answer.</summary>
    /// <param name="towards">IPv4; nothing that gets there means anything.</param>
    /// <param name="onRejection">Is told at once of a router that says that it lets no such datagram through; where <see cref="IsCheap"/>.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<IReadOnlyList<Endpoint?>> FindAsync(IPEndPoint towards, Action<Endpoint> onRejection, CancellationToken cancellationToken) =>
        await Task.WhenAll(Enumerable.Range(1, Count).Select(hop => IsCheap ? FindAsync(towards, hop, onRejection, cancellationToken) : AskAsync(towards.Address, hop, cancellationToken))).ConfigureAwait(false);

    private static async Task<Endpoint?> FindAsync(IPEndPoint towards, int hop, Action<Endpoint> onRejection, CancellationToken cancellationToken)
    {
        var error = await SendAsync(towards, hop, cancellationToken).ConfigureAwait(false);
        // A port that is closed over there is no network's doing.
        if (error is { IsRejection: true } rejection && !rejection.From.ToIPAddress().Equals(towards.Address)) onRejection(rejection.From);
        return error is { IsExpiry: true } expiry ? expiry.From : null;
    }

    private static async Task<IcmpError?> SendAsync(IPEndPoint towards, int hop, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            IcmpErrors.Enable(socket);
            socket.Ttl = (short)hop;
            await socket.ConnectAsync(towards, patience.Token).ConfigureAwait(false);
            await socket.SendAsync(new byte[] { PacketTypes.KeepAlive }, patience.Token).ConfigureAwait(false);
            await socket.ReceiveAsync(new byte[1], patience.Token).ConfigureAwait(false);
            return null;
        }
        catch (SocketException)
        {
            // What waits is told as an error first (EHOSTUNREACH).
            return IcmpErrors.Take(socket);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

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
