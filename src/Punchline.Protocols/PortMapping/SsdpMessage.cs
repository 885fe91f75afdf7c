using System.Text;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.PortMapping;

/// <summary>
/// The search for an internet gateway device (UPnP Device Architecture 1.1 §1.3.2, 1.3.3), HTTP's text in a datagram.
/// </summary>
internal static class SsdpMessage
{
    public const ushort Port = 1900;

    /// <summary>Bytes of a search, at most.</summary>
    public const int MaxRequestLength = 256;

    /// <summary>Bytes of an answer that are read, at most: answers have some 500.</summary>
    public const int MaxResponseLength = 2_048;

    public const string GatewayDevice1 = "urn:schemas-upnp-org:device:InternetGatewayDevice:1";
    public const string GatewayDevice2 = "urn:schemas-upnp-org:device:InternetGatewayDevice:2";

    /// <summary>Where devices listen on every LAN.</summary>
    public static Endpoint Multicast { get; } = Endpoint.FromIPv4(0xefff_fffa, Port); // 239.255.255.250

    /// <summary>Writes a search for devices of one type. Answers come within a second (MX).</summary>
    public static int WriteSearch(Span<byte> destination, string target) => Encoding.ASCII.GetBytes(
        $"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: {target}\r\n\r\n", destination);

    /// <summary>
    /// The URL of the device's description in an answer to a search. False where it is none, or of some other device: many
    /// answer whatever is asked.
    /// </summary>
    public static bool TryReadLocation(ReadOnlySpan<byte> datagram, out ReadOnlySpan<byte> location)
    {
        location = default;
        if (datagram.Length > MaxResponseLength || !datagram.StartsWith("HTTP/1."u8)) return false;
        var isGateway = false;
        var isFirst = true;
        foreach (var range in datagram.Split((byte)'\n'))
        {
            var line = datagram[range].Trim(" \t\r"u8);
            if (isFirst)
            {
                // HTTP/1.1 200 OK
                if (line.Length < 12 || !line[9..12].SequenceEqual("200"u8)) return false;
                isFirst = false;
                continue;
            }
            if (line.IsEmpty) break;
            var colon = line.IndexOf((byte)':');
            if (colon < 0) continue;
            var value = line[(colon + 1)..].Trim(" \t"u8);
            if (Ascii.EqualsIgnoreCase(line[..colon], "st"u8)) isGateway = value.StartsWith("urn:schemas-upnp-org:device:InternetGatewayDevice:"u8);
            else if (Ascii.EqualsIgnoreCase(line[..colon], "location"u8)) location = value;
        }
        return isGateway && !location.IsEmpty;
    }
}
