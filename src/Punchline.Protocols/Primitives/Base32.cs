using System.Diagnostics.CodeAnalysis;

namespace Punchline.Protocols.Primitives;

/// <summary>RFC 4648 §6 in lower case and without padding: what people read and type.</summary>
internal static class Base32
{
    private const string Alphabet = "abcdefghijklmnopqrstuvwxyz234567";

    public static string Encode(ReadOnlySpan<byte> bytes)
    {
        var text = new char[(bytes.Length * 8 + 4) / 5];
        uint bits = 0;
        int held = 0, next = 0;
        foreach (var b in bytes)
        {
            bits = (bits << 8) | b;
            held += 8;
            while (held >= 5)
            {
                held -= 5;
                text[next++] = Alphabet[(int)(bits >> held) & 31];
            }
        }
        if (held > 0) text[next] = Alphabet[(int)(bits << (5 - held)) & 31];
        return new string(text);
    }

    /// <summary>Whether a character stands for five bits.</summary>
    public static bool IsInAlphabet(char c) => Alphabet.Contains(char.ToLowerInvariant(c), StringComparison.Ordinal);

    /// <summary>False for a foreign character, an impossible length, or bits set behind the last byte. Upper case is accepted.</summary>
    public static bool TryDecode(ReadOnlySpan<char> text, [NotNullWhen(true)] out byte[]? bytes)
    {
        bytes = null;
        // RFC 4648 §6: a final quantum has 2, 4, 5 or 7 characters; 1, 3 and 6 encode no whole byte.
        if (text.Length % 8 is 1 or 3 or 6) return false;
        var result = new byte[text.Length * 5 / 8];
        uint bits = 0;
        int held = 0, next = 0;
        foreach (var c in text)
        {
            var value = Alphabet.IndexOf(char.ToLowerInvariant(c), StringComparison.Ordinal);
            if (value < 0) return false;
            bits = (bits << 5) | (uint)value;
            held += 5;
            if (held < 8) continue;
            held -= 8;
            result[next++] = (byte)(bits >> held);
        }
        if ((bits & ((1u << held) - 1)) != 0) return false;
        bytes = result;
        return true;
    }
}
