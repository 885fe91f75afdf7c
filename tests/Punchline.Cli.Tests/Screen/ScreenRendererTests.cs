using Punchline.Cli.Session;

namespace Punchline.Cli.Tests.Screen;

public sealed class ScreenRendererTests
{
    [Fact]
    public void A_conversation_at_80_by_24()
    {
        var stage = new Stage();
        stage.Connect(2, "bob");
        stage.Model.Show(new RoomEvent.Message(Stage.Bob, "bob", 1, "hello\nand a second line"));
        stage.Model.ShowSent(1, "hi");
        stage.Type("to be continued");
        stage.Draw();
        Assert.Equal(
            [
                $"12:34 * lounge: you are ann ({Stage.Ann.ToString()[..8]}…). /help lists the commands.",
                $"12:34 * bob ({Stage.Bob.ToString()[..8]}…) is here; connecting.",
                "12:34 * bob is connected directly at 203.0.113.1:6000, in 20 ms (round trip 20",
                "        ms).",
                "12:34 bob: hello",
                "        and a second line",
                "12:34 ann: hi …",
            ],
            stage.Log);
        Assert.Equal([" lounge · 1 other", "● bob direct UDP 20 ms", "> to be continued"], stage.Bottom);
        Assert.Equal((23, 17), (stage.Terminal.Row, stage.Terminal.Column));
    }

    [Fact]
    public void What_was_on_the_screen_goes_into_the_scrollback_and_the_log_follows_it()
    {
        var stage = new Stage(40, 10);
        stage.Terminal.Write("one\ntwo\n$ punchline\n"u8);
        stage.Say(1, 100);
        stage.Draw();
        Assert.Equal(["one", "two", "$ punchline"], stage.Terminal.Scrollback.Take(3));
        Assert.Equal(Enumerable.Range(1, 100).Select(number => $"12:34 bob: x{number}"), stage.Terminal.All.Where(row => row.Contains("bob: x", StringComparison.Ordinal)));
        Assert.Equal("12:34 bob: x100", stage.Log[^1]);
        Assert.Equal(7, stage.Log.Count);
    }

    [Fact]
    public void Ticks_are_put_behind_messages_that_are_on_the_screen()
    {
        var stage = new Stage();
        stage.Connect(2, "bob");
        stage.Connect(3, "eve");
        stage.Model.ShowSent(1, "hi");
        stage.Draw();
        Assert.Equal("12:34 ann: hi 0/2", stage.Log[^1]);
        stage.Model.Show(new RoomEvent.Delivered(Stage.Bob, 1));
        stage.Draw();
        Assert.Equal("12:34 ann: hi 1/2", stage.Log[^1]);
        stage.Model.Show(new RoomEvent.Delivered(Stage.Id(3), 1));
        stage.Draw();
        Assert.Equal("12:34 ann: hi ✓", stage.Log[^1]);
        Assert.Single(stage.Terminal.All, row => row.Contains("ann: hi", StringComparison.Ordinal));
    }

    [Fact]
    public void What_left_the_screen_is_not_touched()
    {
        var stage = new Stage(40, 10);
        stage.Connect(2, "bob");
        stage.Model.ShowSent(1, "hi");
        stage.Say(1, 20);
        stage.Draw();
        stage.Model.Show(new RoomEvent.Delivered(Stage.Bob, 1));
        Assert.Equal(0, stage.Draw());
        Assert.Contains("12:34 ann: hi …", stage.Terminal.Scrollback);
    }

    [Fact]
    public void A_key_costs_its_row_and_nothing_costs_nothing()
    {
        var stage = new Stage();
        stage.Say(1, 100);
        stage.Draw();
        Assert.Equal(0, stage.Draw());
        stage.Type("a");
        Assert.InRange(stage.Draw(), 1, 100);
        Assert.Equal("> a", stage.Bottom[^1]);
    }

    [Fact]
    public void An_input_of_many_rows_takes_them_from_the_log_and_gives_them_back()
    {
        var stage = new Stage(40, 12);
        stage.Say(1, 30);
        stage.Draw();
        var before = stage.Terminal.RegionRows;
        stage.Type("\e[200~one\ntwo\nthree\e[201~");
        stage.Draw();
        Assert.Equal(before - 2, stage.Terminal.RegionRows);
        Assert.Equal(["> one", "  two", "  three"], stage.Bottom.TakeLast(3));
        Assert.Equal("12:34 bob: x30", stage.Log[^1]);
        stage.Editor.Take();
        stage.Say(31, 32);
        stage.Draw();
        Assert.Equal(before, stage.Terminal.RegionRows);
        Assert.Equal("12:34 bob: x32", stage.Log[^1]);
        AssertAllOnce(stage, 32);
    }

