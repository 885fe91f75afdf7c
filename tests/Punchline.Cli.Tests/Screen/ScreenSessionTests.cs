using System.Text;
using System.Threading.Channels;
using Punchline.Cli.Chat;
using Punchline.Cli.Screen;
using Punchline.Cli.Session;
using Punchline.Cli.Tests.Chat;

namespace Punchline.Cli.Tests.Screen;

/// <summary>The whole, from keys to a chat and from a chat to the screen.</summary>
public sealed class ScreenSessionTests : IScreenDesk, IDisposable
{
    private readonly FakeTerminal _terminal = new();
    private readonly SessionModel _session = new(new Stage.SetClock());
    private readonly RoomModel _room;
    private readonly ScreenSession _screen;
    private readonly List<PeerId> _verified = [];
    private readonly List<string> _called = [];
    private readonly Task _running;

    public ScreenSessionTests()
    {
        _room = _session.Open("lounge", Stage.Ann, "ann", new PlainOutput(TextWriter.Null, TextWriter.Null));
        _screen = new ScreenSession(_session, _room.Number, _terminal, this, new Palette(hasColours: true), new Stage.SetClock());
        _running = Task.Run(_screen.RunAsync);
    }

    private ChannelReader<InputLine> Lines => _screen.LinesOf(_room.Number);

    public void Dispose() => _terminal.Dispose();

    string? IScreenDesk.Verify(PeerId peer)
    {
        _verified.Add(peer);
        return null;
    }

    string? IScreenDesk.Block(PeerId peer, bool isBlocked)
    {
        _session.Block(peer, isBlocked);
        return null;
    }

    string? IScreenDesk.Call(string peer)
    {
        _called.Add(peer);
        return peer == "nobody" ? "Nobody is called that." : null;
    }

    [Fact]
    public async Task What_is_typed_is_sent_and_what_comes_is_shown()
    {
        var room = new FakeRoom();
        room.Happen(new RoomEvent.Joined(Stage.Bob, "bob"));
        var chat = new ChatSession(room, Lines, _room, stays: false, new Stage.SetClock()).RunAsync(CancellationToken.None);
        _terminal.Type("hello\r//slash\r   \r");
        room.Happen(new RoomEvent.Message(Stage.Bob, "bob", 1, "hi"));
        await _terminal.ShowsAsync("12:34 bob: hi");
        await _terminal.ShowsAsync("12:34 ann: /slash …");
        Assert.Equal(["hello", "/slash"], room.Sent);
        room.Happen(new RoomEvent.Delivered(Stage.Bob, 1));
        await _terminal.ShowsAsync("12:34 ann: hello ✓");
        room.Delivery.SetResult();
        _terminal.Type("/quit\r");
        Assert.Equal(ExitCode.Done, await chat);
        await _running;
        Assert.Equal(1, room.TimesLeft);
    }

    [Fact]
    public async Task Who_stops_it_is_out_of_the_room_at_once()
    {
        using var interruption = new CancellationTokenSource();
        var room = new FakeRoom();
        var chat = new ChatSession(room, Lines, _room, stays: false, new Stage.SetClock()).RunAsync(interruption.Token);
        _terminal.Type("typed half");
        await _terminal.ShowsAsync("> typed half");
        await interruption.CancelAsync();
        Assert.Equal(ExitCode.Done, await chat);
        await _running;
        Assert.Equal((1, false), (room.TimesLeft, room.WasDeliveryAwaited));
    }

    [Fact]
    public async Task Commands_are_answered_and_not_sent()
    {
        Meet(Stage.Bob, "bob");
        Meet(Stage.Id(4), "dan");
        Meet(Stage.Id(5), "Dan");
        await _terminal.ShowsAsync("● bob direct UDP 20 ms   ● dan direct UDP 20 ms   ● Dan direct UDP 20 ms");
        _terminal.Type("/who\r");
        await _terminal.ShowsAsync("12:34 * 3 others are here:");
        _terminal.Type("/path bob\r");
        await _terminal.ShowsAsync("12:34 * bob: direct, UDP from 192.168.1.10:5000 to 203.0.113.1:6000, round trip 20 ms when it was made");
        _terminal.Type("/verify dan\r");
        await _terminal.ShowsAsync($"12:34 * 2 here are meant by dan; by their ids: {Stage.Id(4).ToString()[..8]}, {Stage.Id(5).ToString()[..8]}.");
        _terminal.Type("/verify bob\r");
        await _terminal.ShowsAsync($"        {SafetyNumber.Of(Stage.Ann, Stage.Bob)}");
        Assert.Empty(_verified);
        _terminal.Type("/verify bob yes\r");
        await _terminal.ShowsAsync("12:34 * bob is verified: you compared.");
        Assert.Equal([Stage.Bob], _verified);
        _terminal.Type($"/verify {Stage.Id(4).ToString()[..8]} yes\r/verify zoe\r");
        await _terminal.ShowsAsync("12:34 * Nobody here is called zoe.");
        Assert.Equal([Stage.Bob, Stage.Id(4)], _verified);
        _terminal.Type("/etc/passwd\r");
        await _terminal.ShowsAsync("12:34 * There is no command /etc/passwd. /help lists those that there are; a message that begins with / begins with //.");
        _room.ShowEnded();
        await _running;
        Assert.False(Lines.TryRead(out _));
    }

