using System.Text.Json;
using Punchline.Cli.Chat;
using Punchline.Protocols.PortMapping;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Cli.Doctor;

/// <summary>For programs: one object, in which what is not known is null (docs/doctor.md).</summary>
internal sealed class JsonDoctorOutput(TextWriter output) : IDoctorOutput
{
    public void ShowProgress(NetworkReport soFar)
    {
        // One object is all that there is.
    }

    public void Show(Diagnosis diagnosis) => new JsonLine(output).Write("network", json =>
    {
        var report = diagnosis.Report;
        json.WriteString("kind", diagnosis.Kind.Code);
        json.WriteString("text", diagnosis.Kind.Text);
        json.WriteNumber("serversAsked", report.ServersAsked);
        json.WriteNumber("serversAnswered", report.ServersAnswered);
        json.WriteBoolean("alternate", report.HasAlternate);
        WriteTruth(json, "udp", report.Udp);
        WriteTruth(json, "tcp", report.Tcp);
        WriteTruth(json, "webOnly", report.IsWebOnly);
        WriteEndpoint(json, "external", report.IPv4);
        WriteEndpoint(json, "externalTcp", report.TcpReflexive);
        WriteTruth(json, "translated", report.IsTranslated);
        if (report.NatLayers is { } layers) json.WriteNumber("natLayers", layers);
        else json.WriteNull("natLayers");
        json.WriteString("mapping", NameOf(report.Profile.Mapping));
        json.WriteString("tcpMapping", NameOf(report.TcpMapping));
        json.WriteString("filtering", NameOf(report.Filtering));
        WriteTruth(json, "movedByUnsolicited", report.IsMovedByUnsolicited);
        WriteTruth(json, "hairpin", report.Hairpins);
        json.WriteStartObject("allocation");
        json.WriteString("kind", report.Profile.Allocation switch
        {
            PortAllocation.Preserved => "preserved",
            PortAllocation.Sequential => "sequential",
            PortAllocation.Random => "random",
            _ => null,
        });
        json.WriteNumber("step", report.Profile.Step);
        json.WriteNumber("firstPort", report.Profile.FirstPort);
        json.WriteNumber("lastPort", report.Profile.LastPort);
        json.WriteEndObject();
        json.WriteStartObject("gateway");
        json.WriteString("address", report.Gateway.Gateway?.ToIPAddress().ToString());
        json.WriteString("pcp", NameOf(report.Gateway.Pcp));
        json.WriteString("natPmp", NameOf(report.Gateway.NatPmp));
        json.WriteString("upnp", NameOf(report.Gateway.Upnp));
        json.WriteString("external", report.Gateway.ExternalAddress?.ToIPAddress().ToString());
        WriteEndpoint(json, "mapped", report.Gateway.Udp);
        WriteEndpoint(json, "mappedTcp", report.Gateway.Tcp);
        WriteTruth(json, "behindNat", report.IsBehindSecondNat);
        json.WriteEndObject();
        json.WriteStartObject("ipv6");
        json.WriteBoolean("present", report.HasIPv6);
        WriteTruth(json, "reaches", report.IPv6Reaches);
        json.WriteString("filtering", NameOf(report.IPv6Filtering));
        json.WriteEndObject();
        json.WriteStartArray("prospects");
        foreach (var (network, prospect) in diagnosis.Prospects)
        {
            json.WriteStartObject();
            json.WriteString("with", network.Code);
            json.WriteString("how", NameOf(prospect.Kind));
            json.WriteNumber("chance", Math.Round(prospect.Chance, 4));
            json.WriteNumber("withinMs", Math.Round(prospect.Within.TotalMilliseconds));
            json.WriteEndObject();
        }
        json.WriteEndArray();
        WriteAdvice(json, "advice", diagnosis.Advice);
        WriteAdvice(json, "unknown", diagnosis.Unknown);
    });

    private static string? NameOf(MappingBehavior mapping) => mapping switch
    {
        MappingBehavior.EndpointIndependent => "endpoint-independent",
        MappingBehavior.AddressDependent => "address-dependent",
        MappingBehavior.AddressAndPortDependent => "address-and-port-dependent",
        MappingBehavior.NotPortDependent => "not-port-dependent",
        _ => null,
    };

    private static string? NameOf(FilteringBehavior filtering) => filtering switch
    {
        FilteringBehavior.EndpointIndependent => "endpoint-independent",
        FilteringBehavior.AddressDependent => "address-dependent",
        FilteringBehavior.AddressAndPortDependent => "address-and-port-dependent",
        _ => null,
    };

    private static string? NameOf(GatewaySupport support) => support switch
    {
        GatewaySupport.Silent => "silent",
        GatewaySupport.Lacks => "lacks",
        GatewaySupport.Refuses => "refuses",
        GatewaySupport.Speaks => "speaks",
        _ => null,
    };

    private static string? NameOf(ProspectKind kind) => kind switch
    {
        ProspectKind.Punch => "punch",
        ProspectKind.Mapping => "mapping",
        ProspectKind.IPv6 => "ipv6",
        ProspectKind.Search => "search",
        ProspectKind.Tcp => "tcp",
        ProspectKind.None => "none",
        _ => null,
    };

    private static void WriteTruth(Utf8JsonWriter json, string name, bool? value)
    {
        if (value is { } known) json.WriteBoolean(name, known);
        else json.WriteNull(name);
    }

    private static void WriteEndpoint(Utf8JsonWriter json, string name, Endpoint? value) => json.WriteString(name, value?.ToString());

    private static void WriteAdvice(Utf8JsonWriter json, string name, IReadOnlyList<Advice> advice)
    {
        json.WriteStartArray(name);
        foreach (var (code, text) in advice)
        {
            json.WriteStartObject();
            json.WriteString("code", code);
            json.WriteString("text", text);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }
}
