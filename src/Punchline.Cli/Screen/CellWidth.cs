using System.Globalization;
using System.Text;

namespace Punchline.Cli.Screen;

/// <summary>What a reader takes for one character, as it stands in a terminal.</summary>
/// <param name="Length">In UTF-16 units, at least 1.</param>
/// <param name="Width">In cells: 0, 1 or 2.</param>
internal readonly record struct Cluster(int Length, int Width);

/// <summary>
/// How many cells of a terminal text takes: clusters as in Unicode TR 29, wide where Unicode TR 11 says W or F. Terminals differ about
/// emoji; where this is too much, a row is short, and where it is too little, its end is clipped, for rows are drawn without wrapping.
/// </summary>
internal static class CellWidth
{
    /// <summary>Longer ones, such as a letter under a thousand accents, are several clusters, of which only the first is seen.</summary>
    public const int MaxClusterLength = 32;

    /// <summary>A tab is this many spaces, wherever it stands.</summary>
    public const int Tab = 4;

    private const char FirstCombining = '\u0300';
    private const char EmojiSelector = '\ufe0f';
    private const int SoftHyphen = 0xad;

    // East Asian Width W and F of Unicode 14, and the emoji blocks whole: first and last of each range. Flags' letters come in pairs.
    private static ReadOnlySpan<int> WideRanges =>
    [
        0x1100, 0x115f, 0x231a, 0x231b, 0x2329, 0x232a, 0x23e9, 0x23ec, 0x23f0, 0x23f0, 0x23f3, 0x23f3, 0x25fd, 0x25fe, 0x2614, 0x2615,
        0x2648, 0x2653, 0x267f, 0x267f, 0x2693, 0x2693, 0x26a1, 0x26a1, 0x26aa, 0x26ab, 0x26bd, 0x26be, 0x26c4, 0x26c5, 0x26ce, 0x26ce,
        0x26d4, 0x26d4, 0x26ea, 0x26ea, 0x26f2, 0x26f3, 0x26f5, 0x26f5, 0x26fa, 0x26fa, 0x26fd, 0x26fd, 0x2705, 0x2705, 0x270a, 0x270b,
        0x2728, 0x2728, 0x274c, 0x274c, 0x274e, 0x274e, 0x2753, 0x2755, 0x2757, 0x2757, 0x2795, 0x2797, 0x27b0, 0x27b0, 0x27bf, 0x27bf,
        0x2b1b, 0x2b1c, 0x2b50, 0x2b50, 0x2b55, 0x2b55, 0x2e80, 0x303e, 0x3041, 0x3247, 0x3250, 0x4dbf, 0x4e00, 0xa4c6, 0xa960, 0xa97c,
        0xac00, 0xd7a3, 0xf900, 0xfad9, 0xfe10, 0xfe19, 0xfe30, 0xfe6b, 0xff01, 0xff60, 0xffe0, 0xffe6, 0x16fe0, 0x18d08, 0x1aff0, 0x1b2fb,
        0x1f004, 0x1f004, 0x1f0cf, 0x1f0cf, 0x1f18e, 0x1f18e, 0x1f191, 0x1f19a, 0x1f1e6, 0x1f265, 0x1f300, 0x1f320, 0x1f32d, 0x1f335,
        0x1f337, 0x1f37c, 0x1f37e, 0x1f393, 0x1f3a0, 0x1f3ca, 0x1f3cf, 0x1f3d3, 0x1f3e0, 0x1f3f0, 0x1f3f4, 0x1f3f4, 0x1f3f8, 0x1f43e,
        0x1f440, 0x1f440, 0x1f442, 0x1f4fc, 0x1f4ff, 0x1f53d, 0x1f54b, 0x1f54e, 0x1f550, 0x1f567, 0x1f57a, 0x1f57a, 0x1f595, 0x1f596,
        0x1f5a4, 0x1f5a4, 0x1f5fb, 0x1f64f, 0x1f680, 0x1f6c5, 0x1f6cc, 0x1f6cc, 0x1f6d0, 0x1f6d2, 0x1f6d5, 0x1f6df, 0x1f6eb, 0x1f6ec,
        0x1f6f4, 0x1f6fc, 0x1f7e0, 0x1f7f0, 0x1f90c, 0x1f93a, 0x1f93c, 0x1f945, 0x1f947, 0x1f9ff, 0x1fa70, 0x1faff, 0x20000, 0x3fffd,
    ];

    /// <summary>The cluster at the beginning of a text that is not empty.</summary>
    public static Cluster First(ReadOnlySpan<char> text)
    {
        if (text[0] == '\t') return new Cluster(1, Tab);
        if (text[0] is >= ' ' and <= '~' && (text.Length == 1 || text[1] < FirstCombining)) return new Cluster(1, 1);
        // Never more is looked at: a text of a million accents is one cluster.
        var head = text[..Math.Min(text.Length, MaxClusterLength)];
        if (head.Length > 1 && char.IsHighSurrogate(head[^1])) head = head[..^1];
        var length = StringInfo.GetNextTextElementLength(head);
        _ = Rune.DecodeFromUtf16(head, out var first, out _);
        var width = Of(first);
        return new Cluster(length, width == 1 && head[..length].Contains(EmojiSelector) ? 2 : width);
    }

    /// <summary>Of a text in one line.</summary>
    public static int Of(ReadOnlySpan<char> text)
    {
        var width = 0;
        while (!text.IsEmpty)
        {
            var cluster = First(text);
            width += cluster.Width;
            text = text[cluster.Length..];
        }
        return width;
    }

    /// <summary>How long the cluster is that ends before <paramref name="index"/>, which is not 0.</summary>
    public static int LengthBefore(ReadOnlySpan<char> text, int index)
    {
        // From a little way off: where that is within a cluster, what follows falls into step again within one more.
        var start = Math.Max(0, index - (2 * MaxClusterLength));
        if (start > 0 && char.IsLowSurrogate(text[start])) start--;
        while (true)
        {
            var length = First(text[start..index]).Length;
            if (start + length >= index) return length;
            start += length;
        }
    }

    private static int Of(Rune rune)
    {
        if (rune.Value is >= ' ' and < FirstCombining) return 1;
        if (IsWide(rune.Value)) return 2;
        // Vowels and finals that stand upon a Hangul lead.
        if (rune.Value is (>= 0x1160 and <= 0x11ff) or (>= 0xd7b0 and <= 0xd7ff)) return 0;
        return Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.Format or UnicodeCategory.Control
            && rune.Value != SoftHyphen ? 0 : 1;
    }

    private static bool IsWide(int value)
    {
        var (low, high) = (0, (WideRanges.Length / 2) - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            if (value < WideRanges[2 * middle]) high = middle - 1;
            else if (value > WideRanges[(2 * middle) + 1]) low = middle + 1;
            else return true;
        }
        return false;
    }
}
