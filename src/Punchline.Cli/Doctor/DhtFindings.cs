using System.Globalization;
using Punchline.Engine;
using Punchline.Protocols.Dht;

namespace Punchline.Cli.Doctor;

/// <summary>The DHT, as the doctor found it, in words.</summary>
internal static class DhtFindings
{
    /// <summary>Who can see what, as SECURITY.md has it.</summary>
    public static IReadOnlyList<string> Observers { get; } =
    [
        "The nodes that are asked see this machine's address, and that it is in the DHT; so does whoever runs one of them. Nothing was announced by this look.",
        "A room stands there as a topic that looks random and is another one each hour. Who runs the nodes near it, or has the topic, sees which addresses are under it, and when: neither the room's name, nor its secret, nor who they are.",
        "Who has the room's name and secret can find and join it. A secret that can be guessed can be tried out there without anybody noticing.",
        "Who knows a peer's id finds the address of one that waits with --reachable, and that somebody at some address calls it, but not who.",
    ];

    public static IReadOnlyList<Finding> Of(DhtReport report)
    {
        var (status, isThere) = (report.Status, report.FirstAnswer is not null);
        List<Finding> findings =
        [
            new("nodes", isThere ? NodesOf(status.Networks) : $"none answers: {string.Join(", ", report.BootstrapHosts)}"),
        ];
        if (!isThere) return findings;
        foreach (var network in status.Networks.Where(network => network.IsReachable)) findings.Add(new(network.IsIPv4 ? "IPv4 seen" : "IPv6 seen", SeenOf(network)));
        foreach (var network in status.Networks.Where(network => network.IsReachable)) findings.Add(new(network.IsIPv4 ? "node id" : "IPv6 id", IdOf(network)));
        findings.Add(new("first node", $"answered within {InWords(report.FirstAnswer!.Value)}"));
        findings.Add(new("lookups", string.Join(", ", report.Lookups.Select(lookup => string.Create(
            CultureInfo.InvariantCulture, $"{InWords(lookup.Elapsed)} ({lookup.Answered} of {lookup.Asked} nodes, {lookup.Rounds} rounds)")))));
        findings.Add(new("answers", status.IsReadOnly ? "nobody: a read-only node, which asks and stores nothing for others (BEP 43)" : "others' queries"));
        return findings;
    }

    private static string NodesOf(IReadOnlyList<DhtNetworkView> networks) => string.Join(", ", networks.Select(network => network switch
    {
        { IsReachable: true } => string.Create(CultureInfo.InvariantCulture, $"{network.UsableNodes} of {NameOf(network)}"),
        _ => $"none of {NameOf(network)}, in which this machine has no address",
    }));

    private static string? SeenOf(DhtNetworkView network) => network.External switch
    {
        null => null,
        { IsMappingDependent: true } view => string.Create(
            CultureInfo.InvariantCulture, $"as {view.Mapped.ToIPAddress()}, at another port by each of {network.Voters} nodes: who has only this address does not get in"),
        { } view => string.Create(CultureInfo.InvariantCulture, $"as {view.Mapped}, by most of {network.Voters} nodes"),
    };

    private static string IdOf(DhtNetworkView network) =>
        $"{network.Id}{network.IsIdOfAddress switch { true => ", as the address gives it (BEP 42)", false => ", which is not the address's (BEP 42)", null => "" }}";

    private static string InWords(TimeSpan time) =>
        time.TotalSeconds < 1 ? string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds:0} ms") : string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.0} s");

    private static string NameOf(DhtNetworkView network) => network.IsIPv4 ? "IPv4" : "IPv6";
}
