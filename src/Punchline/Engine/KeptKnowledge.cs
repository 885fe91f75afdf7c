using Punchline.Protocols.Node;

namespace Punchline.Engine;

/// <summary>What a node has learnt of networks, in a state directory, for later processes.</summary>
/// <param name="directory">The state directory.</param>
internal sealed class KeptKnowledge(string directory)
{
    private readonly KeptLifetimes _lifetimes = new(directory);
    private readonly KeptWays _ways = new(directory);

    /// <summary>Before the node is driven.</summary>
    public void GiveTo(NodeCore node)
    {
        node.RememberLifetimes(_lifetimes.Read());
        node.RememberWays(_ways.Read());
    }

    /// <summary>Within the gate. A disk may be slow, and waits for nobody here.</summary>
    public void TakeFrom(NodeCore node)
    {
        if (node.TryTakeKnownLifetimes(out var lifetimes)) Write(_lifetimes.Write, [.. lifetimes]);
        if (node.TryTakeKnownWays(out var ways)) Write(_ways.Write, [.. ways]);
    }

    private static void Write<T>(Action<IReadOnlyList<T>> write, T[] known) =>
        ThreadPool.QueueUserWorkItem(static state => state.Write(state.Known), (Write: write, Known: known), preferLocal: false);
}
