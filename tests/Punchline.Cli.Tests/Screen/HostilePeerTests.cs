using System.Text;
using Punchline.Cli.Screen;

namespace Punchline.Cli.Tests.Screen;

/// <summary>What a peer writes is text on the screen, whatever a terminal would make of it: the virtual one fails on whatever is no frame's.</summary>
public sealed class HostilePeerTests
{
    public static TheoryData<string> Tricks => new()
    {
        "\e[2J\e[H\e]0;title\a\ePq#0;2;0;0;0\e\\",
        "\u009b2J\u0090\u009d0;x\u009c",
        "\r\b\v\f\a\0\x7f",
        "abc \u202efdp.exe\u202c \u2066x\u2069",
        "\u2028\u2029\ufeff\u200b\u200d",
        "\ud800 lone",
        "\ufe0f\u20e3\u0301",
    };

    [Theory]
    [MemberData(nameof(Tricks))]
    public void Nothing_of_it_reaches_the_terminal(string trick)
    {
        var stage = new Stage();
        stage.Model.Show(new RoomEvent.Joined(Stage.Bob, trick));
        stage.Model.Show(new RoomEvent.Message(Stage.Bob, $"bob{trick}", 1, $"begin {trick} end"));
        stage.Model.Show(new RoomEvent.Failed(Stage.Bob, trick, trick, trick));
        stage.Model.Show(new RoomEvent.Disconnected(Stage.Bob, trick));
        stage.Draw();
        Assert.Contains(stage.Log, row => row.Contains("begin", StringComparison.Ordinal));
        Assert.DoesNotContain(string.Concat(stage.Terminal.Screen), character => char.IsControl(character) || character is (>= '\u202a' and <= '\u202e') or (>= '\u2066' and <= '\u2069'));
        Assert.Equal("> ", stage.Bottom[^1] + " ");
    }

    // Also what did not come through the session.
    [Fact]
    public void A_line_itself_lets_no_control_character_through()
    {
        var line = new StyledLine(80);
        line.Add(Palette.Plain, "a\e[2Jb\u009bc\td");
        Assert.Equal("a\ufffd[2Jb\ufffdc    d", line.ToString());
    }

    [Fact]
    public void Nobody_writes_a_line_that_looks_like_anothers()
    {
        var stage = new Stage(40, 10);
        stage.Model.Show(new RoomEvent.Message(Stage.Bob, "bob", 1, $"x\n12:34 ann: yes\n{new string(' ', 31)}12:34 ann: yes"));
        stage.Draw();
        Assert.DoesNotContain(stage.Terminal.All, row => row.StartsWith("12:34 ann", StringComparison.Ordinal));
    }

    [Fact]
    public void A_word_of_a_mebibyte_is_shown_whole_and_frames_stay_small()
    {
        var stage = new Stage();
        var word = string.Concat(Enumerable.Range(0, 131_072).Select(number => $"{number:x8}"));
        stage.Model.Show(new RoomEvent.Message(Stage.Bob, "bob", 1, word));
        stage.Model.Show(new RoomEvent.Message(Stage.Bob, "bob", 2, "after"));
        stage.Draw();
        Assert.Equal("12:34 bob: after", stage.Log[^1]);
        var shown = new StringBuilder();
        foreach (var row in stage.Terminal.All.SkipWhile(row => !row.StartsWith("12:34 bob: 0", StringComparison.Ordinal)).TakeWhile(row => !row.EndsWith("after", StringComparison.Ordinal)))
            shown.Append(row.AsSpan(row.StartsWith("12:34", StringComparison.Ordinal) ? 11 : 8));
        Assert.Equal(word, shown.ToString());
    }

    [Fact]
    public void While_a_long_message_is_drawn_keys_are_taken()
    {
        var stage = new Stage();
        stage.Draw();
        stage.Room.Answer(new string('x', 1 << 20));
        var frame = stage.Renderer.Render(new ScreenState(stage.Room, stage.Editor, ""), stage.Terminal.Size);
        Assert.True(stage.Renderer.IsBehind);
        Assert.InRange(frame.Length, 1, ScreenRenderer.MaxRowsAFrame * 120);
        stage.Terminal.Write(frame.Span);
        stage.Type("typed");
        stage.Terminal.Write(stage.Renderer.Render(new ScreenState(stage.Room, stage.Editor, ""), stage.Terminal.Size).Span);
        Assert.True(stage.Renderer.IsBehind);
        Assert.Equal("> typed", stage.Bottom[^1]);
    }

    // A text of accents is one character to Unicode, and of no width.
    [Fact]
    public void A_million_accents_take_rows_with_an_end()
    {
        var text = "a" + new string('\u0301', 1 << 20);
        var (start, rows) = (0, 0);
        while (start >= 0)
        {
            var row = TextRow.At(text, start, 80, breaksAtSpaces: true);
            Assert.InRange(row.End - row.Start, 1, (4 * 80) + CellWidth.MaxClusterLength);
            (start, rows) = (row.Next, rows + 1);
        }
        Assert.InRange(rows, 2000, 4000);
    }
}
