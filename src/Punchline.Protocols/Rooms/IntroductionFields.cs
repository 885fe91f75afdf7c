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

    /// <summary>A list of <see cref="PortOffer"/> whose ports are TCP's.</summary>
    private const ulong TcpOffers = 3;

    /// <summary>A list of <see cref="SearchOrigin"/>.</summary>
    private const ulong Origins = 4;

    public static void Write(ref SpanWriter writer, IReadOnlyList<PortOffer> offers, IReadOnlyList<SearchOrigin> origins, NetworkProfile profile)
    {
        if (profile != NetworkProfile.Unknown)
        {
            var written = new SpanWriter(stackalloc byte[NetworkProfile.Length]);
            profile.Write(ref written);
            WriteField(ref writer, Profile, written.Written);
        }
        WriteOffers(ref writer, Offers, offers.Where(offer => offer.Carrier == Carrier.Udp));
        WriteOffers(ref writer, TcpOffers, offers.Where(offer => offer.Carrier == Carrier.Tcp));
        WriteOrigins(ref writer, origins);
    }

    public static void Read(ref SpanReader reader, out IReadOnlyList<PortOffer> offers, out IReadOnlyList<SearchOrigin> origins, out NetworkProfile profile)
    {
        var read = new List<PortOffer>();
        offers = read;
        var readOrigins = new List<SearchOrigin>();
        origins = readOrigins;
        profile = NetworkProfile.Unknown;
        while (reader.TryReadVarInt(out var type) && reader.TryReadVarIntPrefixed(out var value))
        {
            if (type == Offers) ReadOffers(value, Carrier.Udp, read);
            else if (type == TcpOffers) ReadOffers(value, Carrier.Tcp, read);
            else if (type == Origins) ReadOrigins(value, readOrigins);
            else if (type == Profile && NetworkProfile.TryRead(value, out var known)) profile = known;
        }
    }

    private static void WriteOffers(ref SpanWriter writer, ulong type, IEnumerable<PortOffer> offers)
    {
        var value = new SpanWriter(stackalloc byte[PortOffer.MaxPerPeer * PortOffer.MaxLength]);
        foreach (var offer in offers) offer.Write(ref value);
        if (value.Length > 0) WriteField(ref writer, type, value.Written);
    }

    private static void ReadOffers(ReadOnlySpan<byte> value, Carrier carrier, List<PortOffer> offers)
    {
        var reader = new SpanReader(value);
        while (offers.Count < PortOffer.MaxPerPeer && PortOffer.TryRead(ref reader, out var offer)) offers.Add(offer with { Carrier = carrier });
    }

    private static void WriteOrigins(ref SpanWriter writer, IReadOnlyList<SearchOrigin> origins)
    {
        if (origins.Count == 0) return;
        var value = new SpanWriter(stackalloc byte[SearchOrigin.MaxPerPeer * SearchOrigin.Length]);
        foreach (var origin in origins) origin.Write(ref value);
        WriteField(ref writer, Origins, value.Written);
    }

    private static void ReadOrigins(ReadOnlySpan<byte> value, List<SearchOrigin> origins)
    {
        var reader = new SpanReader(value);
        while (origins.Count < SearchOrigin.MaxPerPeer && SearchOrigin.TryRead(ref reader, out var origin)) origins.Add(origin);
    }

    private static void WriteField(ref SpanWriter writer, ulong type, scoped ReadOnlySpan<byte> value)
    {
        writer.WriteVarInt(type);
        writer.WriteVarInt((ulong)value.Length);
        writer.WriteBytes(value);
    }
}
