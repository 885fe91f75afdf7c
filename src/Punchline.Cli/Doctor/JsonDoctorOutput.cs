using System.Text.Json;
using Punchline.Cli.Chat;
using Punchline.Engine;
using Punchline.Protocols.Dht;
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
        json.WriteString("udpRefusal", NameOf(report.UdpRefusal));
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
        json.WriteString("unsolicited", NameOf(report.Unsolicited));
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
        json.WriteStartObject("forward");
        if (report.ChosenPort > 0) json.WriteNumber("port", report.ChosenPort);
        else json.WriteNull("port");
        WriteTruth(json, "isForwarded", report.IsForwarded);
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

    public void ShowDhtProgress()
    {
        // As above.
    }

    public void ShowDht(DhtReport report) => new JsonLine(output).Write("dht", json =>
    {
        foreach (var isIPv4 in (bool[])[true, false])
        {
            json.WritePropertyName(isIPv4 ? "ipv4" : "ipv6");
            var network = report.Status.Networks.Where(known => known.IsIPv4 == isIPv4 && known.IsReachable).Select(known => (DhtNetworkView?)known).FirstOrDefault();
            if (network is { } view) WriteNetwork(json, view);
            else json.WriteNullValue();
        }
        json.WriteBoolean("answersQueries", !report.Status.IsReadOnly);
        if (report.FirstAnswer is { } first) json.WriteNumber("firstAnswerMs", Math.Round(first.TotalMilliseconds));
        else json.WriteNull("firstAnswerMs");
        json.WriteStartArray("lookups");
        foreach (var lookup in report.Lookups)
        {
            json.WriteStartObject();
            json.WriteNumber("elapsedMs", Math.Round(lookup.Elapsed.TotalMilliseconds));
            json.WriteNumber("asked", lookup.Asked);
            json.WriteNumber("answered", lookup.Answered);
            json.WriteNumber("rounds", lookup.Rounds);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteStartArray("observers");
        foreach (var text in DhtFindings.Observers) json.WriteStringValue(text);
        json.WriteEndArray();
    });

    private static void WriteNetwork(Utf8JsonWriter json, DhtNetworkView network)
    {
        json.WriteStartObject();
        json.WriteNumber("nodes", network.UsableNodes);
        json.WriteString("id", network.Id.ToString());
        WriteTruth(json, "idOfAddress", network.IsIdOfAddress);
        json.WriteString("address", network.External?.Mapped.ToIPAddress().ToString());
        if (network.External is { IsMappingDependent: false } seen) json.WriteNumber("port", seen.Mapped.Port);
        else json.WriteNull("port");
        json.WriteNumber("votes", network.Voters);
        json.WriteEndObject();
    }

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

    private static string? NameOf(Refusal refusal) => refusal switch
    {
        Refusal.Drops => "drops",
        Refusal.Rejects => "rejects",
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
