using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Traversal;

/// <summary>An address that a plan probes.</summary>
/// <param name="Endpoint">Where to.</param>
/// <param name="IsNear">On a link or behind a router of ours: packets have few hops to live.</param>
/// <param name="IsOwn">An IPv6 address that the peer's machine has itself: what stands before it filters, but translates nothing.</param>
/// <param name="IsOffered">A port that the peer has opened for us.</param>
/// <param name="IsBracketed">One of several ports of an offer, some of which lead to the peer, for a while.</param>
/// <param name="IsMiddle">Of the peer's router, in the network of a carrier that both sides have in common: near, but a router of each side's further.</param>
internal readonly record struct PunchTarget(Endpoint Endpoint, bool IsNear = false, bool IsOwn = false, bool IsOffered = false, bool IsBracketed = false, bool IsMiddle = false)
{
    /// <summary>Of packets there; 0 for the system's default.</summary>
    public byte TimeToLive => IsMiddle ? PunchPlan.MiddleTimeToLive : IsNear ? PunchPlan.PrivateTimeToLive : (byte)0;
}

/// <summary>
/// Which of a peer's candidates are probed, the best first: near before offered ports before far, and within the families by turns, IPv6
/// first, as RFC 8305 §4 interleaves them. So the first few are of both, however many one of them has.
/// </summary>
internal static class PunchTargets
{
    /// <param name="situation">What is known.</param>
    /// <param name="carrier">Whose candidates.</param>
    public static IReadOnlyList<PunchTarget> Rank(PunchSituation situation, Carrier carrier)
    {
        var near = new List<PunchTarget>();
        var offered = new List<PunchTarget>();
        var far = new List<PunchTarget>();
        var seen = new HashSet<Endpoint>();
        var shareReflexive = SharesReflexiveAddress(situation);
        foreach (var target in carrier == Carrier.Udp ? OfferedPorts(situation) : [])
        {
            if (Reaches(situation, target.Endpoint) && seen.Add(target.Endpoint)) offered.Add(target);
        }
        foreach (var candidate in situation.RemoteCandidates.Take(Candidate.MaxPerPeer).OrderByDescending(candidate => candidate.Kind))
        {
            var endpoint = candidate.Endpoint;
            if (candidate.Carrier != carrier || !PunchPlan.IsUsable(endpoint, situation.AllowLoopback) || !seen.Add(endpoint)) continue;
            if (situation.HostAddresses.Any(host => host.IsBroadcast(endpoint))) continue;
            var isOnLink = LinkOf(situation, endpoint) < situation.HostAddresses.Count;
            if (AddressScope.IsLoopback(endpoint) || isOnLink || (AddressScope.IsPrivate(endpoint) && shareReflexive))
                near.Add(new PunchTarget(endpoint, IsNear: true, IsMiddle: candidate.Kind == CandidateKind.Mapped && !isOnLink));
            else if (!AddressScope.IsPrivate(endpoint) && Reaches(situation, endpoint))
                far.Add(new PunchTarget(endpoint, IsOwn: !endpoint.IsIPv4 && candidate.Kind == CandidateKind.Host));
        }
        // By the rank of our own interfaces. An address that is ours as well is a container's bridge, as every machine has one, or the peer is on this machine.
        near = [.. near.OrderBy(target => situation.HostAddresses.Any(host => host.Endpoint.Address == target.Endpoint.Address)).ThenBy(target => LinkOf(situation, target.Endpoint))];
        return [.. ByTurns(near).Take(PunchPlan.MaxPrivateCandidates), .. offered, .. ByTurns(far)];
    }

    /// <summary>The peer has addresses in the internet, and all of them are of a family that we do not have.</summary>
    public static bool AreOfAnotherFamily(PunchSituation situation)
    {
        var far = situation.RemoteCandidates.Select(candidate => candidate.Endpoint)
            .Where(endpoint => PunchPlan.IsUsable(endpoint, allowLoopback: false) && !AddressScope.IsPrivate(endpoint)).ToList();
        return far.Count > 0 && !far.Exists(endpoint => Reaches(situation, endpoint));
    }

    // A long list of ports is searched, and not probed as candidates are.
    private static IEnumerable<PunchTarget> OfferedPorts(PunchSituation situation)
    {
        foreach (var offer in situation.Offers)
        {
            if (offer.Ports > PunchPlan.MaxOfferedPorts || AddressScope.IsPrivate(offer.First)) continue;
            for (int port = offer.First.Port; port <= offer.LastPort; port++)
            {
                if (offer.First.WithPort((ushort)port) is var endpoint && PunchPlan.IsUsable(endpoint, situation.AllowLoopback)) yield return new PunchTarget(endpoint, IsOffered: true, IsBracketed: offer.Ports > 1);
            }
        }
    }

    // The first of our interfaces on whose link it is; as many as we have where it is on none.
    private static int LinkOf(PunchSituation situation, Endpoint endpoint)
    {
        var link = 0;
        while (link < situation.HostAddresses.Count && !situation.HostAddresses[link].IsOnLink(endpoint)) link++;
        return link;
    }

    // By which family we have addresses in. Unique local ones lead nowhere else (RFC 4193 §4.3), where no translator makes them global.
    private static bool Reaches(PunchSituation situation, Endpoint far) =>
        situation.HostAddresses.Count == 0
        || (far.IsIPv4 && situation.HasNat64)
        || situation.LocalReflexive.Any(ours => ours.IsIPv4 == far.IsIPv4)
        || situation.HostAddresses.Any(ours => ours.Endpoint.IsIPv4 == far.IsIPv4
            && !AddressScope.IsLoopback(ours.Endpoint) && (far.IsIPv4 || !AddressScope.IsPrivate(ours.Endpoint)));

    private static IEnumerable<PunchTarget> ByTurns(List<PunchTarget> targets)
    {
        var ipv6 = targets.FindAll(target => !target.Endpoint.IsIPv4);
        var ipv4 = targets.FindAll(target => target.Endpoint.IsIPv4);
        for (var turn = 0; turn < Math.Max(ipv6.Count, ipv4.Count); turn++)
        {
            if (turn < ipv6.Count) yield return ipv6[turn];
            if (turn < ipv4.Count) yield return ipv4[turn];
        }
    }

    private static bool SharesReflexiveAddress(PunchSituation situation) => situation.RemoteCandidates.Any(candidate =>
        candidate.Kind == CandidateKind.ServerReflexive && situation.LocalReflexive.Any(ours => ours.Address == candidate.Endpoint.Address));
}
