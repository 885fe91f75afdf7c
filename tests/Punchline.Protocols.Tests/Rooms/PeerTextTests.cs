using Punchline.Protocols.Rooms;

namespace Punchline.Protocols.Tests.Rooms;

public sealed class PeerTextTests
{
    [Theory]
    [InlineData("plain text, ünïcode, 漢字 and 👍🏽", "plain text, ünïcode, 漢字 and 👍🏽")]
    [InlineData("\u001b]0;title\u0007red\u001b[31m", "]0;titlered[31m")]
    [InlineData("c1 \u009b31m csi", "c1 31m csi")]
    [InlineData("null\0 bell\a del\u007f", "null bell del")]
    [InlineData("\u202eevil\u202c \u2066iso\u2069", "evil iso")]
    [InlineData("line\u2028separator paragraph\u2029separator", "lineseparator paragraphseparator")]
    [InlineData("\ufffd", "")]
    [InlineData("", "")]
    public void Nothing_that_a_terminal_obeys_or_that_hides_what_a_line_says_is_left(string text, string expected)
    {
        Assert.Equal(expected, PeerText.Clean(text));
        Assert.Equal(expected, PeerText.Clean(text, multiline: true));
    }

    [Fact]
    public void Lone_surrogates_are_dropped() => Assert.Equal("ab", PeerText.Clean("a" + (char)0xd800 + "b" + (char)0xdc00));

    [Fact]
    public void Line_feeds_and_tabs_stay_where_several_lines_are_meant()
    {
        Assert.Equal("a\n\tb", PeerText.Clean("a\r\n\tb", multiline: true));
        Assert.Equal("ab", PeerText.Clean("a\r\n\tb"));
    }

    [Fact]
    public void Clean_text_is_the_same_object()
    {
        var text = new string('x', 100);
        Assert.Same(text, PeerText.Clean(text));
    }
}
