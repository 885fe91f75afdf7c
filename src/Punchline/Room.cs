using System.Runtime.CompilerServices;
using System.Text;
using System.Threading.Channels;
using Punchline.Engine;
using Punchline.Protocols.Node;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Rooms;

namespace Punchline;

/// <summary>
/// A room that this peer is in, with others of the same name and secret or with the other side of a call: a direct, encrypted connection to every member that can be reached, and messages to all.
/// It goes on when the server dies. Programs that want streams or datagrams have them of <see cref="ConnectAsync"/> and <see cref="AcceptConnectionAsync"/>.
/// Thread-safe; events have one reader.
/// </summary>
public sealed partial class Room : IRoomObserver, IAsyncDisposable
{
    /// <summary>Bytes of a message in UTF-8, at most: 1 MiB.</summary>
    public const int MaxMessageBytes = ChatFrame.MaxTextBytes;

    // Beyond these, events wait in the node, and members' messages with the members.
    private const int MaxEvents = 1_024;

    private static readonly TimeSpan GoodbyeInterval = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan GoodbyeTimeout = TimeSpan.FromMilliseconds(200);

    private readonly NodeEngine _engine;
    private readonly Channel<RoomEvent> _events = Channel.CreateUnbounded<RoomEvent>();
    private readonly RoomUse _use;
    private readonly PeerId? _called;
    private readonly TaskCompletionSource _joined = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _gate = new();
    private TaskCompletionSource _progress = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ServerLink? _link;
    private Task? _leaving;
    private volatile bool _isOnLinks;
    private volatile bool _isStalled;

    private Room(NodeEngine engine, RoomUse use, string name, bool isOpen, string localMark, PeerId? called = null)
    {
        _engine = engine;
        _use = use;
        Name = name;
        IsOpen = isOpen;
        LocalMark = localMark;
        _called = called;
    }

    /// <summary>The room's name; of a call's, the other peer's id.</summary>
    public string Name { get; }

    /// <summary>The room has no secret: its server, and whoever guesses its name, can sit in the middle until fingerprints are compared.</summary>
    public bool IsOpen { get; }

    internal int Number { get; private set; }

    internal bool IsLeft => _leaving is { IsCompleted: true };

    /// <summary>What files of this machine call the room.</summary>
    internal string LocalMark { get; }

    bool IRoomObserver.HasRoom
    {
        get
        {
            _isStalled = _events.Reader.Count >= MaxEvents;
            return !_isStalled;
        }
    }

