using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Punchline.Protocols.Coordination;
using Punchline.Protocols.Primitives;

namespace Punchline.Engine;

/// <summary>Where a coordination server is, as people write it: <c>HOST[:PORT][#PIN]</c>.</summary>
internal sealed record ServerAddress
{
    /// <summary>What <c>punchline serve</c> listens on.</summary>
    public const int DefaultPort = 8080;

    private const int HttpsPort = 443;

    private ServerAddress(string host, int port, string? pin)
    {
        Host = host;
        Port = port;
        Pin = pin;
    }

    /// <summary>A name in its IDNA form, or an IP literal without brackets; lower-case.</summary>
    public string Host { get; }

    public int Port { get; }

    /// <summary>SHA-256 of the server's public key in base32, or null.</summary>
    public string? Pin { get; }

    /// <summary>What the Host header says and the proof of key covers (RFC 9110 §7.2): the port is left out where it is HTTPS's own.</summary>
    public string Authority => Port == HttpsPort ? BracketedHost : string.Create(CultureInfo.InvariantCulture, $"{BracketedHost}:{Port}");

    /// <summary>Without a name that somebody else could take over: an IP literal, <c>localhost</c>, or a name under <c>.local</c>.</summary>
    public bool IsLocalOrLiteral =>
        IPAddress.TryParse(Host, out _) || Host is "localhost" || Host.EndsWith(".localhost", StringComparison.Ordinal) || Host.EndsWith(".local", StringComparison.Ordinal);

    private string BracketedHost => Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]" : Host;

    /// <param name="path">Of a room or an inbox (<see cref="CoordinationUrl"/>).</param>
    public Uri UriOf(string path) => new($"wss://{Authority}{path}");

    public static bool TryParse(string text, [NotNullWhen(true)] out ServerAddress? address, [NotNullWhen(false)] out string? error)
    {
        address = null;
        error = null;
        var rest = text.Trim();
        string? pin = null;
        if (rest.IndexOf('#', StringComparison.Ordinal) is >= 0 and var hash)
        {
            pin = rest[(hash + 1)..].ToLowerInvariant();
            rest = rest[..hash];
            if (pin.Length != PeerId.TextLength || !Base32.TryDecode(pin, out _))
            {
                error = $"'{pin}' is not a server's pin: {PeerId.TextLength} characters of a-z and 2-7, as `punchline serve` prints them.";
                return false;
            }
        }
        if (rest.Contains("://", StringComparison.Ordinal) || rest.Contains('/', StringComparison.Ordinal))
        {
            error = $"'{rest}' is a URL; a server is written HOST[:PORT][#PIN].";
            return false;
        }
        if (!TrySplit(rest, out var host, out var portText, out error)) return false;
        var port = DefaultPort;
        if (portText is not null
            && (!int.TryParse(portText, NumberStyles.None, CultureInfo.InvariantCulture, out port) || port is 0 or > IPEndPoint.MaxPort))
        {
            error = $"'{portText}' is not a port: a number from 1 to 65535.";
            return false;
        }
        address = new ServerAddress(host, port, pin);
        return true;
    }

    public override string ToString() => Pin is null ? $"{BracketedHost}:{Port}" : $"{BracketedHost}:{Port}#{Pin}";

    private static bool TrySplit(string text, [NotNullWhen(true)] out string? host, out string? port, [NotNullWhen(false)] out string? error)
    {
        (host, port, error) = (null, null, null);
        if (text.StartsWith('['))
        {
            var end = text.IndexOf(']', StringComparison.Ordinal);
            if (end > 0 && IPAddress.TryParse(text.AsSpan(1, end - 1), out var literal) && literal.AddressFamily == AddressFamily.InterNetworkV6
                && (end == text.Length - 1 || text[end + 1] == ':'))
            {
                if (literal.ScopeId != 0)
                {
                    error = $"'{text}' has a zone, which the Host header cannot carry; use an address without one.";
                    return false;
                }
                host = literal.ToString();
                port = end == text.Length - 1 ? null : text[(end + 2)..];
                return true;
            }
            error = $"'{text}' is not an IPv6 address in brackets, like [2001:db8::1]:{DefaultPort}.";
            return false;
        }
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon >= 0 && text.IndexOf(':', colon + 1) >= 0)
        {
            error = $"'{text}': an IPv6 address stands in brackets, like [2001:db8::1]:{DefaultPort}.";
            return false;
        }
        var name = colon < 0 ? text : text[..colon];
        port = colon < 0 ? null : text[(colon + 1)..];
        if (name.Length == 0)
        {
            error = "The server's host is missing: HOST[:PORT][#PIN].";
            return false;
        }
        if (Uri.CheckHostName(name) is not (UriHostNameType.Dns or UriHostNameType.IPv4) || !TryToAscii(name, out host))
        {
            error = $"'{name}' is neither a host's name nor an IP address.";
            return false;
        }
        return true;
    }

    private static bool TryToAscii(string name, [NotNullWhen(true)] out string? ascii)
    {
        ascii = null;
        try
        {
            ascii = new IdnMapping().GetAscii(name).ToLowerInvariant();
        }
        catch (ArgumentException)
        {
            return false;
        }
        // RFC 1035 §2.3.4, without the root.
        return ascii.Length <= CoordinationLimits.MaxHostLength - ":65535".Length;
    }
}
