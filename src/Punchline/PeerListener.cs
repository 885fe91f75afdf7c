using System.Threading.Channels;

namespace Punchline;

/// <summary>
/// Where other peers' <see cref="PeerNode.ConnectAsync(CallOptions, CancellationToken)"/> comes in: takes those who may connect, waits until the way is found, and gives the connections.
/// Each is its receiver's, and goes on when the listener is closed. Thread-safe.
/// </summary>
public sealed class PeerListener : IAsyncDisposable
{
    /// <summary>Peers at once that were agreed to, are being connected to, or wait to be accepted. Beyond them peers ring, and then are told that this one is busy.</summary>
    public const int MaxPending = 64;

    private readonly PeerInbox _inbox;
    private readonly Func<PeerId, string, CancellationToken, ValueTask<bool>>? _consent;
    private readonly Channel<PeerConnection> _connections = Channel.CreateBounded<PeerConnection>(MaxPending);
    private readonly SemaphoreSlim _places = new(MaxPending);
    private readonly CancellationTokenSource _closing = new();
    private readonly Task _listening;
    private int _isClosed;

    internal PeerListener(PeerInbox inbox, Func<PeerId, string, CancellationToken, ValueTask<bool>>? consent)
    {
        _inbox = inbox;
        _consent = consent;
        _listening = Task.Run(ListenAsync);
    }

    /// <summary>The next connection that stands. A peer to which no way is found does not appear: its side hears why.</summary>
    /// <param name="cancellationToken">The caller's; where it is canceled no connection was accepted.</param>
    /// <exception cref="PunchlineException">The listener is closed, the same peer listens from another process, or the server refused.</exception>
    /// <exception cref="OperationCanceledException">The caller's token.</exception>
    public async ValueTask<PeerConnection> AcceptConnectionAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            while (true)
            {
                var connection = await _connections.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
                _places.Release();
                // One that ended meanwhile is of no use.
                if (connection.IsStanding) return connection;
            }
        }
        catch (ChannelClosedException closed)
        {
            throw closed.InnerException is PunchlineException { } cause
                ? new PunchlineException(cause.Error, cause.Message, cause)
                : new PunchlineException(PunchlineError.Closed, "The listener is closed.");
        }
    }

    /// <summary>Closes: nobody can connect any more, and connections that nobody has accepted are closed. Those that were accepted go on.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isClosed, 1) == 0)
        {
            await _closing.CancelAsync().ConfigureAwait(false);
            await _inbox.DisposeAsync().ConfigureAwait(false);
        }
        await _listening.ConfigureAwait(false);
    }

    private async Task ListenAsync()
    {
        Exception? end = null;
        var pending = new List<Task>();
        try
        {
            await foreach (var call in _inbox.ReadCallsAsync(_closing.Token).ConfigureAwait(false))
            {
                await _places.WaitAsync(_closing.Token).ConfigureAwait(false);
                pending.RemoveAll(one => one.IsCompleted);
                pending.Add(Task.Run(() => TakeAsync(call)));
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or PunchlineException)
        {
            // Closed, or the inbox failed.
            end = exception as PunchlineException;
        }
        await Task.WhenAll(pending).ConfigureAwait(false);
        _connections.Writer.TryComplete(end);
        if (!_closing.IsCancellationRequested) return;
        while (_connections.Reader.TryRead(out var unaccepted)) await unaccepted.DisposeAsync().ConfigureAwait(false);
    }

    private async Task TakeAsync(IncomingCall call)
    {
        Room? room = null;
        try
        {
            if (!await ConsentAsync(call).ConfigureAwait(false))
            {
                await call.RefuseAsync(CallRefusal.Refused, CancellationToken.None).ConfigureAwait(false);
                _places.Release();
                return;
            }
            room = await call.AcceptAsync(_closing.Token).ConfigureAwait(false);
            var connection = await room.ConnectAsync(call.Peer, _closing.Token).ConfigureAwait(false);
            // There is room: each has its place.
            _connections.Writer.TryWrite(connection);
        }
        catch (Exception exception) when (exception is OperationCanceledException or PunchlineException)
        {
            // Closed, withdrawn, or no way was found.
            _places.Release();
            if (room is not null) await room.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async Task<bool> ConsentAsync(IncomingCall call)
    {
        if (_consent is null) return true;
        using var end = CancellationTokenSource.CreateLinkedTokenSource(_closing.Token);
        // What is asked of somebody who gave up needs no answer.
        var withdrawal = call.Withdrawn.ContinueWith(_ => end.Cancel(), end.Token, TaskContinuationOptions.None, TaskScheduler.Default);
        try
        {
            return await _consent(call.Peer, call.Name, end.Token).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // The program's own: whatever it throws is no consent.
        catch (Exception)
#pragma warning restore CA1031
        {
            return false;
        }
        finally
        {
            await end.CancelAsync().ConfigureAwait(false);
            await withdrawal.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
