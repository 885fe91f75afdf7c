using System.Globalization;

namespace Punchline.Pump;

/// <summary>A number of bytes as people write it.</summary>
internal static class Quantity
{
    public static long Parse(string text)
    {
        var unit = char.ToLowerInvariant(text[^1]) switch
        {
            'k' => 1_000L,
            'm' => 1_000_000L,
            'g' => 1_000_000_000L,
            _ => 1L,
        };
        return checked(unit * long.Parse(unit == 1 ? text : text[..^1], NumberStyles.None, CultureInfo.InvariantCulture));
    }
}
