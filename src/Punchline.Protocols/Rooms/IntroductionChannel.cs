using System.Diagnostics.CodeAnalysis;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Rooms;

/// <summary>
/// What we and one connected member tell each other of the room's members, a stream each way. Ours opens with the first word, so a room of two has none.
/// Of what waits to be sent the newest word about each counts.
/// </summary>
internal sealed class IntroductionChannel
{
    /// <summary>Introductions that a member may make: more in a second are passed over, and come again.</summary>
    public const double IntroductionsPerSecond = 16;

    /// <summary>As many at once as a room has members.</summary>
    public const int IntroductionsAtOnce = IntroductionFrame.MaxConnected;

    private readonly OrderedDictionary<PeerId, byte[]> _waiting = [];
    private readonly Queue<IntroductionBlob> _heard = new();
    private readonly Dictionary<PeerId, (IntroductionBlob Introduction, Endpoint? SeenAt, Timestamp At)> _told = [];
    private ChatFrameReader _frames = new(IntroductionFrame.MaxBodyBytes);
    private readonly Pacer _incomingPacer = new(IntroductionsPerSecond, IntroductionsAtOnce);
    private readonly Pacer _outgoingPacer = new(IntroductionsPerSecond, IntroductionsAtOnce);
    private Connection? _connection;
    private StreamId? _outgoing;
    private StreamId? _incoming;
    private HashSet<ulong> _connected = [];
    private HashSet<ulong> _toldConnected = [];
    private byte[]? _connectedFrame;
    private byte[]? _selfFrame;
    private byte[] _writing = [];
    private int _written;

    /// <summary>Whom the member says it is connected to, by <see cref="PortOffer.TargetOf"/>.</summary>
    public IReadOnlySet<ulong> Connected => _connected;

    public void Attach(Connection connection)
    {
        Detach();
        _connection = connection;
    }

    public void Detach()
    {
        _connection = null;
        (_outgoing, _incoming) = (null, null);
        (_connected, _toldConnected) = ([], []);
        (_connectedFrame, _selfFrame, _writing, _written) = (null, null, [], 0);
        _waiting.Clear();
        _heard.Clear();
        _told.Clear();
        _frames = new ChatFrameReader(IntroductionFrame.MaxBodyBytes);
    }

    /// <summary>The member opened its stream. False where it has one already, or may have none.</summary>
    public bool TryAccept(StreamId stream)
    {
        if (_connection is null || _incoming is not null) return false;
        _incoming = stream;
        return true;
    }

    /// <summary>Whether a stream of the present connection is the channel's: ours, or the member's.</summary>
    public bool Owns(StreamId stream) => _connection is not null && (stream == _outgoing || stream == _incoming);

    /// <summary>Tells to whom we are connected, where that is news.</summary>
    public void TellConnected(IReadOnlyCollection<ulong> targets)
    {
        if (_connection is null || _toldConnected.SetEquals(targets)) return;
        _toldConnected = [.. targets];
        _connectedFrame = IntroductionFrame.WriteConnected(_toldConnected);
        Pump();
    }

    /// <summary>Tells what we say of ourselves, for the member to pass on.</summary>
    public void TellSelf(IntroductionBlob introduction)
    {
        if (_connection is null) return;
        _selfFrame = IntroductionFrame.WriteSelf(introduction);
        Pump();
    }

    /// <summary>Introduces another member, unless it was told the same less than <paramref name="retellAfter"/> ago.</summary>
    /// <returns>When to come back: for the next telling of the same, or because there were too many at once.</returns>
    public Timestamp Introduce(IntroductionBlob introduction, Endpoint? seenAt, TimeSpan retellAfter, Timestamp now)
    {
        if (_connection is null) return Timestamp.Never;
        if (_told.TryGetValue(introduction.Id, out var told) && ReferenceEquals(told.Introduction, introduction) && told.SeenAt == seenAt && now < told.At + retellAfter)
            return told.At + retellAfter;
        if (!_outgoingPacer.TryTake(now)) return _outgoingPacer.NextAllowed(now);
        _told[introduction.Id] = (introduction, seenAt, now);
        _waiting[introduction.Id] = IntroductionFrame.WriteMember(introduction, seenAt);
        Pump();
        return now + retellAfter;
    }

    /// <summary>Forgets what was told of those who are no longer to be introduced.</summary>
    public void Forget(PeerId peer) => _told.Remove(peer);

    /// <summary>Bytes arrived on the member's stream. False where they break the protocol.</summary>
    public bool TryHandleReadable(Timestamp now)
    {
        if (_connection is not { } connection || _incoming is not { } stream) return true;
        while (true)
        {
            var read = connection.Read(stream, _frames.GetSpan(), out _);
            _frames.Advance(read);
            while (_frames.TryRead(out var type, out var body))
            {
                if (!TryHandleFrame(type, body, now)) return false;
            }
            if (_frames.IsMalformed) return false;
            if (read == 0) return true;
        }
    }

    /// <summary>Room returned in our stream's buffer.</summary>
    public void HandleWritable() => Pump();

    /// <summary>What the member said of itself, or of another.</summary>
    public bool TryDequeue([NotNullWhen(true)] out IntroductionBlob? introduction) => _heard.TryDequeue(out introduction);

    private bool TryHandleFrame(ulong type, ReadOnlySpan<byte> body, Timestamp now)
    {
        switch (type)
        {
            case IntroductionFrame.Connected:
                if (!IntroductionFrame.TryReadConnected(body, out var targets)) return false;
                _connected = targets;
                return true;
            case IntroductionFrame.Self or IntroductionFrame.Member:
                // What is more than our own side would send is not even read.
                if (!_incomingPacer.TryTake(now) || _heard.Count == IntroductionsAtOnce) return true;
                IntroductionBlob? introduction;
                if (!(type == IntroductionFrame.Self ? IntroductionBlob.TryRead(body, out introduction) : IntroductionFrame.TryReadMember(body, out introduction))) return false;
                _heard.Enqueue(introduction);
                return true;
            default:
                return true;
        }
    }

    private void Pump()
    {
        while (_connection is { } connection && (_written < _writing.Length || TryTakeFrame(out _writing)))
        {
            if (_outgoing is null)
            {
                if (!connection.TryOpenStream(IntroductionFrame.Protocol, StreamDirection.Unidirectional, out var stream)) return;
                _outgoing = stream;
            }
            var accepted = connection.Write(_outgoing.Value, _writing.AsSpan(_written));
            _written += accepted;
            if (_written < _writing.Length) return;
            (_writing, _written) = ([], 0);
        }
    }

    private bool TryTakeFrame(out byte[] frame)
    {
        if (_connectedFrame is { } connected)
        {
            (frame, _connectedFrame) = (connected, null);
            return true;
        }
        if (_selfFrame is { } self)
        {
            (frame, _selfFrame) = (self, null);
            return true;
        }
        frame = [];
        if (_waiting.Count == 0) return false;
        frame = _waiting.GetAt(0).Value;
        _waiting.RemoveAt(0);
        return true;
    }
}
