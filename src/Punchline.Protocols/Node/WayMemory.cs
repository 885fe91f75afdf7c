using System.Buffers.Binary;
using System.Security.Cryptography;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Node;

/// <summary>
/// What made a connection between a pair of networks, so that nobody has to wait a second time for the plain punch to fail. Only what the plain
/// punch did not do is remembered, and no longer than until something else does it.
/// </summary>
internal sealed class WayMemory
{
    /// <summary>Pairs that are remembered; the oldest goes first.</summary>
    public const int MaxPairs = 128;

    private readonly List<KnownWay> _known = [];
    private bool _isNews;

    /// <summary>What an earlier process has learnt, the oldest first.</summary>
    public void Remember(IEnumerable<KnownWay> known)
    {
        _known.InsertRange(0, known);
        Trim();
    }

    /// <summary>What is to be remembered, where it has changed.</summary>
    public bool TryTakeKnown(out IReadOnlyList<KnownWay> known)
    {
        known = _known;
        var isNews = _isNews;
        _isNews = false;
        return isNews;
    }

    public WayKind? Find(ulong pair)
    {
        var index = _known.FindLastIndex(known => known.Pair == pair);
        return index < 0 ? null : _known[index].Kind;
    }

    /// <param name="pair">The networks.</param>
    /// <param name="kind">What made the connection; null: the plain punch did, or nothing.</param>
    public void Note(ulong pair, WayKind? kind)
    {
        if (Find(pair) == kind) return;
        _known.RemoveAll(known => known.Pair == pair);
        if (kind is { } way) _known.Add(new KnownWay(pair, way));
        Trim();
        _isNews = true;
    }

    /// <summary>Names a pair of networks; what is written of it shows neither to who does not know both.</summary>
    /// <param name="network">Ours: <see cref="MappingKeeper.Network"/>.</param>
    /// <param name="peer">The other.</param>
    /// <param name="candidates">Its.</param>
    public static ulong Identify(ulong network, PeerId peer, IReadOnlyList<Candidate> candidates)
    {
        Span<byte> pair = stackalloc byte[sizeof(ulong) + PeerId.ByteLength + 16];
        BinaryPrimitives.WriteUInt64BigEndian(pair, network);
        peer.CopyTo(pair[sizeof(ulong)..]);
        // By the address alone, for the port is another each time.
        var outside = candidates.FirstOrDefault(candidate => candidate is { Kind: CandidateKind.ServerReflexive, Endpoint.IsIPv4: true });
        BinaryPrimitives.WriteUInt128BigEndian(pair[(sizeof(ulong) + PeerId.ByteLength)..], outside.Endpoint.Address);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(pair, hash);
        return BinaryPrimitives.ReadUInt64BigEndian(hash);
    }

    private void Trim()
    {
        if (_known.Count > MaxPairs) _known.RemoveRange(0, _known.Count - MaxPairs);
    }
}