    /// <summary>What happens in the room, from joining it on; ends when it is left. One reader at a time.</summary>
    public async IAsyncEnumerable<RoomEvent> ReadEventsAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await foreach (var roomEvent in _events.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            // There is room again for what waits in the node.
            if (_isStalled && _events.Reader.Count <= MaxEvents / 2) TryRun((_, _) => true, false);
            yield return roomEvent;
        }
    }

    /// <summary>
    /// Sends a message to all members, connected or still being connected, and returns its number, which
    /// <see cref="RoomEvent.Delivered"/> names later. Waits while a member has too much unacknowledged.
    /// </summary>
    /// <exception cref="PunchlineException">The text is longer than <see cref="MaxMessageBytes"/>, or the room is left.</exception>
    /// <exception cref="OperationCanceledException">The caller's token; then nothing was sent.</exception>
    public async ValueTask<ulong> SendAsync(string text, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(text);
        var bytes = Encoding.UTF8.GetBytes(text);
        if (bytes.Length > MaxMessageBytes)
        {
            throw new PunchlineException(
                PunchlineError.InvalidInput, $"A message has at most {MaxMessageBytes} bytes in UTF-8 (1 MiB); this one has {bytes.Length}. Send it in parts, or as a file.");
        }
        while (true)
        {
            var progress = _progress.Task;
            var id = TryRun((node, now) => node.TrySend(Number, bytes, now, out var sequence) ? sequence : 0, 0UL);
            if (id != 0) return id;
            if (_leaving is not null) throw new PunchlineException(PunchlineError.Closed, "The room was left.");
            await progress.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Waits until every member to whom there is a way, or may be, has acknowledged every message.</summary>
    /// <exception cref="OperationCanceledException">The caller's token.</exception>
    public async ValueTask WaitForDeliveryAsync(CancellationToken cancellationToken = default)
    {
        while (true)
        {
            var progress = _progress.Task;
            if (TryRun((node, _) => node.CountUndelivered(Number), 0) == 0) return;
            await progress.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Leaves, telling the server and every member. What is not delivered by then is lost; see <see cref="WaitForDeliveryAsync"/>.</summary>
    public async ValueTask LeaveAsync(CancellationToken cancellationToken = default)
    {
        Task leaving;
        lock (_gate) leaving = _leaving ??= LeaveOnceAsync();
        await leaving.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Leaves, telling the server and every member.</summary>
    public ValueTask DisposeAsync() => LeaveAsync(CancellationToken.None);

    internal static Room Open(RoomOptions options, NodeEngine engine, RoomKeys keys)
    {
        var use = ProtocolNames.ToUse(options.Protocols, hasChat: true);
        var room = new Room(engine, use, options.Room, options.Secret.Length == 0, KnownPeers.MarkOf(keys));
        var allowed = options.AllowedPeers?.ToHashSet();
        room.Number = options.UseDht
            ? engine.OpenInDht((node, port, now) => node.OpenRoomInDht(keys, options.DisplayName, port, now, allowed, use), room)
            : engine.Open(node => node.OpenRoom(keys, options.DisplayName, allowed, use), room);
        return room;
    }

    /// <summary>Our call: a room once the peer takes it.</summary>
    /// <param name="options">Whom to call.</param>
    /// <param name="engine">The node's.</param>
    /// <param name="hasChat">False for one that is nothing but its connection, and ends with it.</param>
    internal static Room Call(CallOptions options, NodeEngine engine, bool hasChat)
    {
        var use = ProtocolNames.ToUse(options.Protocols, hasChat);
        var room = new Room(engine, use, options.Peer.ToString(), isOpen: false, KnownPeers.CallsMark, options.Peer);
        room.Number = options.UseDht
            ? engine.OpenInDht((node, port, now) => node.OpenCallInDht(options.Peer, options.DisplayName, port, now, use), room)
            : engine.Open(node => node.OpenCall(options.Peer, options.DisplayName, use), room);
        return room;
    }

    /// <summary>A call that came in. Null: it rings no more.</summary>
    internal static Room? Take(PeerId caller, int inbox, int call, RoomUse use, NodeEngine engine)
    {
        var room = new Room(engine, use, caller.ToString(), isOpen: false, KnownPeers.CallsMark);
        if (engine.TryAcceptCall(inbox, call, use, room) is not { } number) return null;
        room.Number = number;
        return room;
    }

    /// <summary>Its members on this machine's links are looked for as well, and are as good as any.</summary>
    internal void ShowOnLinks(bool hasServer)
    {
        _isOnLinks = true;
        _engine.ShowOnLinks(Number, hasServer);
    }

    /// <summary>Returns when the DHT has answered, a member on a link is connected, or the peer has taken our call.</summary>
    internal Task StartInDhtAsync(CancellationToken cancellationToken) => _joined.Task.WaitAsync(cancellationToken);

    internal async Task StartAsync(ServerLink link, CancellationToken cancellationToken)
    {
        _link = link;
        // It may go on behind the join, and ends with the link.
        _ = StartAsync(link);
        await _joined.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task StartAsync(ServerLink link)
    {
        try
        {
            // Where members may be on our own network, no server is no end.
            if (await link.StartAsync(CancellationToken.None, goesOn: _isOnLinks).ConfigureAwait(false) is not { } failure) return;
            _events.Writer.TryWrite(new RoomEvent.ServerChanged(ServerState.Lost) { Reason = failure.Message });
            _joined.TrySetResult();
        }
        catch (CoordinationConnectException exception)
        {
            _joined.TrySetException(exception.ToPunchlineException());
        }
        catch (Exception exception) when (exception is OperationCanceledException or ObjectDisposedException)
        {
            // The room is left already.
        }
    }

    void IRoomObserver.OnServerMessage(ReadOnlyMemory<byte> utf8) => _link?.Send(utf8);

    void IRoomObserver.OnServerOver() => _link?.GiveUp();

    void IRoomObserver.OnEvent(NodeEvent nodeEvent)
    {
        switch (nodeEvent)
        {
            case NodeEvent.ServerJoined when _called is null:
            case NodeEvent.CallTaken:
            case NodeEvent.DhtAsked:
            case NodeEvent.Connected when _isOnLinks:
                _joined.TrySetResult();
                break;
            case NodeEvent.DhtSilent:
                _joined.TrySetException(new PunchlineException(PunchlineError.DhtUnreachable, DhtLinkOptions.SilenceOf(_engine.DhtBootstrapHosts)));
                break;
            case NodeEvent.CallEnded ended:
                _joined.TrySetException(CallFailure.Of(ended.Peer, ended.Ending));
                break;
            case NodeEvent.ServerRefused refused:
                _joined.TrySetException(new PunchlineException(PunchlineError.ServerRefused, $"The server refused: {refused.Message} ({refused.Code})"));
                break;
            case NodeEvent.ServerReplaced:
                _joined.TrySetException(new PunchlineException(PunchlineError.Closed, "Another process of this peer calls the same peer."));
                break;
            case NodeEvent.ServerLost:
                // A call goes on ringing, at the next server if need be.
                if (_called is null) _joined.TrySetException(new PunchlineException(PunchlineError.ServerUnreachable, "The server was lost before it let us in."));
                break;
        }
        if (nodeEvent is NodeEvent.MessageDelivered or NodeEvent.MemberLeft or NodeEvent.Failed) SignalProgress();
        // Nobody reads them of a room that is nothing but its connection.
        if (_use.HasChat && Translate(nodeEvent) is { } roomEvent) _events.Writer.TryWrite(roomEvent);
    }

    private async Task LeaveOnceAsync()
    {
        await Task.Yield();
        TryRun((node, now) =>
        {
            node.LeaveRoom(Number, now);
            return true;
        }, false);
        var stopping = _link?.DisposeAsync().AsTask() ?? Task.CompletedTask;
        // A goodbye may be lost on its way, so it is repeated for a moment.
        for (var waited = TimeSpan.Zero; waited < GoodbyeTimeout && TryRun((node, _) => node.IsClosing(Number), false); waited += GoodbyeInterval)
        {
            await Task.Delay(GoodbyeInterval).ConfigureAwait(false);
        }
        await stopping.ConfigureAwait(false);
        TryRun((_, _) => true, false);
        try
        {
            _engine.CloseRoom(Number);
        }
        catch (ObjectDisposedException)
        {
            // The node went first.
        }
        EndConnections(Ending.NodeClosed);
        _joined.TrySetException(new PunchlineException(PunchlineError.Closed, "The room was left."));
        // Seen by whoever joins; nobody may be.
        _ = _joined.Task.Exception;
        _events.Writer.TryComplete();
        SignalProgress();
    }

    private T TryRun<T>(Func<NodeCore, Timestamp, T> command, T otherwise)
    {
        try
        {
            return _engine.Run(command);
        }
        catch (ObjectDisposedException)
        {
            return otherwise;
        }
    }

    private void SignalProgress() =>
        Interlocked.Exchange(ref _progress, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();

    private static AddressOrigin OriginOf(TrialKind kind) => kind switch
    {
        TrialKind.Interface => AddressOrigin.Interface,
        TrialKind.Mapped => AddressOrigin.Mapped,
        TrialKind.Offered => AddressOrigin.Opened,
        TrialKind.Observed => AddressOrigin.Observed,
        _ => AddressOrigin.Outside,
    };

    private RoomEvent? Translate(NodeEvent nodeEvent) => nodeEvent switch
    {
        NodeEvent.ServerJoined => new RoomEvent.ServerChanged(ServerState.Connected),
        NodeEvent.ServerLost or NodeEvent.ServerRefused => new RoomEvent.ServerChanged(ServerState.Lost),
        NodeEvent.ServerReplaced => new RoomEvent.ServerChanged(ServerState.Replaced),
        NodeEvent.DhtAsked asked => new RoomEvent.DhtSearched(asked.View.Nodes, asked.View.Addresses, asked.View.IsMappingDependent),
        NodeEvent.MemberJoined joined => new RoomEvent.Joined(joined.Peer, joined.Name),
        NodeEvent.Probing probing => new RoomEvent.Probing(probing.Peer, probing.Carrier == Carrier.Tcp ? PathTransport.Tcp : PathTransport.Udp, [.. probing.Trials.Select(trial => new ProbedAddress(OriginOf(trial.Kind), trial.Endpoint.ToIPEndPoint()))]),
        NodeEvent.MemberLeft left => new RoomEvent.Left(left.Peer, left.Reason == DepartureReason.Left ? LeaveReason.Left : LeaveReason.Timeout),
        NodeEvent.Connected connected => new RoomEvent.Connected(
            connected.Peer, connected.Name, _engine.PathTo(connected.Path, connected.IsMapped), connected.Elapsed, connected.RoundTrip),
        NodeEvent.PathChanged changed => new RoomEvent.PathChanged(changed.Peer, _engine.PathTo(changed.Path, changed.IsMapped), changed.RoundTrip),
        NodeEvent.Disconnected disconnected => new RoomEvent.Disconnected(disconnected.Peer, disconnected.Reason),
        NodeEvent.Trying { Progress: var tried } trying => new RoomEvent.Trying(trying.Peer, tried.Means, tried.Detail, tried.Advice),
        NodeEvent.Failed failed => new RoomEvent.Failed(failed.Peer, failed.Failure.Cause, failed.Failure.Detail, failed.Failure.Advice),
        NodeEvent.MessageReceived received => new RoomEvent.Message(received.Peer, received.Name, received.Sequence, received.Text),
        NodeEvent.MessageDelivered delivered => new RoomEvent.Delivered(delivered.Peer, delivered.Sequence),
        _ => null,
    };
}
