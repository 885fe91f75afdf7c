using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Rooms;

/// <summary>
/// What may stand behind the candidates of an <see cref="IntroductionBlob"/>: fields, each its type (varint), its length (varint) and its
/// value. Who does not know a type passes it over; what is malformed ends the reading, as it does for who knows none.
/// </summary>
internal static class IntroductionFields
{
    /// <summary>A list of <see cref="PortOffer"/>.</summary>
    private const ulong Offers = 1;

    /// <summary>A <see cref="NetworkProfile"/>.</summary>
    private const ulong Profile = 2;

    public static void Write(ref SpanWriter writer, IReadOnlyList<PortOffer> offers, NetworkProfile profile)
    {
        if (profile != NetworkProfile.Unknown)
        {
            var written = new SpanWriter(stackalloc byte[NetworkProfile.Length]);
            profile.Write(ref written);
            WriteField(ref writer, Profile, written.Written);
        }
        if (offers.Count == 0) return;
        var value = new SpanWriter(stackalloc byte[PortOffer.MaxPerPeer * PortOffer.MaxLength]);
        foreach (var offer in offers) offer.Write(ref value);
        WriteField(ref writer, Offers, value.Written);
    }

    public static void Read(ref SpanReader reader, out IReadOnlyList<PortOffer> offers, out NetworkProfile profile)
    {
        offers = [];
        profile = NetworkProfile.Unknown;
        while (reader.TryReadVarInt(out var type) && reader.TryReadVarIntPrefixed(out var value))
        {
            if (type == Offers) offers = ReadOffers(value);
            else if (type == Profile && NetworkProfile.TryRead(value, out var read)) profile = read;
        }
    }

    private static List<PortOffer> ReadOffers(ReadOnlySpan<byte> value)
    {
        var offers = new List<PortOffer>();
        var reader = new SpanReader(value);
        while (offers.Count < PortOffer.MaxPerPeer && PortOffer.TryRead(ref reader, out var offer)) offers.Add(offer);
        return offers;
    }

    private static void WriteField(ref SpanWriter writer, ulong type, scoped ReadOnlySpan<byte> value)
    {
        writer.WriteVarInt(type);
        writer.WriteVarInt((ulong)value.Length);
        writer.WriteBytes(value);
    }
}
