using Punchline.Engine;

namespace Punchline;

// What goes out.
public sealed partial class PeerStream
{
    private readonly WriteOperation _writing;
    private TaskCompletionSource? _writesClosed;
    private Ending? _writeEnding;
    private bool _isCompleted;
    private bool _isDelivered;
    private int _writeTimeout = Timeout.Infinite;

    /// <summary>
    /// Completes when the writes are completed and the peer's transport has acknowledged all of them, which does not say that its program
    /// has read them; fails with a <see cref="PunchlineException"/> where the peer, this side or the connection's end cut them short.
    /// Completed from the beginning where this side cannot write.
    /// </summary>
    public Task WritesClosed
    {
        get
        {
            if (!_isWritable) return Task.CompletedTask;
            using var turn = _engine.Enter();
            if (_writesClosed is null)
            {
                _writesClosed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                if (IsWriteOver) Close(_writesClosed, _writeEnding);
            }
            return _writesClosed.Task;
        }
    }

    /// <summary>Milliseconds that a synchronous write waits, at most; without end by default.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is 0 or negative, and not <see cref="Timeout.Infinite"/>.</exception>
    public override int WriteTimeout
    {
        get => _writeTimeout;
        set
        {
            CheckTimeout(value);
            _writeTimeout = value;
        }
    }

    private bool IsWriteOver => !_isWritable || _isDelivered || _writeEnding is not null;

    /// <summary>
    /// Writes all of <paramref name="buffer"/>, and waits while the stream holds as much as may be on the way, which the peer's reading and
    /// the network decide. What was taken is sent, in any event: it is kept until the peer has it. Where the token is canceled in between, the
    /// exception says how much was taken.
    /// </summary>
    /// <param name="buffer">The bytes; free again when the write has ended.</param>
    /// <param name="cancellationToken">The caller's.</param>
    /// <exception cref="WriteCanceledException">The token was canceled.</exception>
    /// <exception cref="PunchlineException">The peer aborted the stream or takes no such streams, this side aborted it, or the connection ended.</exception>
    /// <exception cref="InvalidOperationException">Another write is under way, or the writes are completed.</exception>
    /// <exception cref="NotSupportedException">This side cannot write.</exception>
    /// <exception cref="ObjectDisposedException">The stream is disposed of.</exception>
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        WriteAsync(buffer, completeWrites: false, cancellationToken);

