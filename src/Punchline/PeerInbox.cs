using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Punchline.Engine;
using Punchline.Protocols.Node;

namespace Punchline;

/// <summary>
/// Where calls to this peer come in. While it is open, whoever knows the peer's id learns that it is there, and nothing else.
/// Calls that were taken go on when it is closed. Thread-safe; calls have one reader.
/// </summary>
public sealed class PeerInbox : IRoomObserver, IAsyncDisposable
{
    /// <summary>Calls that ring at once, read or not; the next caller is told that this peer is busy.</summary>
    public const int MaxRinging = InboxSession.MaxRinging;

    // The server comes and goes; nobody needs the long story.
    private const int MaxStates = 16;

    private readonly NodeEngine _engine;
    private readonly Action<IAsyncDisposable> _adopt;
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Channel<ServerState> _states =
        Channel.CreateBounded<ServerState>(new BoundedChannelOptions(MaxStates) { FullMode = BoundedChannelFullMode.DropOldest });
    private readonly Lock _gate = new();
    // Both have at most MaxRinging: what rings no more is no call.
    private readonly Dictionary<int, IncomingCall> _ringing = [];
    private readonly List<IncomingCall> _unread = [];
    private TaskCompletionSource _news = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private PunchlineException? _failure;
    private bool _isClosed;
    private ServerLink? _link;
    private Task? _closing;

    /// <param name="options">Where, and whose calls.</param>
    /// <param name="engine">The node's.</param>
    /// <param name="adopt">Takes what is opened of it.</param>
    /// <param name="hasChat">False where calls are to be nothing but their connections.</param>
    internal PeerInbox(InboxOptions options, NodeEngine engine, Action<IAsyncDisposable> adopt, bool hasChat)
    {
        Use = ProtocolNames.ToUse(options.Protocols, hasChat);
        _engine = engine;
        _adopt = adopt;
        var allowed = options.AllowedCallers?.ToHashSet();
        Number = options.UseDht
            ? engine.OpenInDht((node, port, now) => node.OpenInboxInDht(options.DisplayName, port, now, allowed), this)
            : engine.Open(node => node.OpenInbox(options.DisplayName, allowed), this);
    }

    internal int Number { get; }

    /// <summary>What the rooms of calls are for.</summary>
    internal RoomUse Use { get; }

    bool IRoomObserver.HasRoom => true;

