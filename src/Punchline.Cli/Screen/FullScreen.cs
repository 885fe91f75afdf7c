using System.Threading.Channels;
using Punchline.Cli.Chat;
using Punchline.Cli.Session;

namespace Punchline.Cli.Screen;

/// <summary>A room that this process's terminal shows for as long as this lasts, and the calls beside it.</summary>
internal sealed class FullScreen : IScreenDesk, IAsyncDisposable
{
    private readonly IScreenTerminal _terminal;
    private readonly SessionModel _session;
    private readonly PeerId _self;
    private readonly string _name;
    private readonly ScreenSession _screen;
    private readonly Task _running;
    private volatile Func<string, string?>? _dial;

    private FullScreen(IScreenTerminal terminal, SessionModel session, string room, PeerId self, string name)
    {
        _terminal = terminal;
        _session = session;
        _self = self;
        _name = name;
        var view = new NoticeOutput();
        Room = view.Room = session.Open(room, self, name, view);
        _screen = new ScreenSession(session, Room.Number, terminal, this, new Palette(Terminal.HasColours), TimeProvider.System);
        _running = Task.Run(_screen.RunAsync);
    }

    /// <summary>What is told of the first room, with which the screen ends.</summary>
    public RoomModel Room { get; }

    /// <summary>What was typed in that; ends where its user wants to leave.</summary>
    public ChannelReader<InputLine> Lines => _screen.LinesOf(Room.Number);

    /// <summary>Opens a room in a session; null: this is no terminal for it, and nothing was opened.</summary>
    /// <param name="session">Has no room yet.</param>
    /// <param name="room">The room's name.</param>
    /// <param name="self">This peer.</param>
    /// <param name="name">What this peer calls itself.</param>
    public static FullScreen? TryStart(SessionModel session, string room, PeerId self, string name) =>
        OperatingSystem.IsLinux() && LinuxTerminal.TryOpen() is { } terminal ? new FullScreen(terminal, session, room, self, name) : null;

    /// <summary>One room more, which is in view at once.</summary>
    /// <param name="room">The room's name.</param>
    /// <returns>What is told of it, and what is typed in it.</returns>
    /// <exception cref="InvalidOperationException">The session has <see cref="SessionModel.MaxRooms"/>.</exception>
    public (RoomModel Room, ChannelReader<InputLine> Lines) OpenRoom(string room)
    {
        var view = new NoticeOutput();
        var model = view.Room = _session.Open(room, _self, _name, view);
        return (model, _screen.LinesOf(model.Number));
    }

    /// <summary>From now on its user can call others.</summary>
    /// <param name="dial">Calls somebody as typed; returns why that cannot be, or null.</param>
    public void AllowCalls(Func<string, string?> dial) => _dial = dial;

    public string? Verify(PeerId peer)
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

    public string? Block(PeerId peer, bool isBlocked)
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

    public string? Call(string peer) => _dial is { } dial ? dial(peer) : "Not yet: this is still starting.";

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

    // The screen reads the session. What that has no data of is a notice there.
    private sealed class NoticeOutput : IChatOutput
    {
        private readonly RoomNarrator _narrator = new();

        public RoomModel? Room { get; set; }

        public void ShowReady(PeerId self, string name, string room)
        {
        }

        public void Show(RoomEvent roomEvent)
        {
            if (_narrator.Tell(roomEvent) is { } sentence && roomEvent is RoomEvent.DhtSearched) Room?.Notice(sentence);
        }

        public void Notice(string text)
        {
        }
    }
}
