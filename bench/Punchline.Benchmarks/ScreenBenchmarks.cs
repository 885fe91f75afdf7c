using System.Buffers;
using System.Net;
using System.Text;
using BenchmarkDotNet.Attributes;
using Punchline.Cli.Screen;
using Punchline.Cli.Session;

namespace Punchline.Benchmarks;

/// <summary>
/// A frame of the full-screen terminal, of 200 × 50 cells, with 10,000 messages in the log and 64 members. The reference is one encoding of as many
/// characters as such a screen has.
/// </summary>
public class ScreenBenchmarks
{
    private const int Members = 64;

    private static readonly ScreenSize Size = new(200, 50);
    private static readonly PeerPath Path = new(PathKind.Direct, PathTransport.Udp, IPEndPoint.Parse("192.168.1.10:5000"), IPEndPoint.Parse("203.0.113.1:6000"));
    private static readonly TimeSpan RoundTrip = TimeSpan.FromMilliseconds(20);

    private readonly string _text = new('x', Size.Columns * Size.Rows);
    private readonly ArrayBufferWriter<byte> _bytes = new();
    private readonly ScreenRenderer _renderer = new(new Palette(hasColours: true));
    private readonly ScreenState _state;
    private readonly ScreenState _longState;
    private long _entry = RoomLog.MaxEntries;

    public ScreenBenchmarks()
    {
        var members = Enumerable.Range(1, Members).Select(number => new MemberSnapshot(Id(number), $"member-{number}", TrustMark.New, MemberState.Connected, Path, RoundTrip, []));
        var log = Enumerable.Range(1, RoomLog.MaxEntries).Select(number => (LogEntry)Message(number));
        var room = new RoomView(new RoomSnapshot(1, "lounge", Id(0), "me", ServerState.Connected, [.. members], [.. log], IsOver: false), TimeProvider.System);
        _state = new ScreenState(room, new LineEditor(() => []), "");
        _longState = _state with { Editor = new LineEditor(() => []) };
        _longState.Editor.Set(new string('x', Room.MaxMessageBytes - 1));
        do _renderer.Render(_state, Size);
        while (_renderer.IsBehind);
    }

    [Benchmark(Baseline = true)]
    public long Reference()
    {
        _bytes.ResetWrittenCount();
        return Encoding.UTF8.GetBytes(_text, _bytes);
    }

    /// <summary>A character in the input, and away again: two frames.</summary>
    [Benchmark]
    public int TwoKeys()
    {
        _state.Editor.Apply(new Key(KeyMeaning.Text, "x"));
        var length = _renderer.Render(_state, Size).Length;
        _state.Editor.Apply(new Key(KeyMeaning.DeleteBefore));
        return length + _renderer.Render(_state, Size).Length;
    }

    /// <summary>The same behind as much as a message may have, which was pasted.</summary>
    [Benchmark]
    public int TwoKeysInAMebibyte()
    {
        _longState.Editor.Apply(new Key(KeyMeaning.Text, "x"));
        var length = _renderer.Render(_longState, Size).Length;
        _longState.Editor.Apply(new Key(KeyMeaning.DeleteBefore));
        return length + _renderer.Render(_longState, Size).Length;
    }

    /// <summary>A message comes, and the oldest goes.</summary>
    [Benchmark]
    public int NextMessage()
    {
        _state.Room.Apply(new SessionChange.LogChanged(Message(++_entry)));
        return _renderer.Render(_state, Size).Length;
    }

    /// <summary>All of the screen.</summary>
    [Benchmark]
    public int WholeScreen()
    {
        _renderer.Invalidate();
        return _renderer.Render(_state, Size).Length;
    }

    private static PeerId Id(int number) => new([(byte)number, .. new byte[PeerId.ByteLength - 1]]);

    private static LogEntry.Received Message(long number) =>
        new(number, DateTimeOffset.UnixEpoch, $"message {number}, as long as people's messages in a room of many members usually are, or a little longer", Id((int)(number % Members) + 1), "member", (ulong)number);
}
