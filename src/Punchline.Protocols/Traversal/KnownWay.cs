namespace Punchline.Protocols.Traversal;

/// <summary>What made a connection where the plain punch from the main socket did not. The numbers are on disks.</summary>
internal enum WayKind : byte
{
    /// <summary>A socket whose port nobody could have spoiled.</summary>
    FreshSocket = 1,

    /// <summary>A port that was opened by a search.</summary>
    Search = 2,

    /// <summary>TCP.</summary>
    Tcp = 3,
}

/// <summary>What is remembered of a pair of networks until a later start.</summary>
/// <param name="Pair">A hash of our network, and of the peer and where it is.</param>
/// <param name="Kind">What made a connection there the last time: it is begun at once, beside the plain punch.</param>
internal readonly record struct KnownWay(ulong Pair, WayKind Kind);
