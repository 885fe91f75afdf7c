using System.Diagnostics.CodeAnalysis;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Traversal;

/// <summary>
/// Candidates as they stand in introductions and in CANDIDATES frames:
/// <code>
/// count (1): 0 to 30, then each: kind (1), address's length (1): 4 or 16, address, port (2)
/// </code>
/// </summary>
internal static class CandidateList
{
    public const int MaxLength = 1 + (Candidate.MaxPerPeer * (1 + 1 + 16 + 2));

    // Added to a candidate's kind: readers that know no TCP skip kinds that they don't know.
    private const byte TcpKinds = 0x10;

    public static void Write(ref SpanWriter writer, IReadOnlyList<Candidate> candidates)
    {
        writer.WriteByte((byte)candidates.Count);
        foreach (var candidate in candidates)
        {
            writer.WriteByte((byte)((byte)candidate.Kind | (candidate.Carrier == Carrier.Tcp ? TcpKinds : 0)));
            writer.WriteByte((byte)candidate.Endpoint.AddressLength);
            writer.Advance(candidate.Endpoint.WriteAddress(writer.Free));
            writer.WriteUInt16(candidate.Endpoint.Port);
        }
    }

    /// <summary>False for more than <see cref="Candidate.MaxPerPeer"/>, or what does not parse; kinds that cannot be introduced are left out.</summary>
    public static bool TryRead(ref SpanReader reader, [NotNullWhen(true)] out IReadOnlyList<Candidate>? candidates)
    {
        candidates = null;
        if (!reader.TryReadByte(out var count) || count > Candidate.MaxPerPeer) return false;
        var list = new List<Candidate>(count);
        for (var i = 0; i < count; i++)
        {
            if (!reader.TryReadByte(out var kind) || !reader.TryReadByte(out var length) || !reader.TryReadBytes(length, out var address)
                || !reader.TryReadUInt16(out var port) || !Endpoint.TryFromBytes(address, port, out var endpoint)) return false;
            var carrier = (kind & TcpKinds) != 0 ? Carrier.Tcp : Carrier.Udp;
            // A later version's kind is nothing that we could rank, and what is only observed cannot be introduced.
            if ((CandidateKind)(kind & ~TcpKinds) is var known and (CandidateKind.Host or CandidateKind.ServerReflexive or CandidateKind.Mapped))
                list.Add(new Candidate(known, endpoint) { Carrier = carrier });
        }
        candidates = list;
        return true;
    }
}
