using System.Threading.Channels;
using Punchline.Cli.Chat;
using Punchline.Cli.Session;

namespace Punchline.Cli.Screen;

/// <summary>
/// A session on a terminal, until its first room is over: what is typed goes out as lines, what happens comes from the <see cref="SessionModel"/>, and
/// whatever there was of both since the last frame is in the next. One room is in view; a call that begins takes its place, and gives it back.
/// </summary>
/// <param name="session">Has the rooms.</param>
/// <param name="first">The number of the first, with which it all ends.</param>
/// <param name="terminal">The terminal.</param>
/// <param name="desk">Does what is more than talking.</param>
/// <param name="palette">How things look.</param>
/// <param name="time">The clock of what no change has a time of, and the reader's zone.</param>
internal sealed class ScreenSession(SessionModel session, int first, IScreenTerminal terminal, IScreenDesk desk, Palette palette, TimeProvider time)
{
    // Messages ahead of what was sent: at most as many MiB.
    private const int MaxLinesAhead = 16;

    private readonly Lock _gate = new();
    private readonly Dictionary<int, Channel<InputLine>> _lines = [];
    private readonly List<ScreenPane> _panes = [];
    private readonly KeyDecoder _decoder = new();
    private readonly ScreenRenderer _renderer = new(palette);
    private readonly List<Key> _keys = [];
    private ScreenPane? _shown;
    private string _hint = "";
    private long _lastEvent;
    private bool _hasEnded;

    /// <summary>What was typed for all in a room; ends where somebody wants to leave it.</summary>
    /// <param name="room">Its number in the session.</param>
    public ChannelReader<InputLine> LinesOf(int room) => ChannelOf(room).Reader;

    /// <summary>Ends behind the frame that shows the first room's end.</summary>
    public async Task RunAsync()
    {
        try
        {
            await ShowAsync();
        }
        finally
        {
            // Without a screen nobody can leave.
            EndLines();
        }
    }

    private async Task ShowAsync()
    {
        var snapshot = session.Snapshot();
        _lastEvent = snapshot.LastEvent;
        foreach (var room in snapshot.Rooms) Open(room);
        if (_panes.Find(pane => pane.Number == first) is not { } main) return;
        var hasInput = terminal.Input.WaitToReadAsync().AsTask();
        var hasNews = session.WaitAfterAsync(_lastEvent, CancellationToken.None);
        while (true)
        {
            Follow();
            while (terminal.Input.TryRead(out var input))
            {
                // What happened before it was typed is known to it.
                Follow();
                Handle(input);
            }
            Draw();
            if (_renderer.IsBehind) continue;
            if (TryCloseCall()) continue;
            if (main.View.IsClosed)
            {
                if (main == _shown) return;
                Turn(main);
                continue;
            }
            if (hasNews.IsCompleted) hasNews = session.WaitAfterAsync(_lastEvent, CancellationToken.None);
            if (await Task.WhenAny(hasInput, hasNews) == hasNews) continue;
            if (await hasInput)
            {
                hasInput = terminal.Input.WaitToReadAsync().AsTask();
                continue;
            }
            // Nobody types any more: it goes on until the others, or a signal, end it.
            EndLines();
            await hasNews;
        }
    }

    private void Draw()
    {
        var shown = _shown!;
        var frame = _renderer.Render(new ScreenState(shown.View, shown.Editor, _hint) { Others = [.. _panes.Where(pane => pane != shown).Select(pane => pane.View)] }, terminal.Size);
        if (!frame.IsEmpty) terminal.Write(frame, _renderer.Leave);
    }

    private void Follow()
    {
        if (session.TryReadAfter(_lastEvent, out var events))
        {
            foreach (var published in events)
            {
                _lastEvent = published.Number;
                if (published.Change is SessionChange.RoomOpened opened) Open(opened.Room);
                if (_panes.Find(pane => pane.Number == published.Room) is not { } pane) continue;
                pane.View.Apply(published.Change);
                if (published.Change is SessionChange.QuestionAsked) Turn(pane);
            }
            return;
        }
        var snapshot = session.Snapshot();
        _lastEvent = snapshot.LastEvent;
        foreach (var pane in _panes)
        {
            if (snapshot.Rooms.FirstOrDefault(room => room.Number == pane.Number) is { } current) pane.View.CatchUp(current);
            else pane.View.Apply(new SessionChange.RoomClosed());
        }
        foreach (var room in snapshot.Rooms.Where(room => _panes.TrueForAll(pane => pane.Number != room.Number))) Open(room);
    }

    private void Open(RoomSnapshot room)
    {
        var view = new RoomView(room, time);
        var pane = new ScreenPane(room.Number, view, new LineEditor(() => view.Members.Select(MemberText.Name)), ChannelOf(room.Number).Writer);
        _panes.Add(pane);
        // Its first line says whose it is.
        Turn(pane, announces: false);
    }

