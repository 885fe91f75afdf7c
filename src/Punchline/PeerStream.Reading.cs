using Punchline.Engine;

namespace Punchline;

// What comes in.
public sealed partial class PeerStream
{
    private readonly ReadOperation _reading;
    private TaskCompletionSource? _readsClosed;
    private Ending? _readEnding;
    private bool _isAtEnd;
    private int _readTimeout = Timeout.Infinite;

    /// <summary>
    /// Completes when this side has read to the end, or disposed of the stream there; fails with a <see cref="PunchlineException"/> where
    /// the peer, this side or the connection's end cut it short. Completed from the beginning where this side cannot read.
    /// </summary>
    public Task ReadsClosed
    {
        get
        {
            if (!_isReadable) return Task.CompletedTask;
            using var turn = _engine.Enter();
            if (_readsClosed is null)
            {
                _readsClosed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                if (IsReadOver) Close(_readsClosed, _readEnding);
            }
            return _readsClosed.Task;
        }
    }

    /// <summary>Milliseconds that a synchronous read waits, at most; without end by default.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is 0 or negative, and not <see cref="Timeout.Infinite"/>.</exception>
    public override int ReadTimeout
    {
        get => _readTimeout;
        set
        {
            CheckTimeout(value);
            _readTimeout = value;
        }
    }

    private bool IsReadOver => !_isReadable || _isAtEnd || _readEnding is not null;

    /// <summary>
    /// Reads what is there, as much as fits, or waits for some; 0 is the end. With an empty buffer it waits until there is something to
    /// read, and returns 0. Where the token is canceled while it waits, nothing was taken from the stream: the next read gets it.
    /// </summary>
    /// <param name="buffer">Where to.</param>
    /// <param name="cancellationToken">The caller's.</param>
    /// <exception cref="PunchlineException">The peer aborted the stream, this side did, or the connection ended.</exception>
    /// <exception cref="InvalidOperationException">Another read is under way.</exception>
    /// <exception cref="NotSupportedException">This side cannot read.</exception>
    /// <exception cref="ObjectDisposedException">The stream is disposed of.</exception>
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested) return ValueTask.FromCanceled<int>(cancellationToken);
        using var turn = _engine.Enter();
        CheckReadable();
        if (TryRead(buffer.Span, out var length)) return new ValueTask<int>(length);
        return _readEnding is { } ending ? ValueTask.FromException<int>(ending.ToException()) : _reading.Begin(buffer, cancellationToken);
    }

    /// <inheritdoc cref="ReadAsync(Memory{byte}, CancellationToken)"/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        ValidateBufferArguments(buffer, offset, count);
        return ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    }

    /// <summary>As <see cref="ReadAsync(Memory{byte}, CancellationToken)"/>, and blocks.</summary>
    /// <exception cref="PunchlineException">Also where nothing came for <see cref="ReadTimeout"/>.</exception>
    /// <inheritdoc cref="ReadAsync(Memory{byte}, CancellationToken)"/>
    public override int Read(Span<byte> buffer)
    {
        using var timeout = ReadTimeout == Timeout.Infinite ? null : new CancellationTokenSource(ReadTimeout);
        while (true)
        {
            ValueTask<int> news;
            using (_engine.Enter())
            {
                CheckReadable();
                if (TryRead(buffer, out var length)) return length;
                if (_readEnding is { } ending) throw ending.ToException();
                news = _reading.Begin(Memory<byte>.Empty, timeout?.Token ?? CancellationToken.None);
            }
            try
            {
                Wait(news.AsTask());
            }
            catch (OperationCanceledException)
            {
                throw new PunchlineException(PunchlineError.TimedOut, $"Nothing came for {ReadTimeout} ms.");
            }
        }
    }

    /// <inheritdoc cref="Read(Span{byte})"/>
    public override int Read(byte[] buffer, int offset, int count)
    {
        ValidateBufferArguments(buffer, offset, count);
        return Read(buffer.AsSpan(offset, count));
    }

    /// <summary>A byte, or −1 at the end; blocks. See <see cref="Read(Span{byte})"/>.</summary>
    public override int ReadByte()
    {
        var value = (byte)0;
        return Read(new Span<byte>(ref value)) == 0 ? -1 : value;
    }

    /// <inheritdoc/>
    public override IAsyncResult BeginRead(byte[] buffer, int offset, int count, AsyncCallback? callback, object? state) =>
        TaskToAsyncResult.Begin(ReadAsync(buffer, offset, count, CancellationToken.None), callback, state);

    /// <inheritdoc/>
    public override int EndRead(IAsyncResult asyncResult) => TaskToAsyncResult.End<int>(asyncResult);

    internal void OnReadable()
    {
        if (!_reading.IsPending) return;
        if (TryRead(_reading.Buffer.Span, out var length)) _reading.Complete(length);
        ForgetIfOver();
    }

    internal void OnReset(ulong code)
    {
        EndReads(Ending.OfStream(code, Protocol));
        ForgetIfOver();
    }

    private void CheckReadable()
    {
        if (!_isReadable) throw new NotSupportedException("This side of the stream cannot read: it opened it as a unidirectional one.");
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (_reading.IsBusy) throw new InvalidOperationException("Another read is under way: a stream takes one at a time.");
    }

    // True where there is a result now: bytes, their end, or for an empty destination the news that there are some.
    private bool TryRead(Span<byte> destination, out int length)
    {
        length = 0;
        if (_isAtEnd) return true;
        if (_readEnding is not null) return false;
        var connection = _connection.Core;
        var hasNews = connection.IsReadable(_id);
        if (!hasNews) return false;
        length = connection.Read(_id, destination, out _isAtEnd);
        if (_isAtEnd)
        {
            Close(_readsClosed, null);
            ForgetIfOver();
        }
        return true;
    }

    private void AbortReads(ulong code, Ending ending)
    {
        if (IsReadOver) return;
        _connection.Core.StopSending(_id, code);
        EndReads(ending);
    }

    private void EndReads(Ending ending)
    {
        if (IsReadOver) return;
        _readEnding = ending;
        if (_reading.IsPending) _reading.Fail(_isDisposed ? new ObjectDisposedException(nameof(PeerStream)) : ending.ToException());
        Close(_readsClosed, ending);
    }

    private static void Close(TaskCompletionSource? side, Ending? ending)
    {
        if (ending is null)
        {
            side?.TrySetResult();
            return;
        }
        if (side?.TrySetException(ending.ToException()) != true) return;
        // Seen by whoever waits for it; nobody may.
        _ = side.Task.Exception;
    }
}
