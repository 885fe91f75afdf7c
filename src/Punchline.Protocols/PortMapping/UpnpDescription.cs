namespace Punchline.Protocols.PortMapping;

/// <summary>Services that map ports, best first (UPnP WANIPConnection:2, WANIPConnection:1, WANPPPConnection:1).</summary>
internal enum UpnpServiceType
{
    IPConnection2,
    IPConnection1,
    PppConnection1,
}

/// <summary>A service of the gateway, and where it takes requests.</summary>
internal sealed record UpnpService(UpnpServiceType Type, GatewayUrl Control)
{
    /// <summary>Internet Gateway Device 2 chooses another port by itself, where ours is taken.</summary>
    public bool HasAddAny => Type == UpnpServiceType.IPConnection2;

    public string Urn => UrnOf(Type);

    public static string UrnOf(UpnpServiceType type) => type switch
    {
        UpnpServiceType.IPConnection2 => "urn:schemas-upnp-org:service:WANIPConnection:2",
        UpnpServiceType.IPConnection1 => "urn:schemas-upnp-org:service:WANIPConnection:1",
        _ => "urn:schemas-upnp-org:service:WANPPPConnection:1",
    };
}

/// <summary>
/// What a gateway says of itself (UPnP Device Architecture 1.1 §2.3), of which only this is read, wherever in the tree of devices it stands:
/// <code>
/// &lt;URLBase>…&lt;/URLBase>
/// &lt;service>&lt;serviceType>urn:schemas-upnp-org:service:WANIPConnection:1&lt;/serviceType>…&lt;controlURL>/ctl/IPConn&lt;/controlURL>…&lt;/service>
/// </code>
/// </summary>
internal static class UpnpDescription
{
    /// <summary>Bytes of a description or an answer, at most: real ones have some 3,000 to 10,000.</summary>
    public const int MaxLength = 65_536;

    /// <summary>Services that map ports, at most: a router with two uplinks has two.</summary>
    public const int MaxServices = 4;

    /// <summary>The services that map ports, best first; none in what is no description.</summary>
    /// <param name="document">Its bytes.</param>
    /// <param name="location">Where it came from.</param>
    public static IReadOnlyList<UpnpService> ReadServices(ReadOnlySpan<byte> document, GatewayUrl location)
    {
        if (document.Length > MaxLength) return [];
        var services = new List<UpnpService>();
        var xml = new XmlScanner(document);
        var located = location;
        UpnpServiceType? type = null;
        var control = "";
        while (services.Count < MaxServices && xml.Read())
        {
            if (xml.Kind == XmlTokenKind.Text) continue;
            if (xml.Kind == XmlTokenKind.End)
            {
                if (!xml.Name.SequenceEqual("service"u8)) continue;
                if (type is { } known && located.TryResolve(System.Text.Encoding.UTF8.GetBytes(control), out var url)) services.Add(new UpnpService(known, url!));
                (type, control) = (null, "");
            }
            else if (xml.Name.SequenceEqual("service"u8)) (type, control) = (null, "");
            else if (xml.Name.SequenceEqual("serviceType"u8)) type = TypeOf(xml.ReadText(GatewayUrl.MaxLength));
            else if (xml.Name.SequenceEqual("controlURL"u8)) control = xml.ReadText(GatewayUrl.MaxLength);
            // Only UPnP 1.0 has it. One that names another host is wrong, as behind some routers' other address: then the location's counts.
            else if (xml.Name.SequenceEqual("URLBase"u8)
                && GatewayUrl.TryParse(System.Text.Encoding.UTF8.GetBytes(xml.ReadText(GatewayUrl.MaxLength)), location.Server.Address, out var named)) located = named!;
        }
        // A stable sort: of one sort the first counts.
        return [.. services.OrderBy(service => service.Type)];
    }

    private static UpnpServiceType? TypeOf(string urn)
    {
        foreach (var type in Enum.GetValues<UpnpServiceType>())
        {
            if (string.Equals(urn, UpnpService.UrnOf(type), StringComparison.Ordinal)) return type;
        }
        return null;
    }
}