    /// <summary>As <see cref="WriteAsync(ReadOnlyMemory{byte}, CancellationToken)"/>, and completes the writes in the same turn.</summary>
    /// <param name="buffer">The bytes; free again when the write has ended.</param>
    /// <param name="completeWrites">Whether these are the last. They are not where the write is canceled.</param>
    /// <param name="cancellationToken">The caller's.</param>
    /// <inheritdoc cref="WriteAsync(ReadOnlyMemory{byte}, CancellationToken)"/>
    public ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, bool completeWrites, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested) return ValueTask.FromException(new WriteCanceledException(0, cancellationToken));
        using var turn = _engine.Enter();
        CheckWritable();
        if (_writeEnding is { } ending) return ValueTask.FromException(ending.ToException());
        var written = _connection.Core.Write(_id, buffer.Span);
        if (written < buffer.Length) return _writing.Begin(buffer, written, completeWrites, cancellationToken);
        if (completeWrites) CompleteOnce();
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc cref="WriteAsync(ReadOnlyMemory{byte}, CancellationToken)"/>
    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        ValidateBufferArguments(buffer, offset, count);
        return WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    }

    /// <summary>As <see cref="WriteAsync(ReadOnlyMemory{byte}, CancellationToken)"/>, and blocks.</summary>
    /// <exception cref="PunchlineException">Also where <see cref="WriteTimeout"/> passed; the message says how much was taken.</exception>
    /// <inheritdoc cref="WriteAsync(ReadOnlyMemory{byte}, CancellationToken)"/>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        using var timeout = WriteTimeout == Timeout.Infinite ? null : new CancellationTokenSource(WriteTimeout);
        var length = buffer.Length;
        while (true)
        {
            ValueTask room;
            using (_engine.Enter())
            {
                CheckWritable();
                if (_writeEnding is { } ending) throw ending.ToException();
                buffer = buffer[_connection.Core.Write(_id, buffer)..];
                if (buffer.IsEmpty) return;
                room = _writing.Begin(ReadOnlyMemory<byte>.Empty, 0, completeWrites: false, timeout?.Token ?? CancellationToken.None);
            }
            try
            {
                Wait(room.AsTask());
            }
            catch (OperationCanceledException)
            {
                throw new PunchlineException(PunchlineError.TimedOut, $"There was no room for {WriteTimeout} ms; {length - buffer.Length} of {length} bytes were taken.");
            }
        }
    }

    /// <inheritdoc cref="Write(ReadOnlySpan{byte})"/>
    public override void Write(byte[] buffer, int offset, int count)
    {
        ValidateBufferArguments(buffer, offset, count);
        Write(buffer.AsSpan(offset, count));
    }

    /// <summary>Writes a byte; blocks while there is no room. See <see cref="Write(ReadOnlySpan{byte})"/>.</summary>
    /// <param name="value">The byte.</param>
    public override void WriteByte(byte value) => Write([value]);

    /// <inheritdoc/>
    public override IAsyncResult BeginWrite(byte[] buffer, int offset, int count, AsyncCallback? callback, object? state) =>
        TaskToAsyncResult.Begin(WriteAsync(buffer, offset, count, CancellationToken.None), callback, state);

    /// <inheritdoc/>
    public override void EndWrite(IAsyncResult asyncResult) => TaskToAsyncResult.End(asyncResult);

    /// <summary>Ends the writes in good order: the peer reads to the end of what was written. Once more does nothing.</summary>
    /// <exception cref="InvalidOperationException">A write is under way.</exception>
    /// <exception cref="NotSupportedException">This side cannot write.</exception>
    /// <exception cref="ObjectDisposedException">The stream is disposed of.</exception>
    public void CompleteWrites()
    {
        using var turn = _engine.Enter();
        if (_isCompleted && !_isDisposed) return;
        CheckWritable();
        if (_writeEnding is null) CompleteOnce();
    }

    internal void OnWritable()
    {
        if (!_writing.IsPending) return;
        if (!_writing.Remaining.IsEmpty) _writing.Advance(_connection.Core.Write(_id, _writing.Remaining.Span));
        if (!_writing.Remaining.IsEmpty) return;
        if (_writing.CompletesWrites) CompleteOnce();
        _writing.Complete(0);
    }

    internal void OnDelivered()
    {
        _isDelivered = true;
        Close(_writesClosed, null);
        ForgetIfOver();
    }

    internal void OnStopped(ulong code)
    {
        EndWrites(Ending.OfStream(code, Protocol));
        ForgetIfOver();
    }

    private void CheckWritable()
    {
        if (!_isWritable) throw new NotSupportedException("This side of the stream cannot write: the peer opened it as a unidirectional one.");
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (_writing.IsBusy) throw new InvalidOperationException("Another write is under way: a stream takes one at a time.");
        if (_isCompleted && _writeEnding is null) throw new InvalidOperationException("The writes are completed.");
    }

    private void CompleteOnce()
    {
        _isCompleted = true;
        _connection.Core.CompleteWrites(_id);
    }

    private void AbortWrites(ulong code, Ending ending)
    {
        if (IsWriteOver) return;
        _connection.Core.ResetStream(_id, code);
        EndWrites(ending);
    }

    private void EndWrites(Ending ending)
    {
        if (IsWriteOver) return;
        _writeEnding = ending;
        if (_writing.IsPending) _writing.Fail(_isDisposed ? new ObjectDisposedException(nameof(PeerStream)) : ending.ToException());
        Close(_writesClosed, ending);
    }
}
