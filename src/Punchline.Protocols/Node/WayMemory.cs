using System.Buffers.Binary;
using System.Security.Cryptography;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Node;

/// <summary>
/// What made a connection between a pair of networks, so that nobody has to wait a second time for the plain punch to fail. Only what the plain
/// punch did not do is remembered, and no longer than until something else does it.
/// </summary>
internal sealed class WayMemory() : NetworkMemory<KnownWay>(MaxPairs)
{
    /// <summary>Pairs that are remembered; the oldest goes first.</summary>
    public const int MaxPairs = 128;

    public WayKind? Find(ulong pair) => FindEntry(pair)?.Kind;

    /// <param name="pair">The networks.</param>
    /// <param name="kind">What made the connection; null: the plain punch did, or nothing.</param>
    public void Note(ulong pair, WayKind? kind)
    {
        if (Find(pair) == kind) return;
        if (kind is { } way) Put(new KnownWay(pair, way));
        else Remove(pair);
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

    protected override ulong KeyOf(in KnownWay known) => known.Pair;
}
