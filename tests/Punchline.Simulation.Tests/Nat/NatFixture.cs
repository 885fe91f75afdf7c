using Punchline.Protocols.Primitives;
using Punchline.Simulation.Nat;
using Punchline.Simulation.Tracing;

namespace Punchline.Simulation.Tests.Nat;

/// <summary>One router of a given behaviour, two endpoints inside, and four outside: two addresses with two ports each.</summary>
internal sealed class NatFixture(NatBehavior behavior, ulong seed = 1)
{
    public static readonly Endpoint Public = Endpoint.Parse("198.51.100.11:0");
    public static readonly Endpoint A = Endpoint.Parse("203.0.113.10:3478");
    public static readonly Endpoint AOtherPort = Endpoint.Parse("203.0.113.10:3479");
    public static readonly Endpoint B = Endpoint.Parse("203.0.113.20:3478");

    private readonly NatTranslator _nat = new(behavior, Public.Address, new SeededRandom(seed));

    /// <summary>Without translation, hosts inside have public addresses.</summary>
    public Endpoint Inside { get; } = Endpoint.Parse(behavior.Translates ? "192.168.1.10:5000" : "198.18.1.10:5000");

    public Endpoint Neighbour { get; } = Endpoint.Parse(behavior.Translates ? "192.168.1.11:5000" : "198.18.1.11:5000");

    public Timestamp Now { get; private set; }

    public NatTranslator Nat => _nat;

    public void Wait(TimeSpan time) => Now += time;

    public NatDecision Out(Endpoint from, Endpoint to) => _nat.Outbound(new FlowTuple(from, to), Now);

    /// <summary>The external endpoint that a packet leaves from.</summary>
    public Endpoint SendOut(Endpoint from, Endpoint to)
    {
        var decision = Out(from, to);
        Assert.Equal(Verdict.Forwarded, decision.Verdict);
        Assert.Equal(to, decision.Tuple.Destination);
        return decision.Tuple.Source;
    }

    public NatDecision In(Endpoint from, Endpoint to, bool canForward = true) => _nat.Inbound(new FlowTuple(from, to), canForward, Now);
}
