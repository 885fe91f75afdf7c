using System.Threading.Channels;
using Punchline.Cli.Chat;
using Punchline.Cli.Session;

namespace Punchline.Cli.Screen;

/// <summary>
/// A room on a terminal, until it is over: what is typed goes out as lines, what happens comes from the <see cref="SessionModel"/>, and
/// whatever there was of both since the last frame is in the next.
/// </summary>
/// <param name="session">Has the room.</param>
/// <param name="room">The room's number.</param>
/// <param name="terminal">The terminal.</param>
/// <param name="verify">Notes that a member's id was compared, and says in the session that it was; returns why it cannot, or null.</param>
/// <param name="block">Blocks a member, or does so no more; returns why it cannot, or null.</param>
/// <param name="palette">How things look.</param>
/// <param name="time">The clock.</param>
internal sealed class ScreenSession(SessionModel session, int room, IScreenTerminal terminal, Func<PeerId, string?> verify, Func<PeerId, bool, string?> block, Palette palette, TimeProvider time)
{
    // Messages ahead of what was sent: at most as many MiB.
    private const int MaxLinesAhead = 16;

    private readonly Channel<InputLine> _lines = Channel.CreateBounded<InputLine>(new BoundedChannelOptions(MaxLinesAhead) { SingleReader = true, SingleWriter = true });
    private readonly KeyDecoder _decoder = new();
    private readonly ScreenRenderer _renderer = new(palette);
    private readonly List<Key> _keys = [];
    private long _lastEvent;

    /// <summary>What was typed for all; ends where somebody wants to leave.</summary>
    public ChannelReader<InputLine> Lines => _lines.Reader;

    /// <summary>Ends behind the frame that shows the room's end.</summary>
    public async Task RunAsync()
    {
        try
        {
            await ShowAsync();
        }
        finally
        {
            // Without a screen nobody can leave.
            _lines.Writer.TryComplete();
        }
    }

    private async Task ShowAsync()
    {
        var snapshot = session.Snapshot();
        if (snapshot.Rooms.FirstOrDefault(one => one.Number == room) is not { } first) return;
        _lastEvent = snapshot.LastEvent;
        var view = new RoomView(first, time);
        var editor = new LineEditor(() => view.Members.Select(MemberText.Name));
        var state = new ScreenState(view, editor, "");
        var hasInput = terminal.Input.WaitToReadAsync().AsTask();
        var hasNews = session.WaitAfterAsync(_lastEvent, CancellationToken.None);
        while (true)
        {
            Follow(view);
            while (terminal.Input.TryRead(out var input)) state = Handle(input, state);
            var frame = _renderer.Render(state, terminal.Size);
            if (!frame.IsEmpty) terminal.Write(frame, _renderer.Leave);
            if (_renderer.IsBehind) continue;
            if (view.IsClosed) return;
            if (hasNews.IsCompleted) hasNews = session.WaitAfterAsync(_lastEvent, CancellationToken.None);
            if (await Task.WhenAny(hasInput, hasNews) == hasNews) continue;
            if (await hasInput)
            {
                hasInput = terminal.Input.WaitToReadAsync().AsTask();
                continue;
            }
            // Nobody types any more: it goes on until the others, or a signal, end it.
            _lines.Writer.TryComplete();
            await hasNews;
        }
    }

    private void Follow(RoomView view)
    {
        if (session.TryReadAfter(_lastEvent, out var events))
        {
            foreach (var published in events)
            {
                if (published.Room == room) view.Apply(published.Change);
                _lastEvent = published.Number;
            }
            return;
        }
        var snapshot = session.Snapshot();
        _lastEvent = snapshot.LastEvent;
        if (snapshot.Rooms.FirstOrDefault(one => one.Number == room) is { } current) view.CatchUp(current);
        else view.Apply(new SessionChange.RoomClosed());
    }

    private ScreenState Handle(TerminalInput input, ScreenState state)
    {
        switch (input)
        {
            case TerminalInput.Resumed:
                _renderer.Reopen();
                break;
            case TerminalInput.Bytes bytes:
                _keys.Clear();
                _decoder.Decode(bytes.Value.Span, _keys);
                foreach (var key in _keys) state = state with { Hint = Handle(key, state) };
                break;
        }
        return state;
    }

    /// <returns>A hint.</returns>
    private string Handle(Key key, ScreenState state)
    {
        state.Room.Attend(looks: key.Meaning != KeyMeaning.FocusOut);
        switch (key.Meaning)
        {
            case KeyMeaning.FocusIn or KeyMeaning.FocusOut:
                return state.Hint;
            case KeyMeaning.Redraw:
                _renderer.Invalidate();
                return "";
        }
        switch (state.Editor.Apply(key))
        {
            case EditOutcome.Submitted:
                return Submit(state);
            case EditOutcome.Ended:
                return Leave();
            case EditOutcome.TooLong:
                return "A message has at most 1 MiB.";
            default:
                return "";
        }
    }

    private string Submit(ScreenState state)
    {
        var text = state.Editor.Take();
        if (text.AsSpan().Trim().IsEmpty) return "";
        switch (ScreenCommand.Read(text, state.Room))
        {
            case ScreenCommand.Say say when !_lines.Writer.TryWrite(new InputLine(say.Text, say.Text.Length)):
                state.Editor.Set(text);
                return _lines.Reader.Completion.IsCompleted ? "Leaving: nothing goes out any more." : "Too much is on its way already: Enter again, later.";
            case ScreenCommand.Answer answer:
                state.Room.Answer(answer.Text);
                break;
            case ScreenCommand.Verify chosen:
                state.Room.Answer(verify(chosen.Member.Peer) ?? $"{MemberText.Name(chosen.Member)} is verified: you compared.");
                break;
            case ScreenCommand.Block chosen:
                state.Room.Answer(block(chosen.Member.Peer, chosen.IsBlocked) ?? $"{MemberText.Name(chosen.Member)} is {(chosen.IsBlocked ? "blocked: nothing goes to it, nothing is taken from it, and its calls are refused" : "not blocked any more")}.");
                break;
            case ScreenCommand.Quit:
                return Leave();
        }
        return "";
    }

    private string Leave()
    {
        _lines.Writer.TryComplete();
        return "Leaving when all has arrived; Ctrl+C leaves at once.";
    }
}
