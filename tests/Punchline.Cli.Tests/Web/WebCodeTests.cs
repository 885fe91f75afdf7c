using System.Text.RegularExpressions;
using Punchline.Cli.Web;
using QRCoder;

namespace Punchline.Cli.Tests.Web;

public sealed partial class WebCodeTests
{
    [Theory]
    [InlineData("aeaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    [InlineData("12345 67890 12345 67890 12345 67890")]
    [InlineData("<script>window.ran = 1</script>")]
    public void Its_path_has_the_codes_dark_modules_and_no_others(string text)
    {
        var code = WebCode.Of(text);
        var dark = new bool[code.Size, code.Size];
        var length = 0;
        foreach (Match run in Run().Matches(code.Path))
        {
            var (x, y, width) = (Read(run, "x"), Read(run, "y"), Read(run, "width"));
            for (var i = 0; i < width; i++) dark[y, x + i] = true;
            length += run.Length;
        }
        Assert.Equal(code.Path.Length, length);
        using var expected = QRCodeGenerator.GenerateQrCode(text, QRCodeGenerator.ECCLevel.M);
        Assert.Equal(expected.ModuleMatrix.Count, code.Size);
        for (var y = 0; y < code.Size; y++)
        {
            for (var x = 0; x < code.Size; x++) Assert.Equal(expected.ModuleMatrix[y][x], dark[y, x]);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(WebCode.MaxLength + 1)]
    public void What_no_code_has_room_for_is_said(int length) => Assert.Throws<UsageException>(() => WebCode.Of(new string('a', length)));

    private static int Read(Match run, string group) => int.Parse(run.Groups[group].ValueSpan, System.Globalization.CultureInfo.InvariantCulture);

    [GeneratedRegex("M(?<x>[0-9]+) (?<y>[0-9]+)h(?<width>[0-9]+)v1h-[0-9]+z", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Run();
}