    /// <summary>Calls as they come in, those that ring already first; one that rings no more before it is read is left out. Ends when the inbox is closed.</summary>
    /// <exception cref="PunchlineException">The same peer opened its inbox from another process, or the server refused.</exception>
    /// <exception cref="OperationCanceledException">The caller's token.</exception>
    public async IAsyncEnumerable<IncomingCall> ReadCallsAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        while (true)
        {
            IncomingCall? next = null;
            Task news;
            lock (_gate)
            {
                news = _news.Task;
                if (_unread.Count > 0)
                {
                    next = _unread[0];
                    _unread.RemoveAt(0);
                }
                else if (_failure is not null) throw _failure;
                else if (_isClosed) yield break;
            }
            if (next is null) await news.WaitAsync(cancellationToken).ConfigureAwait(false);
            else yield return next;
        }
    }

    /// <summary>The server as it comes and goes, if there is one; of what was not read only the latest are kept. Ends when the inbox is closed.</summary>
    /// <exception cref="OperationCanceledException">The caller's token.</exception>
    public IAsyncEnumerable<ServerState> ReadServerStatesAsync(CancellationToken cancellationToken = default) => _states.Reader.ReadAllAsync(cancellationToken);

    /// <summary>Closes: nobody can call any more, and whoever rings is told that this peer is offline. Calls that were taken go on.</summary>
    public async ValueTask DisposeAsync()
    {
        Task closing;
        lock (_gate) closing = _closing ??= CloseOnceAsync();
        await closing.ConfigureAwait(false);
    }

    /// <summary>Returns when the DHT has answered.</summary>
    internal Task StartInDhtAsync(CancellationToken cancellationToken) => _opened.Task.WaitAsync(cancellationToken);

    internal async Task StartAsync(ServerLink link, CancellationToken cancellationToken)
    {
        _link = link;
        try
        {
            await link.StartAsync(cancellationToken).ConfigureAwait(false);
            await _opened.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (CoordinationConnectException exception)
        {
            throw exception.ToPunchlineException();
        }
    }

    /// <summary>A call was answered, and rings no more.</summary>
    internal void Forget(IncomingCall call)
    {
        lock (_gate)
        {
            _ringing.Remove(call.Number);
            _unread.Remove(call);
        }
    }

    internal void Adopt(Room room) => _adopt(room);

    void IRoomObserver.OnServerMessage(ReadOnlyMemory<byte> utf8) => _link?.Send(utf8);

    void IRoomObserver.OnServerOver() => _link?.GiveUp();

    void IRoomObserver.OnEvent(NodeEvent nodeEvent)
    {
        switch (nodeEvent)
        {
            case NodeEvent.ServerJoined:
                _opened.TrySetResult();
                if (_link is not null) _states.Writer.TryWrite(ServerState.Connected);
                break;
            case NodeEvent.ServerLost:
                _states.Writer.TryWrite(ServerState.Lost);
                break;
            case NodeEvent.ServerReplaced:
                _states.Writer.TryWrite(ServerState.Replaced);
                Fail(new PunchlineException(PunchlineError.Closed, "The same peer waits for calls in another process, which takes this one's place."));
                break;
            case NodeEvent.ServerRefused refused:
                _states.Writer.TryWrite(ServerState.Lost);
                Fail(new PunchlineException(PunchlineError.ServerRefused, $"The server refused: {refused.Message} ({refused.Code})"));
                break;
            // Who has opened goes on: nodes may answer later.
            case NodeEvent.DhtSilent when !_opened.Task.IsCompleted:
                Fail(new PunchlineException(PunchlineError.DhtUnreachable, DhtLinkOptions.SilenceOf(_engine.DhtBootstrapHosts)));
                break;
            case NodeEvent.CallRang rang:
                var call = new IncomingCall(_engine, this, rang.Call, rang.Peer, rang.Name);
                lock (_gate)
                {
                    _ringing.Add(rang.Call, call);
                    _unread.Add(call);
                }
                SignalNews();
                break;
            case NodeEvent.CallWithdrawn withdrawn:
                Withdraw(withdrawn.Call);
                break;
        }
    }

    void IRoomObserver.OnConnection(ApplicationConnection connection)
    {
        // Those are the calls' rooms'.
    }

    void IRoomObserver.OnDrained(NodeCore node)
    {
        // Nobody waits for a connection here.
    }

    private void Withdraw(int number)
    {
        IncomingCall? call;
        lock (_gate)
        {
            if (!_ringing.Remove(number, out call)) return;
            _unread.Remove(call);
        }
        call.Withdraw();
    }

    private void Fail(PunchlineException failure)
    {
        lock (_gate) _failure = failure;
        _opened.TrySetException(failure);
        // Seen by whoever opens; nobody may be.
        _ = _opened.Task.Exception;
        SignalNews();
    }

    private void SignalNews() =>
        Interlocked.Exchange(ref _news, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();

    private async Task CloseOnceAsync()
    {
        await Task.Yield();
        try
        {
            _engine.Run((node, now) => node.LeaveRoom(Number, now));
            if (_link is not null) await _link.DisposeAsync().ConfigureAwait(false);
            _engine.CloseRoom(Number);
        }
        catch (ObjectDisposedException)
        {
            // The node went first.
        }
        lock (_gate) _isClosed = true;
        _opened.TrySetException(new PunchlineException(PunchlineError.Closed, "The inbox was closed."));
        _ = _opened.Task.Exception;
        _states.Writer.TryComplete();
        SignalNews();
    }
}
