namespace Punchline.Protocols.Dht;

/// <summary>The four kinds of bencoded values.</summary>
internal enum BencodeKind
{
    Integer,
    Bytes,
    List,
    Dictionary,
}

/// <summary>A whole, well-formed bencoded value (BEP 3): a view of the bytes that it was read from. Reading it allocates nothing.</summary>
/// <remarks>
/// Strict, so that a value has one encoding: no leading zeros, no minus zero, keys in ascending order and each once, nothing
/// behind the end. Integers have at most 64 bits.
/// </remarks>
internal readonly ref struct BencodeValue
{
    /// <summary>Lists and dictionaries in each other, at most. A KRPC message needs three.</summary>
    public const int MaxDepth = 8;

    /// <summary>Values in one, keys included, at most: an answer with a hundred peers has some 130.</summary>
    public const int MaxValues = 512;

    private BencodeValue(ReadOnlySpan<byte> encoding) => Encoding = encoding;

    /// <summary>The value's bytes.</summary>
    public ReadOnlySpan<byte> Encoding { get; }

    public BencodeKind Kind => Encoding[0] switch
    {
        (byte)'i' => BencodeKind.Integer,
        (byte)'l' => BencodeKind.List,
        (byte)'d' => BencodeKind.Dictionary,
        _ => BencodeKind.Bytes,
    };

    /// <summary>The values of a list, or the keys and values of a dictionary by turns; nothing for the other kinds.</summary>
    public ItemEnumerator Items => new(Kind is BencodeKind.List or BencodeKind.Dictionary ? Encoding[1..^1] : []);

    /// <summary>Reads one value that fills all of <paramref name="encoding"/>.</summary>
    public static bool TryRead(ReadOnlySpan<byte> encoding, out BencodeValue value)
    {
        value = default;
        var left = MaxValues;
        if (!TryMeasure(encoding, MaxDepth, ref left, out var length) || length != encoding.Length) return false;
        value = new BencodeValue(encoding);
        return true;
    }

    public bool TryGetInteger(out long integer)
    {
        integer = 0;
        return Kind == BencodeKind.Integer && TryReadInteger(Encoding, out integer, out _);
    }

    public bool TryGetBytes(out ReadOnlySpan<byte> bytes)
    {
        bytes = default;
        if (Kind != BencodeKind.Bytes) return false;
        bytes = Encoding[(Encoding.IndexOf((byte)':') + 1)..];
        return true;
    }

    /// <summary>A dictionary's value under a key; false where there is none, or this is no dictionary.</summary>
    public bool TryFind(ReadOnlySpan<byte> key, out BencodeValue value)
    {
        value = default;
        if (Kind != BencodeKind.Dictionary) return false;
        var items = Items;
        while (items.MoveNext())
        {
            items.Current.TryGetBytes(out var name);
            items.MoveNext();
            if (!name.SequenceEqual(key)) continue;
            value = items.Current;
            return true;
        }
        return false;
    }

    public bool TryFindBytes(ReadOnlySpan<byte> key, out ReadOnlySpan<byte> bytes)
    {
        bytes = default;
        return TryFind(key, out var value) && value.TryGetBytes(out bytes);
    }

    public bool TryFindInteger(ReadOnlySpan<byte> key, out long integer)
    {
        integer = 0;
        return TryFind(key, out var value) && value.TryGetInteger(out integer);
    }

    private static bool TryMeasure(ReadOnlySpan<byte> source, int depth, ref int left, out int length)
    {
        length = 0;
        if (source.IsEmpty || --left < 0) return false;
        return source[0] switch
        {
            (byte)'i' => TryReadInteger(source, out _, out length),
            (byte)'l' => depth > 0 && TryMeasureItems(source, isDictionary: false, depth - 1, ref left, out length),
            (byte)'d' => depth > 0 && TryMeasureItems(source, isDictionary: true, depth - 1, ref left, out length),
            _ => TryMeasureBytes(source, out length),
        };
    }

    private static bool TryMeasureItems(ReadOnlySpan<byte> source, bool isDictionary, int depth, ref int left, out int length)
    {
        length = 1;
        ReadOnlySpan<byte> lastKey = default;
        for (var isFirst = true; ; isFirst = false)
        {
            if (length == source.Length) return false;
            if (source[length] == 'e')
            {
                length++;
                return true;
            }
            if (isDictionary)
            {
                // BEP 3: "Keys must be strings and appear in sorted order (sorted as raw strings, not alphanumerics)."
                var key = source[length..];
                if (--left < 0 || !TryMeasureBytes(key, out var keyLength)) return false;
                key = key[(key.IndexOf((byte)':') + 1)..keyLength];
                if (!isFirst && key.SequenceCompareTo(lastKey) <= 0) return false;
                lastKey = key;
                length += keyLength;
            }
            if (!TryMeasure(source[length..], depth, ref left, out var itemLength)) return false;
            length += itemLength;
        }
    }

    private static bool TryMeasureBytes(ReadOnlySpan<byte> source, out int length)
    {
        length = 0;
        // 7 digits are more than a datagram has bytes, and no overflow.
        var digits = source[..Math.Min(source.Length, 8)].IndexOf((byte)':');
        if (digits < 1 || (digits > 1 && source[0] == '0')) return false;
        var count = 0;
        foreach (var digit in source[..digits])
        {
            if (!char.IsAsciiDigit((char)digit)) return false;
            count = (count * 10) + (digit - '0');
        }
        length = digits + 1 + count;
        return length <= source.Length;
    }

    private static bool TryReadInteger(ReadOnlySpan<byte> source, out long integer, out int length)
    {
        (integer, length) = (0, 0);
        var end = source.IndexOf((byte)'e');
        if (end < 2) return false;
        var digits = source[1..end];
        var isNegative = digits[0] == '-';
        if (isNegative) digits = digits[1..];
        // BEP 3: "i-0e is invalid. All encodings with a leading zero, such as i03e, are invalid, other than i0e".
        if (digits.IsEmpty || digits.Length > 19 || (digits[0] == '0' && (isNegative || digits.Length > 1))) return false;
        ulong value = 0; // 19 digits fit
        foreach (var digit in digits)
        {
            if (!char.IsAsciiDigit((char)digit)) return false;
            value = (value * 10) + (ulong)(digit - '0');
        }
        if (value > (isNegative ? 1UL << 63 : long.MaxValue)) return false;
        integer = isNegative ? unchecked(-(long)value) : (long)value;
        length = end + 1;
        return true;
    }

    /// <summary>Goes through the values in a list or a dictionary.</summary>
    internal ref struct ItemEnumerator(ReadOnlySpan<byte> items)
    {
        private ReadOnlySpan<byte> _rest = items;

        public BencodeValue Current { get; private set; }

        public readonly ItemEnumerator GetEnumerator() => this;

        public bool MoveNext()
        {
            var left = MaxValues;
            if (!TryMeasure(_rest, MaxDepth, ref left, out var length)) return false;
            Current = new BencodeValue(_rest[..length]);
            _rest = _rest[length..];
            return true;
        }
    }
}
