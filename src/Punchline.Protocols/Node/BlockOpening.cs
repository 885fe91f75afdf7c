using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Node;

/// <summary>
/// Both routers draw, each from a small block: from one socket message 1 goes to half of the ports of the peer's block, one after another, and the peer does the
/// same. Whichever of two that fit leaves later gets through: the earlier one's mapping expects it.
/// </summary>
internal sealed class BlockOpening : PortOpening
{
    private readonly PortScan _scan;
    private int _left;

    /// <param name="services">The node's.</param>
    /// <param name="address">The peer's router's.</param>
    /// <param name="block">The peer's profile.</param>
    /// <param name="plan">How many packets.</param>
    /// <param name="now">The time.</param>
    public BlockOpening(NodeServices services, Endpoint address, NetworkProfile block, SearchPlan plan, Timestamp now)
        : base(services, address, plan)
    {
        _scan = new PortScan(new PortOffer(default, address.WithPort(block.FirstPort), block.LastPort, 1), services.Random);
        _left = plan.Packets;
        TryOpenSocket();
        NextTimeout = now;
    }

    /// <summary>Until the last packet has left.</summary>
    public TimeSpan Duration => TimeSpan.FromSeconds((double)Plan.Packets / SearchBudget.PacketsPerSecond);

    public override bool TryTakeHandshake(Timestamp now, out PathAddress path)
    {
        path = default;
        if (_left == 0 || now < NextTimeout || Sockets is not [{ State: SideSocketState.Open } socket]) return false;
        if (!Services.Search.TryTakeMapping(now))
        {
            NextTimeout = Timestamp.Max(Services.Search.NextAllowed(now), now + TimeSpan.FromMilliseconds(1));
            return false;
        }
        _left--;
        path = new PathAddress(socket.Id, _scan.Next());
        return true;
    }

    public override void HandleTimeout(Timestamp now)
    {
        if (_left == 0) NextTimeout = Timestamp.Never;
    }

    public override void HandleSideSocket(SideSocket socket, Timestamp now)
    {
    }
}
