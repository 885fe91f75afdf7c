using Punchline.Engine;

namespace Punchline.Cli.Settings;

/// <summary>Everything that can be set, each described once.</summary>
internal static class SettingCatalogue
{
    public static readonly Setting Server = new("--server", "HOST[:PORT][#PIN]", $"The coordination server; port {ServerAddress.DefaultPort} unless given.");

    public static readonly Setting Dht = new(
        "--dht", null, "Meets the others through the BitTorrent DHT, in place of a server; whoever watches the room's topic there, or knows the id that is called, sees their addresses. A room wants a strong secret.");

    public static readonly Setting Bootstrap = new(
        "--bootstrap", "HOST:PORT", "With --dht: a node to begin with, in place of the usual ones; may be given several times.");

    public static readonly Setting Open = new("--open", null, "With --dht: without a secret, or with one that can be guessed, all the same.");

    public static readonly Setting Secret = new("--secret", "TEXT|auto|@FILE", "What only members know; auto makes one and prints it; without a value it is asked for.");

    public static readonly Setting Name = new("--name", "NAME", "What the others see; your user name unless given.");

    public static readonly Setting TrustFirst = new("--trust-first", null, "Takes the server's key at first use, although its name is a public one.");

    public static readonly Setting Interactive = new("--interactive", null, "Asks for what is missing, and shows a prompt, also without a terminal.");

    public static readonly Setting Stay = new("--stay", null, "End of input does not leave the room.");

    public static readonly Setting Lines = new("--lines", null, "Lines in and lines out, also on a terminal, instead of the full screen.");

    public static readonly Setting Json = new("--json", null, "Prints one JSON object a line.");

    public static readonly Setting Allow = new(
        "--allow", "PEER[,PEER…]", "Connects to these members only and answers no others, though they still see this peer's addresses. A PEER is an id, an alias or the beginning of a known id.");

    public static readonly Setting NoHostCandidates = new(
        "--no-host-candidates", null,
        "Tells the members no addresses of this machine's own interfaces. Those on the same network are then reached through its router, if that can; the router's address cannot be hidden.");

    public static readonly Setting NoPortMapping = new(
        "--no-port-mapping", null, "Does not ask the router, by PCP, NAT-PMP or UPnP, to open a port to this machine for as long as it runs.");

    public static readonly Setting NoMdns = new(
        "--no-mdns", null, "Does not look for the room's members on this machine's own networks by multicast DNS, and is not found by it there.");

    public static readonly Setting UdpPort = new(
        "--udp-port", "PORT", "The UDP port to use; any unless given. Where the router forwards it to this machine, by the same number, everybody can be met.");

    public static readonly Setting TcpPort = new(
        "--tcp-port", "PORT",
        "The TCP port where peers can connect to this one, and from which it connects; 443 lets in those whose network lets only browsers out. UDP's number where that is free, unless given.");

    public static readonly Setting Wait = new("--wait", null, "Joins no room, but waits for others to call this peer by its id, and asks before it takes a call.");

    public static readonly Setting Reachable = new(
        "--reachable", null, "With --wait --dht: is found in the DHT by whoever knows this peer's id, who sees its public address there, also without a call.");

    public static readonly Setting Accept = new("--accept", "PEER[,PEER…]|anyone", "With --wait: takes these peers' calls without asking.");

    public static readonly Setting RefuseOthers = new("--refuse-others", null, "With --wait: refuses all calls but those of --accept, without asking.");

    public static readonly Setting State = new("--state", "DIRECTORY", $"Where identity and trust are kept; {StateSetting.Nowhere} keeps nothing.");

    public static readonly Setting NoHistory = new("--no-history", null, "Does not keep what is said, which otherwise stands sealed in the state directory, and shows nothing of what was said before.");

    public static readonly Setting Qlog = new("--qlog", "DIRECTORY", "Writes a qlog file for each connection there, to look into later; keys and messages are never in it.");

    public static readonly Setting Config = new("--config", "FILE", "The configuration file, instead of the file config in the state directory.");

    public static readonly Setting Listen = new("--listen", "ADDRESS", "Listens on this address only.");

    public static readonly Setting Alternate = new(
        "--alternate", "ADDRESS", "A second address of this machine beside --listen's, for STUN: peers then learn how their NAT treats other addresses (RFC 5780).");

    public static readonly Setting Public = new("--public", "ADDRESS", "What the world reaches this machine by, where that is no address of its own, as in many clouds.");

    public static readonly Setting Certificate = new("--certificate", "FILE", "A certificate in PEM with its chain, instead of a self-signed one.");

    public static readonly Setting Key = new("--key", "FILE", "The certificate's private key in PEM.");

    public static readonly Setting Plain = new(
        "--plain", null, "HTTP without TLS, behind a proxy that ends TLS and passes the Host header on. --public says where STUN is.");

    public static readonly Setting TrustedProxy = new(
        "--trusted-proxy", "ADDRESS", "With --plain: a proxy whose X-Forwarded-For is believed; this machine unless given.");

    public static readonly Setting Stun = new(
        "--stun", "HOST[:PORT]", "A STUN server to look at the network by, where there is no --server; port 3478 unless given. Two at different addresses show more than one.");

    public static readonly Setting Port = new("--port", "PORT", $"Where the page is, on this machine alone: http://127.0.0.1:PORT; {WebSettings.DefaultPort} unless given, 0 for any that is free.");

    public static readonly Setting NoBrowser = new("--no-browser", null, "Prints the page's link only, and opens no browser.");

    public static readonly Setting NoLab = new("--no-lab", null, "On loopback, without routers between the peers.");

    public static IReadOnlyList<Setting> All { get; } =
    [
        Server, Dht, Bootstrap, Open, Secret, Name, Interactive, TrustFirst, Allow, NoHostCandidates, NoPortMapping, NoMdns, UdpPort, TcpPort, Wait, Reachable, Accept, RefuseOthers, Stay, Lines, Json, State, NoHistory, Qlog, Config, Listen, Alternate, Public, Certificate, Key, Plain, TrustedProxy, Stun, Port, NoBrowser, NoLab,
    ];
}
