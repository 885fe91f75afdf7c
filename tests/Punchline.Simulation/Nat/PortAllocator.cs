using Punchline.Protocols.Primitives;

namespace Punchline.Simulation.Nat;

/// <summary>Chooses the external port of a new mapping that cannot keep, or does not want, its internal one.</summary>
internal sealed class PortAllocator(NatBehavior behavior, IRandomSource random)
{
    private readonly Dictionary<UInt128, PortRange> _blocks = [];
    private int _nextSequential;

    /// <summary>False when no port of the range (or of the internal address's block) is free.</summary>
    public bool TryAllocate(UInt128 internalAddress, Func<ushort, bool> isFree, out ushort port)
    {
        var range = behavior.Ports;
        if (behavior.Allocation == PortAllocation.Block && !TryGetBlock(internalAddress, out range))
        {
            port = 0;
            return false;
        }

        var sequential = behavior.Allocation == PortAllocation.Sequential;
        var start = sequential ? _nextSequential : random.NextInt32(range.Count);
        // From a random start upwards, as Linux does (nf_nat_l4proto_unique_tuple), but to the end of the range.
        for (var i = 0; i < range.Count; i++)
        {
            var offset = (start + i) % range.Count;
            port = (ushort)(range.First + offset);
            if (!isFree(port)) continue;
            if (sequential) _nextSequential = (offset + 1) % range.Count;
            return true;
        }
        port = 0;
        return false;
    }

    public void Clear()
    {
        _blocks.Clear();
        _nextSequential = 0;
    }

    private bool TryGetBlock(UInt128 internalAddress, out PortRange block)
    {
        if (_blocks.TryGetValue(internalAddress, out block)) return true;
        var first = behavior.Ports.First + _blocks.Count * behavior.BlockSize;
        var last = first + behavior.BlockSize - 1;
        if (last > behavior.Ports.Last) return false;
        _blocks.Add(internalAddress, block = new PortRange((ushort)first, (ushort)last));
        return true;
    }
}
