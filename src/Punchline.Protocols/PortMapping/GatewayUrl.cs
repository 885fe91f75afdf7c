using System.Buffers;
using System.Net;
using System.Text;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.PortMapping;

/// <summary>
/// A place on the gateway's own web server. Whatever a description says, there is no URL of another host: it would have us
/// send requests in somebody else's name.
/// </summary>
/// <param name="Server">The gateway's address, and its web server's port.</param>
/// <param name="Path">Beginning with a slash, in printable ASCII, its query included.</param>
internal sealed record GatewayUrl(Endpoint Server, string Path)
{
    /// <summary>Bytes of a URL, at most.</summary>
    public const int MaxLength = 512;

    private const ushort DefaultPort = 80;

    private static readonly SearchValues<byte> AddressCharacters = SearchValues.Create("0123456789."u8);

    private static ReadOnlySpan<byte> Scheme => "http://"u8;

    /// <summary>Reads an absolute URL: <c>http</c>, the gateway's address as a literal, no user, no fragment.</summary>
    public static bool TryParse(ReadOnlySpan<byte> url, UInt128 gateway, out GatewayUrl? parsed)
    {
        parsed = null;
        if (url.Length > MaxLength || url.Length <= Scheme.Length || !Ascii.EqualsIgnoreCase(url[..Scheme.Length], Scheme)) return false;
        var rest = url[Scheme.Length..];
        var slash = rest.IndexOf((byte)'/');
        var authority = slash < 0 ? rest : rest[..slash];
        if (!TryParseAuthority(authority, gateway, out var server)) return false;
        return TryCreate(server, slash < 0 ? "/"u8 : rest[slash..], out parsed);
    }

    /// <summary>Reads a URL that may be relative to this one.</summary>
    public bool TryResolve(ReadOnlySpan<byte> url, out GatewayUrl? resolved)
    {
        resolved = null;
        if (url.IsEmpty || url.Length > MaxLength || url.StartsWith("//"u8)) return false;
        if (url.IndexOf("://"u8) >= 0) return TryParse(url, Server.Address, out resolved);
        if (url[0] == '/') return TryCreate(Server, url, out resolved);
        // RFC 3986 §5.2.3: it takes the place of what follows the last slash.
        var query = Path.IndexOf('?', StringComparison.Ordinal);
        var directory = Path[..((query < 0 ? Path : Path[..query]).LastIndexOf('/') + 1)];
        Span<byte> joined = stackalloc byte[2 * MaxLength];
        var length = Encoding.ASCII.GetBytes(directory, joined);
        url.CopyTo(joined[length..]);
        return TryCreate(Server, joined[..(length + url.Length)], out resolved);
    }

    private static bool TryParseAuthority(ReadOnlySpan<byte> authority, UInt128 gateway, out Endpoint server)
    {
        server = default;
        var colon = authority.LastIndexOf((byte)':');
        var host = colon < 0 ? authority : authority[..colon];
        var port = DefaultPort;
        if (colon >= 0 && (!ushort.TryParse(authority[(colon + 1)..], System.Globalization.NumberStyles.None, provider: null, out port) || port == 0)) return false;
        // Four decimal numbers: other spellings of an address, such as 0x7f.1, are nothing that a gateway needs.
        if (host.Count((byte)'.') != 3 || host.ContainsAnyExcept(AddressCharacters)) return false;
        if (!IPAddress.TryParse(Encoding.ASCII.GetString(host), out var address)) return false;
        server = Endpoint.From(address, port);
        return server.Address == gateway;
    }

    private static bool TryCreate(Endpoint server, ReadOnlySpan<byte> path, out GatewayUrl? url)
    {
        url = null;
        if (path.Length > MaxLength || path.ContainsAnyExceptInRange((byte)'!', (byte)'~') || path.Contains((byte)'#')) return false;
        url = new GatewayUrl(server, Encoding.ASCII.GetString(path));
        return true;
    }
}
