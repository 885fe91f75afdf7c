using Punchline.Cli.Screen;

namespace Punchline.Cli.Tests.Screen;

public sealed class CellWidthTests
{
    [Theory]
    [InlineData("a", 1, 1)]
    [InlineData("é", 1, 1)]
    [InlineData("e\u0301", 2, 1)]
    [InlineData("漢", 1, 2)]
    [InlineData("ｱ", 1, 1)] // halfwidth
    [InlineData("Ａ", 1, 2)] // fullwidth
    [InlineData("한", 1, 2)]
    [InlineData("\u1112\u1161\u11ab", 3, 2)] // the same syllable in its parts
    [InlineData("ก็", 2, 1)]
    [InlineData("👍", 2, 2)]
    [InlineData("👍🏽", 4, 2)]
    [InlineData("👩‍💻", 5, 2)]
    [InlineData("🇩🇪", 4, 2)]
    [InlineData("❤\ufe0f", 2, 2)]
    [InlineData("❤", 1, 1)]
    [InlineData("─", 1, 1)]
    [InlineData("\u200b", 1, 0)]
    [InlineData("\u0301", 1, 0)]
    [InlineData("\u00ad", 1, 1)]
    [InlineData("\t", 1, 4)]
    public void A_cluster_has_its_cells(string text, int length, int width)
    {
        Assert.Equal(new Cluster(length, width), CellWidth.First(text + "x"));
        Assert.Equal(length, CellWidth.LengthBefore("\n" + text, 1 + length));
    }

    [Theory]
    [InlineData("one two three", 7, true, "one two|three")]
    [InlineData("one two three", 8, true, "one two|three")]
    [InlineData("one two three", 6, true, "one|two|three")]
    [InlineData("one two three", 6, false, "one tw|o thre|e")]
    [InlineData("abcdefgh", 3, true, "abc|def|gh")]
    [InlineData("漢字漢", 3, true, "漢|字|漢")]
    [InlineData("漢", 1, true, "漢")]
    [InlineData("a\n\nb\n", 5, true, "a||b|")]
    [InlineData("", 5, true, "")]
    public void A_text_is_broken_into_rows(string text, int cells, bool breaksAtSpaces, string rows)
    {
        var broken = new List<string>();
        for (var start = 0; start >= 0;)
        {
            var row = TextRow.At(text, start, cells, breaksAtSpaces);
            Assert.Equal(CellWidth.Of(text.AsSpan(row.Start, row.End - row.Start)), row.Width);
            broken.Add(text[row.Start..row.End]);
            start = row.Next;
        }
        Assert.Equal(rows, string.Join('|', broken));
    }
}
