namespace Punchline.Cli.Screen;

/// <summary>
/// What is drawn how: parameters of SGR (ECMA-48 §8.3.117). Colours are of the terminal's own sixteen, on its own background, and none that is
/// pale on white or dark on black.
/// </summary>
/// <param name="hasColours">Else there are only bold, faint and inverse.</param>
internal sealed class Palette(bool hasColours)
{
    public const string Plain = "";
    public const string Faint = "2";
    public const string Bold = "1";
    public const string Bar = "7";

    private static readonly string[] Names = ["1;31", "1;32", "1;34", "1;35", "1;36"];

    public string Good => hasColours ? "32" : Plain;

    public string Bad => hasColours ? "1;31" : Bold;

    /// <summary>A peer's name, the same each day.</summary>
    public string NameOf(PeerId peer)
    {
        if (!hasColours) return Bold;
        Span<byte> id = stackalloc byte[PeerId.ByteLength];
        peer.CopyTo(id);
        return Names[id[0] % Names.Length];
    }
}