    // What is over is read to its end, whatever was in view.
    private bool TryCloseCall()
    {
        if (_panes.Find(pane => pane.View.IsClosed && pane.Number != first) is not { } over) return false;
        if (over != _shown)
        {
            Turn(over);
            return true;
        }
        _panes.Remove(over);
        _hint = "";
        _renderer.Forget(over.View);
        lock (_gate) _lines.Remove(over.Number);
        Turn(_panes[^1]);
        return true;
    }

    private void Turn(ScreenPane pane, bool announces = true)
    {
        if (pane == _shown) return;
        _shown?.View.Attend(looks: false);
        if (announces) pane.View.Announce();
        pane.View.Attend(looks: true);
        _shown = pane;
    }

    private void Handle(TerminalInput input)
    {
        switch (input)
        {
            case TerminalInput.Resumed:
                _renderer.Reopen();
                break;
            case TerminalInput.Bytes bytes:
                _keys.Clear();
                _decoder.Decode(bytes.Value.Span, _keys);
                foreach (var key in _keys) _hint = Handle(key, _shown!);
                break;
        }
    }

    /// <returns>A hint.</returns>
    private string Handle(Key key, ScreenPane pane)
    {
        pane.View.Attend(looks: key.Meaning != KeyMeaning.FocusOut);
        switch (key.Meaning)
        {
            case KeyMeaning.FocusIn or KeyMeaning.FocusOut:
                return _hint;
            case KeyMeaning.Redraw:
                _renderer.Invalidate();
                return "";
        }
        switch (pane.Editor.Apply(key))
        {
            case EditOutcome.Submitted:
                return Submit(pane);
            case EditOutcome.Ended:
                return Leave(pane);
            case EditOutcome.TooLong:
                return "A message has at most 1 MiB.";
            default:
                return "";
        }
    }

    private string Submit(ScreenPane pane)
    {
        var text = pane.Editor.Take();
        if (text.AsSpan().Trim().IsEmpty) return "";
        switch (ScreenCommand.Read(text, pane.View))
        {
            case ScreenCommand.Say say when !pane.Lines.TryWrite(new InputLine(say.Text, say.Text.Length)):
                pane.Editor.Set(text);
                return pane.IsLeaving ? "Leaving: nothing goes out any more." : "Too much is on its way already: Enter again, later.";
            case ScreenCommand.Answer answer:
                pane.View.Answer(answer.Text);
                break;
            case ScreenCommand.Verify chosen:
                pane.View.Answer(desk.Verify(chosen.Member.Peer) ?? $"{MemberText.Name(chosen.Member)} is verified: you compared.");
                break;
            case ScreenCommand.Block chosen:
                pane.View.Answer(desk.Block(chosen.Member.Peer, chosen.IsBlocked) ?? $"{MemberText.Name(chosen.Member)} is {(chosen.IsBlocked ? "blocked: nothing goes to it, and nothing comes from it" : "not blocked any more")}.");
                break;
            case ScreenCommand.Call call when desk.Call(call.Peer) is { } problem:
                pane.View.Answer(problem);
                break;
            case ScreenCommand.ShowRoom chosen:
                return ShowRoom(chosen.Number, pane);
            case ScreenCommand.Quit:
                return Leave(pane);
        }
        return "";
    }

    private string ShowRoom(int? number, ScreenPane pane)
    {
        if (number is { } index && index >= 1 && index <= _panes.Count)
        {
            Turn(_panes[index - 1]);
            return "";
        }
        var rooms = _panes.Select((one, index) => $"\n{index + 1}  {one.View.Name}{(one == pane ? ", in view" : one.View.Unread > 0 ? $", {one.View.Unread} new" : "")}");
        pane.View.Answer($"{(number is null ? "" : $"There is no room {number}. ")}Rooms and calls; /room and a number turns to one:{string.Concat(rooms)}");
        return "";
    }

    private static string Leave(ScreenPane pane)
    {
        pane.IsLeaving = true;
        pane.Lines.TryComplete();
        return "Leaving when all has arrived; Ctrl+C leaves at once.";
    }

    private Channel<InputLine> ChannelOf(int room)
    {
        lock (_gate)
        {
            if (!_lines.TryGetValue(room, out var lines))
            {
                _lines[room] = lines = Channel.CreateBounded<InputLine>(new BoundedChannelOptions(MaxLinesAhead) { SingleReader = true, SingleWriter = true });
                if (_hasEnded) lines.Writer.Complete();
            }
            return lines;
        }
    }

    private void EndLines()
    {
        lock (_gate)
        {
            _hasEnded = true;
            foreach (var lines in _lines.Values) lines.Writer.TryComplete();
        }
    }
}
