using Punchline.Protocols.Node;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Rooms;
using Punchline.Simulation.Nat;

namespace Punchline.Simulation.Peers;

/// <summary>Two peers in two networks, a server, and a room: the smallest whole.</summary>
internal sealed class MeetingScenario : IDisposable
{
    // Derived once for all runs: 600,000 rounds each time would be most of a simulation's time.
    private static readonly RoomKeys Keys = new(new byte[RoomKeys.KeyLength]);

    // From a carrier's NAT to its subscriber, whose addresses are from 100.64.0.0/10 (RFC 6598).
    private static readonly LinkConditions Subscriber = LinkConditions.Of(delayMilliseconds: 1);

    private MeetingScenario(VirtualInternet internet, LinkConditions link, Site first, Site second, bool hasIPv6 = false, ushort tcpPort = 0, bool hasAlternate = false)
    {
        Internet = internet;
        Link = link;
        Server = new SimulatedServer(internet, LinkConditions.Of(delayMilliseconds: 0), hasIPv6, hasAlternate);
        FirstSite = first;
        SecondSite = second;
        First = new SimulatedPeer(internet, internet.AddMachine("alice", first), Keys, tcpPort: tcpPort);
        Second = new SimulatedPeer(internet, internet.AddMachine("bob", second), Keys, tcpPort: tcpPort);
    }

    public VirtualInternet Internet { get; }

    public SimulatedServer Server { get; }

    /// <summary>The LAN of the first, with its router.</summary>
    public Site FirstSite { get; }

    public Site SecondSite { get; }

    public LinkConditions Link { get; }

    public SimulatedPeer First { get; }

    public SimulatedPeer Second { get; }

    /// <summary>From learning of each other until both had the connection.</summary>
    public TimeSpan Elapsed => new[] { First, Second }.Max(peer => peer.EventsOf<NodeEvent.Connected>().First().Elapsed);

    /// <summary>How much later than the introduction the reflexive candidates come, for a join waits for STUN so long only.</summary>
    // The way to a carrier's subscriber is part of STUN's round trip, not of the message channel's.
    public TimeSpan TrickleDelay => (2 * (Link.Delay + Subscriber.Delay)) - RoomAtServer.MaxJoinDelay is { Ticks: > 0 } late ? late : TimeSpan.Zero;

    /// <summary>A network each; the link is the one between the core and the outermost router.</summary>
    /// <param name="internet">Where they live.</param>
    /// <param name="first">Of the one who is in the room already.</param>
    /// <param name="second">Of the newcomer.</param>
    /// <param name="link">Of both.</param>
    /// <param name="tcpPort">Where both listen; 0: no TCP.</param>
    /// <param name="hasAlternate">The server has a second address for STUN.</param>
    public static MeetingScenario Between(VirtualInternet internet, Network first, Network second, LinkConditions link, ushort tcpPort = 0, bool hasAlternate = false) =>
        new(internet, link, AddSite(internet, "alice", first, link, "100.64.1.0"), AddSite(internet, "bob", second, link, "100.64.2.0"),
            first.IPv6 is not null || second.IPv6 is not null, tcpPort, hasAlternate);

    /// <summary>Both on one LAN.</summary>
    public static MeetingScenario OnOneLan(VirtualInternet internet, NatBehavior nat, LinkConditions link)
    {
        var home = internet.AddSite("home", nat, new SiteOptions { Link = link });
        return new(internet, link, home, home);
    }

    /// <summary>Two homes behind one outer NAT. Their hosts have the very same private address, as factory settings make it.</summary>
    public static MeetingScenario BehindOneNat(VirtualInternet internet, NatBehavior outer, LinkConditions link)
    {
        var carrier = internet.AddSite("isp", outer, new SiteOptions { Link = link, Lan = "100.64.1.0" });
        var options = new SiteOptions { Link = Subscriber, Behind = carrier, Lan = "192.168.1.0" };
        return new(internet, link, internet.AddSite("alice", NatBehavior.PortRestricted, options), internet.AddSite("bob", NatBehavior.PortRestricted, options));
    }

    /// <summary>The first is in the room for a second when the other comes.</summary>
    public void JoinBoth()
    {
        First.Join(Server, Link.Delay);
        Internet.RunFor(TimeSpan.FromSeconds(1));
        Second.Join(Server, Link.Delay);
    }

    /// <summary>Other hosts of both LANs, which make new mappings all the time, at moments of chance (a Poisson process).</summary>
    public void AddOthers(int mappingsPerSecond)
    {
        if (mappingsPerSecond == 0) return;
        var sink = Internet.AddServer("elsewhere");
        foreach (var site in new[] { FirstSite, SecondSite })
        {
            var machine = Internet.AddMachine(site.Name + "-other", site);
            var random = Internet.NewRandom();
            var host = new ScriptedHost();
            machine.Bind(50_000, host);
            ushort port = 1_024;
            Next(Internet.Now);

            void Next(Timestamp at)
            {
                at += TimeSpan.FromSeconds(-Math.Log(1 - random.NextDouble()) / mappingsPerSecond);
                Internet.ScheduleAt(machine.Name, at, () =>
                {
                    port = port == ushort.MaxValue ? (ushort)1_024 : (ushort)(port + 1);
                    host.Send(sink.At(port), [1]);
                    Next(at);
                });
            }
        }
    }

    public bool RunUntilConnected(TimeSpan within) =>
        Internet.RunUntil(() => First.IsConnectedTo(Second) && Second.IsConnectedTo(First), within);

    public void Dispose()
    {
        First.Dispose();
        Second.Dispose();
        Server.Dispose();
    }

    private static Site AddSite(VirtualInternet internet, string name, Network network, LinkConditions link, string carriersLan)
    {
        if (network.Carrier is not { } nat) return internet.AddSite(
            name, network.Nat, new SiteOptions { Link = link, IPv6 = network.IPv6, HasIPv4 = network.HasIPv4, HasNat64 = network.HasNat64 });
        var carrier = internet.AddSite(name + "-isp", nat, new SiteOptions { Link = link, Lan = carriersLan });
        return internet.AddSite(name, network.Nat, new SiteOptions { Link = Subscriber, Behind = carrier });
    }
}
