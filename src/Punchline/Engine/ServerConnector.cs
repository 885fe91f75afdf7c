using System.Net;
using System.Net.Sockets;
using Punchline.Protocols.Primitives;
using Punchline.Sockets;

namespace Punchline.Engine;

/// <summary>
/// TCP to a server that may have several addresses, of which some may not work: one after the other, IPv6 first, with a head start each
/// (RFC 8305). The first that connects is it.
/// </summary>
internal static class ServerConnector
{
    /// <summary>Connection Attempt Delay of RFC 8305 §8, as recommended there.</summary>
    public static readonly TimeSpan AttemptDelay = TimeSpan.FromMilliseconds(250);

    /// <summary>Addresses tried, at most: more than any server of ours has.</summary>
    public const int MaxAddresses = 8;

    /// <summary>Connects to a host by its name or address; to an IPv4 literal through the network's translator, where only that leads there (RFC 8305 §7.1).</summary>
    /// <exception cref="SocketException">There is no such host, or none of its addresses answers.</exception>
    public static async Task<Socket> ConnectAsync(string host, int port, Nat64 nat64, CancellationToken cancellationToken)
    {
        var addresses = IPAddress.TryParse(host, out var literal)
            ? [nat64.ToWire(Endpoint.From(literal, (ushort)port)).ToIPEndPoint()]
            : Order(await Dns.GetHostAddressesAsync(host, cancellationToken).ConfigureAwait(false), port);
        return await ConnectAsync(addresses, ConnectOneAsync, limited => Task.Delay(AttemptDelay, limited), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>RFC 8305 §4: the families by turns, in the order in which the resolver has each, IPv6 first.</summary>
    public static IReadOnlyList<IPEndPoint> Order(IEnumerable<IPAddress> resolved, int port) =>
    [
        .. resolved.GroupBy(address => address.AddressFamily)
            .SelectMany(family => family.Select((address, turn) => (Address: address, Turn: turn)))
            .OrderBy(place => place.Turn).ThenBy(place => place.Address.AddressFamily == AddressFamily.InterNetwork)
            .Take(MaxAddresses).Select(place => new IPEndPoint(place.Address, port)),
    ];

    /// <summary>Each address a pause behind the one before it, or as soon as that has failed.</summary>
    internal static async Task<Socket> ConnectAsync(
        IReadOnlyList<IPEndPoint> addresses,
        Func<IPEndPoint, CancellationToken, Task<Socket>> connect,
        Func<CancellationToken, Task> pause,
        CancellationToken cancellationToken)
    {
        if (addresses.Count == 0) throw new SocketException((int)SocketError.HostNotFound);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var attempts = new List<Task<Socket>>(addresses.Count);
        var begun = 0;
        try
        {
            while (true)
            {
                if (begun < addresses.Count) attempts.Add(connect(addresses[begun++], end.Token));
                var waitsForAll = begun == addresses.Count;
                var ended = await Task.WhenAny(waitsForAll ? attempts : [.. attempts, pause(end.Token)]).ConfigureAwait(false);
                if (ended is not Task<Socket> attempt)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    continue;
                }
                attempts.Remove(attempt);
                // The last one's failure is as good as any other's.
                if (attempt.IsCompletedSuccessfully || (waitsForAll && attempts.Count == 0)) return await attempt.ConfigureAwait(false);
            }
        }
        finally
        {
            await end.CancelAsync().ConfigureAwait(false);
            // Two may have connected at one moment.
            foreach (var late in attempts) _ = late.ContinueWith(task => task.Result.Dispose(), CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
        }
    }

    private static async Task<Socket> ConnectOneAsync(IPEndPoint address, CancellationToken cancellationToken)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(address, cancellationToken).ConfigureAwait(false);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
