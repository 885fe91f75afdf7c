using System.Globalization;
using System.Text;

namespace Punchline.Protocols.Rooms;

/// <summary>Text that came from a peer, made safe to show: a terminal obeys what it is shown.</summary>
internal static class PeerText
{
    /// <summary>
    /// Without control characters (C0, C1), the format characters that turn the reading direction, and lone surrogates;
    /// line feeds and tabs stay where <paramref name="multiline"/>.
    /// </summary>
    public static string Clean(string text, bool multiline = false)
    {
        var isClean = true;
        foreach (var rune in text.EnumerateRunes()) isClean &= IsSafe(rune, multiline);
        if (isClean) return text;
        var cleaned = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            if (IsSafe(rune, multiline)) cleaned.Append(rune.ToString());
        }
        return cleaned.ToString();
    }

    private static bool IsSafe(Rune rune, bool multiline) => rune.Value switch
    {
        '\n' or '\t' => multiline,
        // Bidirectional embeddings, overrides and isolates (Unicode TR 9), which hide what a line says.
        (>= 0x202a and <= 0x202e) or (>= 0x2066 and <= 0x2069) => false,
        0xfffd => false,
        _ => Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Control or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator),
    };
}
