using System.Globalization;
using System.Net;
using System.Security;
using System.Text;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.PortMapping;

/// <summary>
/// Requests to a gateway's service (UPnP Device Architecture 1.1 §3.2.1: SOAP 1.1 over HTTP), with the arguments of
/// WANIPConnection:1 §2.4 and WANIPConnection:2 §2.5.
/// <code>
/// &lt;s:Envelope …>&lt;s:Body>&lt;u:ACTION xmlns:u="SERVICE">&lt;ARGUMENT>VALUE&lt;/ARGUMENT>…&lt;/u:ACTION>&lt;/s:Body>&lt;/s:Envelope>
/// </code>
/// </summary>
internal sealed record UpnpAction(string Name, IReadOnlyList<(string Name, string Value)> Arguments)
{
    /// <summary>What routers list the mapping as.</summary>
    public const string Description = "Punchline";

    public static UpnpAction GetExternalAddress { get; } = new("GetExternalIPAddress", []);

    /// <summary>Makes a mapping, or prolongs one that we have.</summary>
    /// <param name="transport">UDP or TCP.</param>
    /// <param name="externalPort">The one that is wanted.</param>
    /// <param name="client">Our address.</param>
    /// <param name="internalPort">Our port.</param>
    /// <param name="seconds">The lease; 0 for one without an end.</param>
    /// <param name="any">Another port will do: <c>AddAnyPortMapping</c> of WANIPConnection:2.</param>
    public static UpnpAction Add(MappedTransport transport, ushort externalPort, Endpoint client, ushort internalPort, uint seconds, bool any) => new(
        any ? "AddAnyPortMapping" : "AddPortMapping",
        [
            ("NewRemoteHost", ""),
            ("NewExternalPort", Text(externalPort)),
            ("NewProtocol", Text(transport)),
            ("NewInternalPort", Text(internalPort)),
            ("NewInternalClient", client.ToIPAddress().ToString()),
            ("NewEnabled", "1"),
            ("NewPortMappingDescription", Description),
            ("NewLeaseDuration", seconds.ToString(CultureInfo.InvariantCulture)),
        ]);

    public static UpnpAction Delete(MappedTransport transport, ushort externalPort) => new(
        "DeletePortMapping",
        [("NewRemoteHost", ""), ("NewExternalPort", Text(externalPort)), ("NewProtocol", Text(transport))]);

    /// <summary>The value of the SOAPACTION header.</summary>
    public string HeaderFor(UpnpService service) => $"\"{service.Urn}#{Name}\"";

    public byte[] WriteFor(UpnpService service)
    {
        var body = new StringBuilder(512);
        body.Append("<?xml version=\"1.0\"?>\r\n<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" s:encodingStyle=\"http://schemas.xmlsoap.org/soap/encoding/\"><s:Body>");
        body.Append(CultureInfo.InvariantCulture, $"<u:{Name} xmlns:u=\"{service.Urn}\">");
        foreach (var (name, value) in Arguments) body.Append(CultureInfo.InvariantCulture, $"<{name}>{SecurityElement.Escape(value)}</{name}>");
        body.Append(CultureInfo.InvariantCulture, $"</u:{Name}></s:Body></s:Envelope>\r\n");
        return Encoding.UTF8.GetBytes(body.ToString());
    }

    private static string Text(ushort port) => port.ToString(CultureInfo.InvariantCulture);

    private static string Text(MappedTransport transport) => transport == MappedTransport.Udp ? "UDP" : "TCP";
}

/// <summary>Errors that a mapping's maker acts on (WANIPConnection:1 §2.4.16, WANIPConnection:2 §2.5.16).</summary>
internal static class UpnpError
{
    public const int InvalidAction = 401;
    public const int InvalidArguments = 402;
    public const int ActionFailed = 501;
    public const int OptionalActionNotImplemented = 602;
    public const int NotAuthorized = 606;
    public const int ConflictInMappingEntry = 718;
    public const int SamePortValuesRequired = 724;
    public const int OnlyPermanentLeasesSupported = 725;
    public const int NoPortMapsAvailable = 728;
    public const int ConflictWithOtherMechanisms = 729;
}

/// <summary>What of an answer's arguments anybody asks for.</summary>
/// <param name="IsSuccess">It is a response, and not a fault.</param>
/// <param name="ErrorCode">Of a fault; 0 where it has none.</param>
/// <param name="ExternalAddress">Without a port; null where there is none, or it is no address.</param>
/// <param name="ReservedPort">Of AddAnyPortMapping; 0 where there is none.</param>
internal readonly record struct UpnpAnswer(bool IsSuccess, int ErrorCode, Endpoint? ExternalAddress, ushort ReservedPort)
{
    private const int MaxValueLength = 64;

    /// <summary>False for what is neither a response nor a fault of SOAP.</summary>
    public static bool TryRead(ReadOnlySpan<byte> document, out UpnpAnswer answer)
    {
        answer = default;
        if (document.Length > UpnpDescription.MaxLength) return false;
        var xml = new XmlScanner(document);
        var (isResponse, isFault) = (false, false);
        while (xml.Read())
        {
            if (xml.Kind != XmlTokenKind.Start) continue;
            if (xml.Name.SequenceEqual("Fault"u8)) isFault = true;
            else if (xml.Name.EndsWith("Response"u8)) isResponse = true;
            else if (xml.Name.SequenceEqual("errorCode"u8))
            {
                if (int.TryParse(xml.ReadText(MaxValueLength), NumberStyles.None, CultureInfo.InvariantCulture, out var code)) answer = answer with { ErrorCode = code };
            }
            else if (xml.Name.SequenceEqual("NewReservedPort"u8))
            {
                if (ushort.TryParse(xml.ReadText(MaxValueLength), NumberStyles.None, CultureInfo.InvariantCulture, out var port)) answer = answer with { ReservedPort = port };
            }
            else if (xml.Name.SequenceEqual("NewExternalIPAddress"u8) && IPAddress.TryParse(xml.ReadText(MaxValueLength), out var address))
            {
                answer = answer with { ExternalAddress = Endpoint.From(address, 0) };
            }
        }
        answer = answer with { IsSuccess = isResponse && !isFault };
        return isResponse || isFault;
    }
}