    [Theory]
    [InlineData(80, 12)]
    [InlineData(80, 40)]
    [InlineData(120, 24)]
    [InlineData(200, 50)]
    [InlineData(20, 8)]
    [InlineData(2, 2)]
    public void After_a_change_of_size_the_end_of_the_log_stands_there_and_nothing_is_lost(int columns, int rows)
    {
        var stage = new Stage();
        stage.Connect(2, "bob");
        stage.Say(1, 50);
        stage.Draw();
        stage.Type("text");
        stage.Resize(columns, rows);
        stage.Resize(80, 24);
        stage.Say(51, 52);
        stage.Draw();
        Assert.Equal("12:34 bob: x52", stage.Log[^1]);
        Assert.Equal([" lounge · 1 other", "● bob direct UDP 20 ms", "> text"], stage.Bottom);
        for (var number = 1; number <= 52; number++) Assert.Contains($"12:34 bob: x{number}", stage.Terminal.All);
    }

    [Fact]
    public void A_lower_or_higher_screen_shows_each_row_once()
    {
        var stage = new Stage();
        stage.Say(1, 50);
        stage.Draw();
        stage.Resize(80, 12);
        AssertAllOnce(stage, 50);
        Assert.Equal("12:34 bob: x50", stage.Log[^1]);
    }

