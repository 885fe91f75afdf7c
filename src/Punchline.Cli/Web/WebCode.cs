using System.Globalization;
using System.Text;
using QRCoder;

namespace Punchline.Cli.Web;

/// <summary>A text as a QR code (ISO/IEC 18004).</summary>
/// <param name="Size">Modules a side, with the four of the margin that readers need.</param>
/// <param name="Path">The dark ones, as the path of an SVG: numbers and commands alone, whatever the text was.</param>
internal sealed record WebCode(int Size, string Path)
{
    /// <summary>Characters: what is longer is read badly from a screen.</summary>
    public const int MaxLength = 512;

    /// <exception cref="UsageException">The text is empty or too long.</exception>
    public static WebCode Of(string text)
    {
        if (text.Length is 0 or > MaxLength) throw new UsageException($"A QR code has 1 to {MaxLength} characters here.");
        // 15 % of it may be unreadable, which is what most codes have.
        using var code = QRCodeGenerator.GenerateQrCode(text, QRCodeGenerator.ECCLevel.M);
        var path = new StringBuilder();
        for (var y = 0; y < code.ModuleMatrix.Count; y++)
        {
            var row = code.ModuleMatrix[y];
            for (var x = 0; x < row.Count; x++)
            {
                if (!row[x]) continue;
                var start = x;
                while (x < row.Count && row[x]) x++;
                path.Append(CultureInfo.InvariantCulture, $"M{start} {y}h{x - start}v1h-{x - start}z");
            }
        }
        return new WebCode(code.ModuleMatrix.Count, path.ToString());
    }
}