    [Fact]
    public async Task Of_one_who_proved_no_key_there_is_nothing_to_verify()
    {
        _room.Show(new RoomEvent.Joined(Stage.Bob, "bob"));
        await _terminal.ShowsAsync("○ bob connecting");
        _terminal.Type("/verify bob yes\r");
        await _terminal.ShowsAsync("12:34 * bob is not connected, so it has proved no key yet.");
        Assert.Empty(_verified);
        _room.ShowEnded();
        await _running;
    }

    [Fact]
    public async Task A_member_is_blocked_and_let_in_again()
    {
        List<(PeerId, bool)> told = [];
        _session.Barrier = (peer, isBlocked) => told.Add((peer, isBlocked));
        Meet(Stage.Bob, "bob");
        // A command is read by what is in view.
        await _terminal.ShowsAsync("● bob direct UDP 20 ms");
        _terminal.Type("/block bob\r");
        await _terminal.ShowsAsync("12:34 * bob is blocked: nothing goes to it, and nothing comes from it.");
        await _terminal.ShowsAsync("● bob blocked direct UDP 20 ms");
        _terminal.Type("/unblock bob\r");
        await _terminal.ShowsAsync("12:34 * bob is not blocked any more.");
        await _terminal.ShowsAsync("● bob direct UDP 20 ms");
        _terminal.Type("/unblock bob\r");
        await _terminal.ShowsAsync("12:34 * bob is not blocked.");
        Assert.Equal([(Stage.Bob, true), (Stage.Bob, false)], told);
        _room.ShowEnded();
        await _running;
    }

    // The first messages fill what there is between screen and chat, the next has to wait where it is.
    [Fact]
    public async Task What_cannot_be_taken_stays_in_the_input()
    {
        _terminal.Type(string.Concat(Enumerable.Range(1, 17).Select(number => $"m{number}\r")));
        await _terminal.ShowsAsync("> m17");
        Assert.True(Lines.TryRead(out var line));
        Assert.Equal("m1", line.Text);
        _room.ShowEnded();
        await _running;
    }

    [Fact]
    public async Task A_new_size_is_drawn_and_so_is_a_screen_that_was_anothers()
    {
        await _terminal.ShowsAsync(">");
        _terminal.Become(100, 30);
        _room.Notice("now");
        await _terminal.ShowsAsync("12:34 * now");
        _terminal.Send(new TerminalInput.Resumed());
        _room.Notice("again");
        await _terminal.ShowsAsync("12:34 * again");
        Assert.Equal(27, _terminal.RegionRows);
        _room.ShowEnded();
        await _running;
    }

