using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using Punchline.Protocols.Primitives;

namespace Punchline;

/// <summary>
/// Who a peer is: the SHA-256 of its cipher suite's number and its public key. Written as 52 lower-case base32
/// characters. Whoever completes a handshake as this id holds that key.
/// </summary>
public readonly record struct PeerId : IComparable<PeerId>
{
    /// <summary>Bytes of an id: 32.</summary>
    public const int ByteLength = 32;

    /// <summary>Characters of an id's text: 52.</summary>
    public const int TextLength = 52;

    // Two halves in network order, so that comparing them compares the bytes.
    private readonly UInt128 _high;
    private readonly UInt128 _low;

    /// <summary>From exactly 32 bytes.</summary>
    /// <exception cref="ArgumentException">Another length.</exception>
    public PeerId(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != ByteLength) throw new ArgumentException($"A peer id has {ByteLength} bytes, not {bytes.Length}.", nameof(bytes));
        _high = BinaryPrimitives.ReadUInt128BigEndian(bytes);
        _low = BinaryPrimitives.ReadUInt128BigEndian(bytes[16..]);
    }

    /// <summary>Reads an id as <see cref="ToString"/> writes it; upper case is accepted too.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out PeerId id)
    {
        id = default;
        if (text is not { Length: TextLength } || !Base32.TryDecode(text, out var bytes)) return false;
        id = new PeerId(bytes);
        return true;
    }

    /// <summary>Reads an id as <see cref="ToString"/> writes it; upper case is accepted too.</summary>
    /// <exception cref="FormatException">Not an id.</exception>
    public static PeerId Parse(string text) => TryParse(text, out var id)
        ? id
        : throw new FormatException($"'{text}' is not a peer id: {TextLength} characters of a-z and 2-7.");

    /// <summary>Writes the id's 32 bytes.</summary>
    public void CopyTo(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt128BigEndian(destination, _high);
        BinaryPrimitives.WriteUInt128BigEndian(destination[16..], _low);
    }

    /// <summary>Orders ids by their bytes, which is also how it is decided who initiates a handshake.</summary>
    public int CompareTo(PeerId other) => _high != other._high ? _high.CompareTo(other._high) : _low.CompareTo(other._low);

    /// <summary>Whether <paramref name="left"/> sorts before <paramref name="right"/>.</summary>
    public static bool operator <(PeerId left, PeerId right) => left.CompareTo(right) < 0;

    /// <summary>Whether <paramref name="left"/> sorts behind <paramref name="right"/>.</summary>
    public static bool operator >(PeerId left, PeerId right) => left.CompareTo(right) > 0;

    /// <summary>Whether <paramref name="left"/> does not sort behind <paramref name="right"/>.</summary>
    public static bool operator <=(PeerId left, PeerId right) => left.CompareTo(right) <= 0;

    /// <summary>Whether <paramref name="left"/> does not sort before <paramref name="right"/>.</summary>
    public static bool operator >=(PeerId left, PeerId right) => left.CompareTo(right) >= 0;

    /// <summary>The id's 52 characters.</summary>
    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[ByteLength];
        CopyTo(bytes);
        return Base32.Encode(bytes);
    }
}
