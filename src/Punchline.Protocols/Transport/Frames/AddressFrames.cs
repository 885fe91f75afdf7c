using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Transport.Frames;

/// <summary>
/// Where the sender may be reached (PROTOCOL §8). A frame of a higher generation takes the place of all before.
/// <code>
///  CANDIDATES: type 0x38, Generation (i), candidates as in <see cref="CandidateList"/>
/// </code>
/// </summary>
internal readonly record struct CandidatesFrame(ulong Generation, IReadOnlyList<Candidate> Candidates)
{
    public const int MaxLength = 1 + 8 + CandidateList.MaxLength;

    /// <summary>Reads what follows the type. False for more than <see cref="Candidate.MaxPerPeer"/>; kinds that cannot be introduced are left out.</summary>
    public static bool TryRead(ref SpanReader reader, out CandidatesFrame frame)
    {
        frame = default;
        if (!reader.TryReadVarInt(out var generation) || !CandidateList.TryRead(ref reader, out var candidates)) return false;
        frame = new CandidatesFrame(generation, candidates);
        return true;
    }

    public void Write(ref SpanWriter writer)
    {
        writer.WriteByte((byte)FrameType.Candidates);
        writer.WriteVarInt(Generation);
        CandidateList.Write(ref writer, Candidates);
    }
}

/// <summary>
/// Where the receiver's packets come from, as the sender sees it on the path in use. The one with the highest number counts.
/// <code>
///  OBSERVED_ADDRESS: type 0x39, Sequence Number (i), Address Length (1): 4 or 16, Address, Port (2)
/// </code>
/// </summary>
internal readonly record struct ObservedAddressFrame(ulong Sequence, Endpoint Address)
{
    public const int MaxLength = 1 + 8 + 1 + 16 + 2;

    public static bool TryRead(ref SpanReader reader, out ObservedAddressFrame frame)
    {
        frame = default;
        if (!reader.TryReadVarInt(out var sequence) || !reader.TryReadByte(out var length) || !reader.TryReadBytes(length, out var address)
            || !reader.TryReadUInt16(out var port) || !Endpoint.TryFromBytes(address, port, out var endpoint)) return false;
        frame = new ObservedAddressFrame(sequence, endpoint);
        return true;
    }

    public void Write(ref SpanWriter writer)
    {
        writer.WriteByte((byte)FrameType.ObservedAddress);
        writer.WriteVarInt(Sequence);
        writer.WriteByte((byte)Address.AddressLength);
        writer.Advance(Address.WriteAddress(writer.Free));
        writer.WriteUInt16(Address.Port);
    }
}