    // It reads at most as many as are kept, and then its terminal is stuck.
    [Fact]
    public async Task Whoever_missed_events_goes_on_from_the_log()
    {
        const int Count = (2 * SessionModel.MaxEvents) + 100;
        await _terminal.ShowsAsync(">");
        _terminal.Flow.Reset();
        for (var number = 0; number < Count; number++) _room.Notice($"n{number}");
        _terminal.Flow.Set();
        await _terminal.ShowsAsync($"12:34 * n{Count - 1}");
        _room.ShowEnded();
        await _running;
        Assert.Equal(Enumerable.Range(0, Count).Select(number => $"12:34 * n{number}"), _terminal.All.Where(row => row.StartsWith("12:34 * n", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_call_is_in_view_until_it_is_over_and_each_room_has_its_own_lines()
    {
        _terminal.Type("to the room\rhalf a line");
        await _terminal.ShowsAsync("> half a line");
        var call = Open("call with bob");
        await _terminal.ShowsAsync(" call with bob · 0 others");
        await _terminal.ShowsAsync(">");
        _room.Show(new RoomEvent.Message(Stage.Id(4), "dan", 1, "meanwhile"));
        await _terminal.ShowsAsync(" call with bob · 0 others · lounge: 1 new");
        _terminal.Type("to the call\r");
        Assert.Equal("to the call", (await _screen.LinesOf(call.Number).ReadAsync(TestContext.Current.CancellationToken)).Text);
        call.Notice("It was not taken.");
        call.ShowEnded();
        // The room is back, with what was begun in it.
        await _terminal.ShowsAsync("> half a line");
        await _terminal.ShowsAsync("12:34 dan: meanwhile");
        Assert.Contains("12:34 * It was not taken.", _terminal.All);
        Assert.True(Lines.TryRead(out var line));
        Assert.Equal("to the room", line.Text);
        Assert.False(Lines.TryRead(out _));
        _room.ShowEnded();
        await _running;
    }

    [Fact]
    public async Task A_number_turns_to_a_room_and_leaving_a_call_leaves_it_alone()
    {
        var call = Open("call with bob");
        _terminal.Type("/room\r");
        await _terminal.ShowsAsync("12:34 * Rooms and calls; /room and a number turns to one:");
        await _terminal.ShowsAsync("        1  lounge");
        await _terminal.ShowsAsync("        2  call with bob, in view");
        _terminal.Type("/room 1\r");
        await _terminal.ShowsAsync(" lounge · 0 others");
        _terminal.Type("/room 3\r/room x\r");
        await _terminal.ShowsAsync("12:34 * There is no room 3. Rooms and calls; /room and a number turns to one:");
        await _terminal.ShowsAsync("12:34 * /room NUMBER: /room alone lists them.");
        _terminal.Type("/room 2\r/quit\r");
        await _screen.LinesOf(call.Number).Completion;
        Assert.False(Lines.Completion.IsCompleted);
        // Over while another is in view: it is read to its end first.
        _terminal.Type("/room 1\r");
        await _terminal.ShowsAsync(" lounge · 0 others");
        call.Notice("the last of it");
        call.ShowEnded();
        _room.Notice("and on");
        _room.ShowEnded();
        await _running;
        Assert.Contains("12:34 * the last of it", _terminal.All);
        Assert.Contains("12:34 * and on", _terminal.All);
    }

    [Fact]
    public async Task Whom_to_call_is_told_and_why_not_is_answered()
    {
        _terminal.Type("/call\r/call aunt may\r/call nobody\r");
        await _terminal.ShowsAsync("12:34 * /call PEER: an id, an alias of yours, or the first characters of a known id.");
        await _terminal.ShowsAsync("12:34 * Nobody is called that.");
        Assert.Equal(["aunt may", "nobody"], _called);
        _room.ShowEnded();
        await _running;
    }

    [Fact]
    public async Task A_question_comes_into_view()
    {
        var call = Open("call with bob");
        await _terminal.ShowsAsync(" call with bob · 0 others");
        _room.Ask("Take it?");
        await _terminal.ShowsAsync(" lounge · 0 others");
        await _terminal.ShowsAsync("12:34 * Take it?");
        Assert.Equal(2, call.Number);
        _room.ShowEnded();
        await _running;
    }

    [Fact]
    public async Task A_terminal_that_goes_away_ends_the_lines()
    {
        _terminal.Hang();
        await Lines.Completion;
        _room.ShowEnded();
        await _running;
    }

    private RoomModel Open(string name) => _session.Open(name, Stage.Ann, "ann", new PlainOutput(TextWriter.Null, TextWriter.Null));

    private void Meet(PeerId peer, string name)
    {
        _room.Show(new RoomEvent.Joined(peer, name));
        _room.Show(new RoomEvent.Connected(peer, name, Stage.Direct, Stage.RoundTrip, Stage.RoundTrip));
    }

    private sealed class FakeTerminal : IScreenTerminal
    {
        private readonly Lock _gate = new();
        private readonly Channel<TerminalInput> _input = Channel.CreateUnbounded<TerminalInput>();
        private readonly List<(string Row, TaskCompletionSource Seen)> _awaited = [];
        private readonly VirtualTerminal _terminal = new(120, 40);
        private ScreenSize _size = new(120, 40);

        public ChannelReader<TerminalInput> Input => _input.Reader;

        /// <summary>While it is not set, writing waits.</summary>
        public ManualResetEventSlim Flow { get; } = new(initialState: true);

        public int RegionRows
        {
            get
            {
                lock (_gate) return _terminal.RegionRows;
            }
        }

        public IReadOnlyList<string> All
        {
            get
            {
                lock (_gate) return [.. _terminal.All];
            }
        }

        public ScreenSize Size
        {
            get
            {
                lock (_gate)
                {
                    if (_terminal.Size != _size) _terminal.Resize(_size.Columns, _size.Rows);
                    return _size;
                }
            }
        }

        public void Type(string text) => Send(new TerminalInput.Bytes(Encoding.UTF8.GetBytes(text)));

        public void Send(TerminalInput input) => _input.Writer.TryWrite(input);

        public void Hang() => _input.Writer.Complete();

        public void Become(int columns, int rows)
        {
            lock (_gate) _size = new ScreenSize(columns, rows);
            Send(new TerminalInput.Resized());
        }

        public Task ShowsAsync(string row)
        {
            var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            lock (_gate) _awaited.Add((row, seen));
            Look();
            return seen.Task.WaitAsync(TestContext.Current.CancellationToken);
        }

        public void Write(ReadOnlyMemory<byte> frame, byte[] leave)
        {
            Flow.Wait(TestContext.Current.CancellationToken);
            lock (_gate) _terminal.Write(frame.Span);
            Look();
        }

        public void Dispose() => Flow.Dispose();

        private void Look()
        {
            lock (_gate)
            {
                foreach (var (row, seen) in _awaited)
                {
                    if (_terminal.Screen.Contains(row)) seen.TrySetResult();
                }
            }
        }
    }
}
