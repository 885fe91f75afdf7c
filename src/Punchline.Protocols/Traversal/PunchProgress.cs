using System.Globalization;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Traversal;

/// <summary>What is known of an attempt that goes on, where the usual way did not do: nobody should have to wait for the end to hear of it.</summary>
/// <param name="Means">What is tried now: a stable code.</param>
/// <param name="Detail">Why, and how long it takes.</param>
/// <param name="Advice">What would help.</param>
internal sealed record PunchProgress(string Means, string Detail, string Advice)
{
    /// <summary>UDP has no way; TCP may have one.</summary>
    public const string Tcp = "tcp";

    /// <summary>Ports are searched, by the hundreds.</summary>
    public const string Search = "search";

    /// <summary>Ports will be searched, when it is this peer's turn.</summary>
    public const string Turn = "turn";

    public static PunchProgress OfTurn { get; } = new(
        Turn,
        "One of the routers gives every destination another port. Its ports will be searched when it is this peer's turn: one search at a time goes through a router, and a minute lies behind what it can bear.",
        PunchFailure.AdviceForLuck);

    public static PunchProgress OfTcp { get; } = new(
        Tcp,
        "UDP cannot cross: both routers give every destination another port, so that neither side can know, or find, the port where it is expected. TCP is still tried.",
        PunchFailure.AdviceForBoth);

    /// <param name="router">Who lets no UDP through, and says so.</param>
    public static PunchProgress OfRejectedUdp(Endpoint router) => new(
        Tcp, $"This network rejects UDP: {router.ToIPAddress()} says so. TCP is tried.", "Allow outgoing UDP in this network's firewall.");

    /// <param name="plan">The search that begins, on the side that opens ports.</param>
    /// <param name="hard">Its profile.</param>
    public static PunchProgress OfSearch(SearchPlan plan, NetworkProfile hard) => new(
        Search,
        plan.Kind == SearchKind.Blocks
            ? string.Create(CultureInfo.InvariantCulture, $"Both routers give every destination another port, each from a small block. These are searched for {plan.TimeOf(hard).TotalSeconds:0} s: {plan.Chance * 100:0} of 100 attempts meet.")
            : string.Create(CultureInfo.InvariantCulture, $"One of the routers gives every destination another port. Its ports are searched, which takes up to {Math.Ceiling(plan.TimeOf(hard).TotalSeconds):0} s."),
        PunchFailure.AdviceForLuck);
}
