using System.Net;
using System.Net.Sockets;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Sockets;

/// <summary>
/// A network with IPv6 alone reaches IPv4 by a translator, under a prefix of the network's own. Here an IPv4 address becomes what a packet
/// is really addressed to, and back: beyond the sockets nobody knows that there is no IPv4.
/// </summary>
internal sealed class Nat64
{
    /// <summary>For the name server to answer, which is on the same network as a rule.</summary>
    private static readonly TimeSpan DiscoveryTimeout = TimeSpan.FromSeconds(1);

    private volatile Nat64Prefix? _prefix;

    public bool IsKnown => _prefix is not null;

    /// <summary>Asks the network's name server for the prefix (RFC 7050 §3).</summary>
    public async Task<bool> DiscoverAsync()
    {
        try
        {
            // Most systems' resolvers cannot be stopped: this one's answer is then not waited for.
            var answers = await Dns.GetHostAddressesAsync(Nat64Prefix.ProbedName, AddressFamily.InterNetworkV6).WaitAsync(DiscoveryTimeout).ConfigureAwait(false);
            _prefix = Nat64Prefix.TryDiscover(answers, out var prefix) ? prefix : null;
        }
        catch (Exception exception) when (exception is SocketException or TimeoutException)
        {
            // No name server, or one that knows no translator.
            _prefix = null;
        }
        return IsKnown;
    }

    /// <summary>There is IPv4, and so no need of a translator: false.</summary>
    public bool Forget()
    {
        _prefix = null;
        return false;
    }

    /// <summary>What a packet to there is addressed to.</summary>
    public Endpoint ToWire(Endpoint remote) => remote.IsIPv4 && _prefix is { } prefix ? prefix.Embed(remote) : remote;

    /// <summary>Whom a packet from there is from.</summary>
    public Endpoint FromWire(Endpoint source) => !source.IsIPv4 && _prefix is { } prefix && prefix.TryExtract(source, out var ipv4) ? ipv4 : source;
}
