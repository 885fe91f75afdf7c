using Punchline.Protocols.Noise;
using Punchline.Simulation.Nat;

namespace Punchline.Simulation.Peers;

/// <summary>A server, a callee with an open inbox, and a caller, each in a network of its own.</summary>
internal sealed class CallScenario : IDisposable
{
    private readonly List<SimulatedPhone> _phones = [];

    public CallScenario(VirtualInternet internet, LinkConditions link, NatBehavior caller, NatBehavior callee, NatBehavior? callerIPv6 = null, NatBehavior? calleeIPv6 = null)
    {
        Internet = internet;
        Link = link;
        Server = new SimulatedServer(internet, LinkConditions.Of(delayMilliseconds: 0), hasIPv6: callerIPv6 is not null);
        Caller = AddPhone("caller", caller, ipv6: callerIPv6);
        Callee = AddPhone("callee", callee, ipv6: calleeIPv6);
        Inbox = Callee.OpenInbox();
        internet.RunFor(TimeSpan.FromSeconds(1));
    }

    public VirtualInternet Internet { get; }

    public LinkConditions Link { get; }

    public SimulatedServer Server { get; }

    public SimulatedPhone Caller { get; }

    public SimulatedPhone Callee { get; }

    /// <summary>The callee's.</summary>
    public int Inbox { get; }

    public SimulatedPhone AddPhone(string name, NatBehavior network, P256KeyPair? identity = null, NatBehavior? ipv6 = null)
    {
        var site = Internet.AddSite(name, network, new SiteOptions { Link = Link, IPv6 = ipv6 });
        return AddPhone(Internet.AddMachine(name, site), identity);
    }

    /// <summary>Another process on a machine whose last one is gone.</summary>
    public SimulatedPhone AddPhone(Machine machine, P256KeyPair? identity = null)
    {
        var phone = new SimulatedPhone(Internet, machine, Server, Link.Delay, identity);
        _phones.Add(phone);
        return phone;
    }

    /// <summary>Rings, and is taken a second later. The rooms of caller and callee.</summary>
    public (int AtCaller, int AtCallee) CallAndAccept()
    {
        var call = Caller.Call(Callee.Id);
        Internet.RunFor(TimeSpan.FromSeconds(1));
        return (call, Callee.Accept(Inbox));
    }

    public bool RunUntilConnected((int AtCaller, int AtCallee) rooms, TimeSpan within) =>
        Internet.RunUntil(() => Caller.IsConnected(rooms.AtCaller) && Callee.IsConnected(rooms.AtCallee), within);

    public void Dispose()
    {
        foreach (var phone in _phones) phone.Dispose();
        Server.Dispose();
    }
}