    [Fact]
    public void Where_the_screen_gets_narrower_rows_that_do_not_fit_any_more_leave_upwards()
    {
        var stage = new Stage(60, 10);
        for (var number = 1; number <= 7; number++) stage.Model.Show(new RoomEvent.Message(Stage.Bob, "bob", (ulong)number, $"m{number} {new string('x', 40)} end{number}"));
        stage.Draw();
        stage.Resize(40, 10);
        for (var number = 1; number <= 7; number++) Assert.Contains(stage.Terminal.All, row => row.EndsWith($"end{number}", StringComparison.Ordinal));
        Assert.EndsWith("end7", stage.Log[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void Sixty_four_members_have_their_rows_and_the_rest_a_count()
    {
        var stage = new Stage();
        for (byte member = 2; member < 66; member++) stage.Connect(member, $"member-{member}");
        stage.Draw();
        Assert.Equal(" lounge · 64 others", stage.Bottom[0]);
        Assert.StartsWith("● member-2 direct UDP 20 ms   ● member-3", stage.Bottom[1], StringComparison.Ordinal);
        Assert.EndsWith("and 58 more: /who", stage.Bottom[3], StringComparison.Ordinal);
        Assert.Equal(5, stage.Bottom.Count);
    }

    [Fact]
    public void Ten_thousand_messages_are_all_in_the_scrollback_and_no_more_is_kept()
    {
        var stage = new Stage();
        for (var number = 0; number < 20; number++)
        {
            stage.Say((number * 1000) + 1, (number + 1) * 1000);
            stage.Draw();
        }
        AssertAllOnce(stage, 20_000);
        Assert.Equal(RoomLog.MaxEntries, stage.Room.Log.Next - stage.Room.Log.First);
    }

    [Fact]
    public void Wide_and_combining_characters_have_their_cells()
    {
        var stage = new Stage(30, 8);
        stage.Model.Show(new RoomEvent.Message(Stage.Bob, "漢字", 1, "漢字漢字漢字漢字漢字漢字漢字 e\u0301e\u0301 👩‍💻🇩🇪!"));
        stage.Draw();
        Assert.Equal(["12:34 漢字: 漢字漢字漢字漢字漢", "        字漢字漢字 e\u0301e\u0301 👩‍💻🇩🇪!"], stage.Log.TakeLast(2));
        stage.Type("漢e\u0301");
        stage.Draw();
        Assert.Equal(5, stage.Terminal.Column);
    }

    [Fact]
    public void A_day_and_the_unread_have_their_lines()
    {
        var stage = new Stage(40, 12);
        stage.Say(1, 1);
        stage.Draw();
        stage.Type("\e[O");
        stage.Clock.Now += TimeSpan.FromHours(12);
        stage.Say(2, 3);
        stage.Draw();
        Assert.Equal(["── Sunday, 29 November 2026 ────────────", "── new ─────────────────────────────────", "00:34 bob: x2", "00:34 bob: x3"], stage.Log.TakeLast(4));
        Assert.StartsWith(" lounge · 2 new · ", stage.Bottom[0], StringComparison.Ordinal);
        stage.Type("\e[I");
        stage.Say(4, 4);
        stage.Draw();
        Assert.Equal("00:34 bob: x4", stage.Log[^1]);
        Assert.StartsWith(" lounge · 0 others", stage.Bottom[0], StringComparison.Ordinal);
    }

    [Fact]
    public void A_server_that_is_away_is_said_with_the_reason_and_in_the_bar()
    {
        var stage = new Stage(100, 12);
        stage.Model.Show(new RoomEvent.ServerChanged(ServerState.Lost) { Reason = "Nothing listens there." });
        stage.Draw();
        Assert.Equal("12:34 * Nothing listens there. It is tried again and again; members on this network are found", stage.Log[^2]);
        Assert.Equal(" lounge · 0 others · server away", stage.Bottom[0]);
        stage.Model.Show(new RoomEvent.ServerChanged(ServerState.Connected));
        stage.Draw();
        Assert.Equal(" lounge · 0 others", stage.Bottom[0]);
    }

    [Fact]
    public void How_the_round_trip_went_is_a_line()
    {
        var stage = new Stage();
        stage.Connect(2, "bob");
        foreach (var milliseconds in (int[])[500, 20, 20, 41, 30, 90, 20, 21, 20])
            stage.Model.ShowQuality([new MemberQuality(Stage.Bob, new QualitySample(stage.Clock.Now, QualityMeter.Interval, TimeSpan.FromMilliseconds(milliseconds), default, 0, 0, 0, 0, 0))]);
        stage.Draw();
        Assert.Equal("● bob direct UDP 20 ms ▁▁▃▂█▁▁▁", stage.Bottom[1]);
    }

    [Fact]
    public void What_was_said_in_earlier_sessions_comes_first_with_its_days()
    {
        var stage = new Stage(60, 24);
        stage.Room.Apply(new SessionChange.EarlierRead(
        [
            new LogEntry.Received(-1, stage.Clock.Now.AddDays(-2), "see you", Stage.Bob, "bob", 7),
            new LogEntry.Sent(0, stage.Clock.Now.AddDays(-1), "yes", 0, [], []),
        ]));
        stage.Say(1, 1);
        stage.Draw();
        Assert.Equal(["12:34 bob: see you", "12:34 ann: yes", "12:34 bob: x1"], stage.Log.Where(row => row.Contains(": ", StringComparison.Ordinal) && !row.Contains('*', StringComparison.Ordinal)));
        Assert.Equal(
            ["── Thursday, 26 November 2026 ", "── Friday, 27 November 2026 ", "── until here from earlier sessions "],
            stage.Log.Where(row => row.StartsWith('─')).Select(row => row.TrimEnd('─')));
    }

    [Fact]
    public void Without_colours_there_are_none()
    {
        var stage = new Stage(hasColours: false);
        stage.Connect(2, "bob");
        stage.Say(1, 3);
        stage.Draw();
        Assert.Subset(new HashSet<string>(["", "0;1", "0;2", "0;7"], StringComparer.Ordinal), stage.Terminal.Styles);
        stage = new Stage(hasColours: true);
        stage.Connect(2, "bob");
        stage.Draw();
        Assert.Contains("0;32", stage.Terminal.Styles);
    }

    [Fact]
    public void Leaving_puts_the_terminal_back_with_the_log_above_the_cursor()
    {
        var stage = new Stage(40, 10);
        var before = new HashSet<string>(stage.Terminal.Modes, StringComparer.Ordinal);
        stage.Say(1, 2);
        stage.Draw();
        Assert.False(before.SetEquals(stage.Terminal.Modes));
        stage.Terminal.Write(stage.Renderer.Leave);
        Assert.True(before.SetEquals(stage.Terminal.Modes));
        Assert.Equal((10, 0), (stage.Terminal.RegionRows, stage.Terminal.Column));
        Assert.Equal("12:34 bob: x2", stage.Terminal.Screen[stage.Terminal.Row - 1]);
        Assert.All(stage.Terminal.Screen.Skip(stage.Terminal.Row), row => Assert.Equal("", row));
    }

    [Fact]
    public void Who_comes_back_from_the_shell_finds_its_lines_above_and_the_log_goes_on()
    {
        var stage = new Stage(40, 10);
        stage.Say(1, 3);
        stage.Draw();
        stage.Terminal.Write(stage.Renderer.Leave);
        stage.Terminal.Write("$ date\nSaturday\n$ fg\n"u8);
        stage.Renderer.Reopen();
        stage.Say(4, 4);
        stage.Draw();
        Assert.Equal(["12:34 bob: x4"], stage.Log);
        Assert.Contains("Saturday", stage.Terminal.Scrollback);
        AssertAllOnce(stage, 4);
    }

    private static void AssertAllOnce(Stage stage, int last) =>
        Assert.Equal(Enumerable.Range(1, last).Select(number => $"12:34 bob: x{number}"), stage.Terminal.All.Where(row => row.Contains("bob: x", StringComparison.Ordinal)));
}
