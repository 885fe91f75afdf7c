using System.Threading.Tasks.Sources;

namespace Punchline.Engine;

/// <summary>
/// A wait of which there is one at a time, such as a stream's read: the same object serves all of them, so that waiting
/// allocates nothing. But for <see cref="GetResult"/>, which the awaiting code calls, all is guarded by the engine's gate;
/// results are given and continuations run outside of it, on the thread pool.
/// </summary>
internal abstract class PeerOperation(NodeEngine engine) : IValueTaskSource<int>, IValueTaskSource, IThreadPoolWorkItem
{
    private ManualResetValueTaskSourceCore<int> _core;
    private int _result;
    private Exception? _exception;
    private CancellationTokenRegistration _registration;
    private CancellationToken _cancellationToken;
    private volatile bool _isBusy;

    /// <summary>It has begun, and its result has not been taken yet.</summary>
    public bool IsBusy => _isBusy;

    /// <summary>It waits.</summary>
    public bool IsPending { get; private set; }

    /// <summary>Ends the wait with a result.</summary>
    public void Complete(int result)
    {
        _result = result;
        _exception = null;
        End();
    }

    /// <summary>Ends the wait with an exception.</summary>
    public void Fail(Exception exception)
    {
        _exception = exception;
        End();
    }

    public int GetResult(short token)
    {
        // Throws where the result was taken already, and another wait may have begun.
        _core.GetStatus(token);
        try
        {
            return _core.GetResult(token);
        }
        finally
        {
            _isBusy = false;
        }
    }

    // On the thread pool, as its own work item: a continuation that the source queues by itself would cost one more object.
    void IThreadPoolWorkItem.Execute()
    {
        if (_exception is { } exception) _core.SetException(exception);
        else _core.SetResult(_result);
    }

    void IValueTaskSource.GetResult(short token) => GetResult(token);

    public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);

    /// <summary>The wait begins; the owner has made sure that none is under way.</summary>
    protected short Begin(CancellationToken cancellationToken)
    {
        _core.Reset();
        _isBusy = true;
        IsPending = true;
        _cancellationToken = cancellationToken;
        var version = _core.Version;
        // Where it is canceled already, this comes back canceled.
        _registration = cancellationToken.UnsafeRegister(static (operation, token) => ((PeerOperation)operation!).Cancel(token), this);
        return version;
    }

    /// <summary>What is thrown where the caller's token ends the wait.</summary>
    protected virtual Exception CreateCancellation(CancellationToken cancellationToken) => new OperationCanceledException(cancellationToken);

    /// <summary>The wait is over: what it held is let go.</summary>
    protected abstract void Release();

    private void End()
    {
        IsPending = false;
        Release();
        // Does not wait for a cancellation that is under way: that finds nothing pending, or what the same token has canceled too.
        _registration.Unregister();
        _registration = default;
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    private void Cancel(CancellationToken cancellationToken)
    {
        using var turn = engine.Enter();
        if (IsPending && _cancellationToken == cancellationToken) Fail(CreateCancellation(cancellationToken));
    }
}

/// <summary>A read that waits for bytes, or for a datagram.</summary>
internal sealed class ReadOperation(NodeEngine engine) : PeerOperation(engine)
{
    /// <summary>Where to. Empty where only the coming of bytes is waited for.</summary>
    public Memory<byte> Buffer { get; private set; }

    public ValueTask<int> Begin(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        Buffer = buffer;
        return new ValueTask<int>(this, Begin(cancellationToken));
    }

    protected override void Release() => Buffer = default;
}

/// <summary>A write that waits for room.</summary>
internal sealed class WriteOperation(NodeEngine engine) : PeerOperation(engine)
{
    private int _written;

    /// <summary>What was not taken yet. Empty where only room is waited for.</summary>
    public ReadOnlyMemory<byte> Remaining { get; private set; }

    /// <summary>The stream's end follows.</summary>
    public bool CompletesWrites { get; private set; }

    /// <param name="buffer">All of the write.</param>
    /// <param name="written">Bytes of it that were taken at once.</param>
    /// <param name="completeWrites">The stream's end follows.</param>
    /// <param name="cancellationToken">The caller's.</param>
    public ValueTask Begin(ReadOnlyMemory<byte> buffer, int written, bool completeWrites, CancellationToken cancellationToken)
    {
        Remaining = buffer[written..];
        CompletesWrites = completeWrites;
        _written = written;
        return new ValueTask(this, Begin(cancellationToken));
    }

    public void Advance(int bytes)
    {
        Remaining = Remaining[bytes..];
        _written += bytes;
    }

    protected override Exception CreateCancellation(CancellationToken cancellationToken) => new WriteCanceledException(_written, cancellationToken);

    protected override void Release() => Remaining = default;
}
