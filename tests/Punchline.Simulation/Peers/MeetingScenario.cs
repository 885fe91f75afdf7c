using Punchline.Protocols.Rooms;
using Punchline.Simulation.Nat;

namespace Punchline.Simulation.Peers;

/// <summary>Two peers in two networks, a server, and a room: the smallest whole.</summary>
internal sealed class MeetingScenario : IDisposable
{
    // Derived once for all runs: 600,000 rounds each time would be most of a simulation's time.
    private static readonly RoomKeys Keys = new(new byte[RoomKeys.KeyLength]);

    public MeetingScenario(VirtualInternet internet, NatBehavior first, NatBehavior second, LinkConditions link)
    {
        Internet = internet;
        Server = new SimulatedServer(internet, LinkConditions.Of(delayMilliseconds: 0));
        Link = link;
        First = AddPeer("alice", first);
        Second = AddPeer("bob", second);
    }

    public VirtualInternet Internet { get; }

    public SimulatedServer Server { get; }

    public LinkConditions Link { get; }

    public SimulatedPeer First { get; }

    public SimulatedPeer Second { get; }

    public SimulatedPeer AddPeer(string name, NatBehavior nat) =>
        new(Internet, Internet.AddMachine(name, Internet.AddSite(name, nat, new SiteOptions { Link = Link })), Keys);

    /// <summary>The first is in the room for a second when the other comes.</summary>
    public void JoinBoth()
    {
        First.Join(Server, Link.Delay);
        Internet.RunFor(TimeSpan.FromSeconds(1));
        Second.Join(Server, Link.Delay);
    }

    public bool RunUntilConnected(TimeSpan within) =>
        Internet.RunUntil(() => First.IsConnectedTo(Second) && Second.IsConnectedTo(First), within);

    public void Dispose()
    {
        First.Dispose();
        Second.Dispose();
        Server.Dispose();
    }
}
