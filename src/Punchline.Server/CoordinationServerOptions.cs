using System.Net;
using Punchline.Protocols.Coordination;

namespace Punchline.Server;

/// <summary>How a coordination server listens and what it tells its peers.</summary>
public sealed class CoordinationServerOptions
{
    /// <summary>The TCP port, from 1 to 65,535; 0 takes any free one.</summary>
    public int Port { get; init; } = 8080;

    /// <summary>Where to listen; null is everywhere, IPv4 and IPv6.</summary>
    public IPAddress? ListenAddress { get; init; }

    /// <summary>
    /// Addresses under which the world reaches this machine, for clouds that map addresses. Empty: each peer is told the
    /// one that it reached.
    /// </summary>
    public IReadOnlyList<IPAddress> PublicAddresses { get; init; } = [];

    /// <summary>
    /// A certificate in PEM, with its chain behind it; together with <see cref="KeyFile"/>. Null: a self-signed one,
    /// which peers know by its pin.
    /// </summary>
    public string? CertificateFile { get; init; }

    /// <summary>The private key to <see cref="CertificateFile"/>, in PEM.</summary>
    public string? KeyFile { get; init; }

    /// <summary>
    /// Speaks HTTP without TLS, for a proxy in front that ends TLS. The proxy has to pass on the Host header as it came, and
    /// only its own host's: it is what a member's proof of key covers then.
    /// </summary>
    public bool Plain { get; init; }

    /// <summary>With <see cref="Plain"/>: whose X-Forwarded-For is believed. This machine, unless given.</summary>
    public IReadOnlyList<IPAddress> TrustedProxies { get; init; } = [IPAddress.Loopback, IPAddress.IPv6Loopback];

    /// <summary>Where the self-signed certificate is kept; null makes a new one at each start, and so another pin.</summary>
    public string? StateDirectory { get; init; }

    /// <summary>
    /// Where a peer finds STUN, given the address and port at which it reached this server. Null: UDP on the same port
    /// and the next, of <see cref="PublicAddresses"/>, or of that address and one of the other family, where this machine has one that goes as far; with
    /// <see cref="Plain"/>, where that address is the proxy's affair, of the former only.
    /// </summary>
    public Func<IPEndPoint, IReadOnlyList<IPEndPoint>>? StunServers { get; init; }

    /// <summary>Connections from one IPv4 address or IPv6 /64, each of a peer's rooms being one. From 1.</summary>
    public int MaxConnectionsPerAddress { get; init; } = new AdmissionLimits().MaxConnectionsPerAddress;

    /// <summary>Joins a second from one IPv4 address or IPv6 /64, after a burst of 512. From 1.</summary>
    public int JoinsPerSecondPerAddress { get; init; } = new AdmissionLimits().JoinsPerSecondPerAddress;

    /// <summary>Where to listen as well: STUN over TCP at a second address shows how a NAT maps TCP.</summary>
    internal IPAddress? AlternateAddress { get; init; }

    /// <summary>Those of the above and those that nobody has to choose.</summary>
    internal AdmissionLimits Admission
    {
        get => field with { MaxConnectionsPerAddress = MaxConnectionsPerAddress, JoinsPerSecondPerAddress = JoinsPerSecondPerAddress };
        init;
    } = new();

    /// <summary>The clock behind time-outs.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    internal static void Validate(CoordinationServerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Port is < 0 or > IPEndPoint.MaxPort) throw new ArgumentOutOfRangeException(nameof(options), options.Port, "A port is a number from 0 to 65535.");
        if (options.Plain && options.CertificateFile is not null) throw new ArgumentException("Without TLS there is no use for a certificate.", nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxConnectionsPerAddress, 1, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.JoinsPerSecondPerAddress, 1, nameof(options));
        if (options.CertificateFile is null != options.KeyFile is null) throw new ArgumentException("A certificate needs its key: give both files or none.", nameof(options));
    }
}
