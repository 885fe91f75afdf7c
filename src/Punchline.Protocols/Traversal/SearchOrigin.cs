using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Traversal;

/// <summary>
/// The port, of the router of the side that tries ports, from which it tries them. That side names it; the side whose ports are tried says the same back with its
/// offer when that is where its openers go, and else they go to the port that all know.
/// <code>
/// target (8) | port (2)
/// </code>
/// </summary>
/// <param name="Target">The <see cref="PortOffer.TargetOf"/> of the other side.</param>
/// <param name="Port">At the address of the first side's server-reflexive candidate.</param>
internal readonly record struct SearchOrigin(ulong Target, ushort Port)
{
    /// <summary>Origins of one peer, at most: one for each of those that are punched at once.</summary>
    public const int MaxPerPeer = PunchQueue.MaxAtOnce;

    public const int Length = 8 + 2;

    public void Write(ref SpanWriter writer)
    {
        writer.WriteUInt64(Target);
        writer.WriteUInt16(Port);
    }

    /// <summary>Reads one. False where it is cut off.</summary>
    public static bool TryRead(ref SpanReader reader, out SearchOrigin origin)
    {
        origin = default;
        if (!reader.TryReadUInt64(out var target) || !reader.TryReadUInt16(out var port)) return false;
        origin = new SearchOrigin(target, port);
        return true;
    }
}
