using System.Net;
using System.Text;
using Punchline.Cli.Chat;
using Punchline.Cli.Screen;
using Punchline.Cli.Session;

namespace Punchline.Cli.Tests.Screen;

/// <summary>A room, its screen, and a terminal that shows it.</summary>
internal sealed class Stage
{
    public static readonly PeerId Ann = Id(1);
    public static readonly PeerId Bob = Id(2);
    public static readonly PeerPath Direct = new(PathKind.Direct, PathTransport.Udp, IPEndPoint.Parse("192.168.1.10:5000"), IPEndPoint.Parse("203.0.113.1:6000"));
    public static readonly TimeSpan RoundTrip = TimeSpan.FromMilliseconds(20);

    private readonly SessionModel _session;
    private readonly KeyDecoder _decoder = new();
    private long _lastEvent;

    public Stage(int columns = 80, int rows = 24, bool hasColours = false)
    {
        _session = new SessionModel(Clock);
        Model = _session.Open("lounge", Ann, "ann", new PlainOutput(TextWriter.Null, TextWriter.Null));
        var snapshot = _session.Snapshot();
        _lastEvent = snapshot.LastEvent;
        Room = new RoomView(snapshot.Rooms[0], Clock);
        Editor = new LineEditor(() => Room.Members.Select(MemberText.Name));
        Renderer = new ScreenRenderer(new Palette(hasColours));
        Terminal = new VirtualTerminal(columns, rows);
    }

    public SetClock Clock { get; } = new();

    public RoomModel Model { get; }

    public RoomView Room { get; }

    public LineEditor Editor { get; }

    public ScreenRenderer Renderer { get; }

    public VirtualTerminal Terminal { get; }

    /// <summary>The rows above the bar, as far as they are filled.</summary>
    public IReadOnlyList<string> Log => [.. Terminal.Screen.Take(Terminal.RegionRows).Reverse().SkipWhile(row => row.Length == 0).Reverse()];

    public IReadOnlyList<string> Bottom => [.. Terminal.Screen.Skip(Terminal.RegionRows)];

    public static PeerId Id(byte number) => new([number, .. new byte[31]]);

    public void Type(string text)
    {
        List<Key> keys = [];
        _decoder.Decode(Encoding.UTF8.GetBytes(text), keys);
        foreach (var key in keys)
        {
            Room.Attend(key.Meaning != KeyMeaning.FocusOut);
            Editor.Apply(key);
        }
    }

    public void Connect(byte number, string name)
    {
        Model.Show(new RoomEvent.Joined(Id(number), name));
        Model.Show(new RoomEvent.Connected(Id(number), name, Direct, RoundTrip, RoundTrip));
    }

    /// <summary>Messages of Bob's: x1, x2 and so on.</summary>
    public void Say(int first, int last)
    {
        for (var number = first; number <= last; number++) Model.Show(new RoomEvent.Message(Bob, "bob", (ulong)number, $"x{number}"));
    }

    /// <summary>What happened is drawn.</summary>
    /// <returns>How many bytes it took.</returns>
    public int Draw()
    {
        Assert.True(_session.TryReadAfter(_lastEvent, out var events));
        foreach (var published in events)
        {
            Room.Apply(published.Change);
            _lastEvent = published.Number;
        }
        var length = 0;
        do
        {
            var frame = Renderer.Render(new ScreenState(Room, Editor, ""), Terminal.Size);
            Terminal.Write(frame.Span);
            length += frame.Length;
        }
        while (Renderer.IsBehind);
        return length;
    }

    public void Resize(int columns, int rows)
    {
        Terminal.Resize(columns, rows);
        Draw();
    }

    internal sealed class SetClock : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = new(2026, 11, 28, 12, 34, 0, TimeSpan.Zero);

        public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
