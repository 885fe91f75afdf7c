using System.Threading.Channels;
using Punchline.Cli.Chat;
using Punchline.Cli.Session;

namespace Punchline.Cli.Screen;

/// <summary>A room that this process's terminal shows for as long as this lasts.</summary>
internal sealed class FullScreen : IAsyncDisposable
{
    private readonly IScreenTerminal _terminal;
    private readonly SessionModel _session;
    private readonly ScreenSession _screen;
    private readonly Task _running;

    private FullScreen(IScreenTerminal terminal, SessionModel session, string room, PeerId self, string name)
    {
        _terminal = terminal;
        _session = session;
        Room = session.Open(room, self, name, new NoticeOutput(this));
        _screen = new ScreenSession(session, Room.Number, terminal, Verify, Block, new Palette(Terminal.HasColours), TimeProvider.System);
        _running = Task.Run(_screen.RunAsync);
    }

    /// <summary>What is told of the room.</summary>
    public RoomModel Room { get; }

    /// <summary>What was typed; ends where its user wants to leave.</summary>
    public ChannelReader<InputLine> Lines => _screen.Lines;

    /// <summary>Opens a room in a session; null: this is no terminal for it, and nothing was opened.</summary>
    /// <param name="session">Has no such room yet.</param>
    /// <param name="room">The room's name.</param>
    /// <param name="self">This peer.</param>
    /// <param name="name">What this peer calls itself.</param>
    public static FullScreen? TryStart(SessionModel session, string room, PeerId self, string name) =>
        OperatingSystem.IsLinux() && LinuxTerminal.TryOpen() is { } terminal ? new FullScreen(terminal, session, room, self, name) : null;

    public async ValueTask DisposeAsync()
    {
        try
        {
            // Where something failed before the chat began; else it is over already.
            Room.ShowEnded();
            await _running;
        }
        finally
        {
            _terminal.Dispose();
        }
    }

    private string? Verify(PeerId peer)
    {
        try
        {
            return _session.Verify(peer) ? null : "This peer is not remembered, so there is nothing to note.";
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return $"It could not be noted: {exception.Message}";
        }
    }

    private string? Block(PeerId peer, bool isBlocked)
    {
        try
        {
            _session.Block(peer, isBlocked);
            return null;
        }
        catch (Exception exception) when (exception is InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            return $"It could not be done: {exception.Message}";
        }
    }

    // The screen reads the session. What that has no data of is a notice there.
    private sealed class NoticeOutput(FullScreen screen) : IChatOutput
    {
        private readonly RoomNarrator _narrator = new();

        public void ShowReady(PeerId self, string name, string room)
        {
        }

        public void Show(RoomEvent roomEvent)
        {
            if (_narrator.Tell(roomEvent) is { } sentence && roomEvent is RoomEvent.DhtSearched) screen.Room.Notice(sentence);
        }

        public void Notice(string text)
        {
        }
    }
}
