using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Traversal;

/// <summary>Where a STUN server, or a node of the DHT, saw a socket.</summary>
/// <param name="Server">The server or node.</param>
/// <param name="LocalPort">The socket's own port.</param>
/// <param name="Mapped">What it saw.</param>
internal readonly record struct MappingObservation(Endpoint Server, ushort LocalPort, Endpoint Mapped);

/// <summary>What observations say of a router: pure functions.</summary>
internal static class MappingObservations
{
    /// <summary>Ports that a step may be apart. Of a router that draws from all ports, one difference in 2,000 is that small in one direction.</summary>
    public const int MaxStep = 16;

    /// <summary>
    /// Ports within which all samples lie if they come from a block: carriers give a subscriber 64 to 4,096 (RFC 7422 §2.2). Of 6 samples from all
    /// ports, so many lie so close with a probability of 6 × (4,096 / 64,512)^5, which is 6 in a million.
    /// </summary>
    public const int MaxBlock = 4_096;

    /// <summary>Samples without which a block is none.</summary>
    public const int MinBlockSamples = 6;

    /// <summary>RFC 4787 §4.1's mapping, by what several servers saw of one socket (RFC 5780 §4.3).</summary>
    public static MappingBehavior ClassifyMapping(IReadOnlyList<MappingObservation> ofOneSocket)
    {
        var (dependsOnPort, dependsOnAddress) = (false, false);
        var (comparesPorts, comparesAddresses) = (false, false);
        foreach (var one in ofOneSocket)
        {
            foreach (var other in ofOneSocket)
            {
                if (one.Server == other.Server) continue;
                var isSameAddress = one.Server.Address == other.Server.Address;
                comparesPorts |= isSameAddress;
                comparesAddresses |= !isSameAddress;
                if (one.Mapped == other.Mapped) continue;
                dependsOnPort |= isSameAddress;
                dependsOnAddress |= !isSameAddress;
            }
        }
        if (dependsOnPort) return MappingBehavior.AddressAndPortDependent;
        if (dependsOnAddress) return MappingBehavior.AddressDependent;
        if (comparesAddresses) return MappingBehavior.EndpointIndependent;
        return comparesPorts ? MappingBehavior.NotPortDependent : MappingBehavior.Unknown;
    }

    /// <summary>RFC 4787 §4.2's port allocation, with the ports it chooses from.</summary>
    /// <param name="mapping">The router's.</param>
    /// <param name="inOrder">New mappings, in the order in which they were made.</param>
    public static NetworkProfile ClassifyAllocation(MappingBehavior mapping, IReadOnlyList<MappingObservation> inOrder)
    {
        var profile = Classify(mapping, inOrder, isThinned: false);
        if (profile.Allocation != PortAllocation.Random) return profile;
        // One who lies can hide that a router counts, and cannot make one that draws seem to: what all the others see in order is in order.
        foreach (var server in inOrder.Select(sample => sample.Server).Distinct())
        {
            var byOthers = Classify(mapping, [.. inOrder.Where(sample => sample.Server != server)], isThinned: true);
            if (byOthers.Allocation == PortAllocation.Sequential) return byOthers;
        }
        return profile;
    }

    private static NetworkProfile Classify(MappingBehavior mapping, IReadOnlyList<MappingObservation> inOrder, bool isThinned)
    {
        var profile = new NetworkProfile { Mapping = mapping };
        if (inOrder.Count == 0) return profile;
        if (inOrder.All(sample => sample.LocalPort == sample.Mapped.Port)) return profile with { Allocation = PortAllocation.Preserved };
        // Two ports of a server that see the same saw one mapping.
        var ports = new List<int>();
        foreach (var sample in inOrder)
        {
            if (ports.Count == 0 || ports[^1] != sample.Mapped.Port) ports.Add(sample.Mapped.Port);
        }
        if (ports.Count < 3) return profile;
        var steps = ports.Zip(ports.Skip(1), (from, to) => to - from).ToList();
        // A packet that was lost, or another host's mapping in between, spoils one or two of them.
        foreach (var sign in (ReadOnlySpan<int>)[1, -1])
        {
            var small = steps.Where(step => step * sign is > 0 and <= MaxStep).ToList();
            if (4 * small.Count < 3 * steps.Count) continue;
            // Where mappings were left out, as many steps are double ones as not.
            var step = small.GroupBy(value => value).OrderByDescending(group => isThinned ? 0 : group.Count()).ThenBy(group => Math.Abs(group.Key)).First().Key;
            return profile with { Allocation = PortAllocation.Sequential, Step = (sbyte)step };
        }
        profile = profile with { Allocation = PortAllocation.Random };
        var (min, max) = (ports.Min(), ports.Max());
        if (ports.Count < MinBlockSamples || max - min >= MaxBlock) return profile;
        // What lies beyond the outermost of n samples is as wide, on average, as the gaps between them: twice that at either end.
        var margin = 2 * (max - min) / (ports.Count - 1);
        return profile with { FirstPort = (ushort)Math.Max(NetworkProfile.LowestPort, min - margin), LastPort = (ushort)Math.Min(ushort.MaxValue, max + margin) };
    }
}
