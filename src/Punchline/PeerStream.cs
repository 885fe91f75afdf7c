using Punchline.Engine;
using Punchline.Protocols.Transport;

namespace Punchline;

/// <summary>
/// A stream of a <see cref="PeerConnection"/>: bytes in order, once each, whatever the network does. It begins with the name of its
/// protocol, which both sides know before the first byte. One read and one write at a time, each from any thread; the two do not
/// disturb each other. Disposing of it completes the writes, unless one is under way, and abandons what is unread.
/// </summary>
/// <remarks>
/// Errors that the network or the peer causes are a <see cref="PunchlineException"/>, which is an <see cref="IOException"/>. When the
/// connection ends, all its streams fail with its reason, and what was not read by then is lost: who closes a connection first
/// makes sure that the peer has read everything, as by an answer.
/// </remarks>
public sealed partial class PeerStream : Stream
{
    private readonly PeerConnection _connection;
    private readonly NodeEngine _engine;
    private readonly StreamId _id;
    private readonly bool _isReadable;
    private readonly bool _isWritable;
    // All that changes is guarded by the engine's gate, but for the time-outs.
    private bool _isDisposed;

    internal PeerStream(PeerConnection connection, NodeEngine engine, StreamId id, string protocol, bool isOurs)
    {
        _connection = connection;
        _engine = engine;
        _id = id;
        Protocol = protocol;
        Direction = id.Direction == StreamDirection.Bidirectional ? PeerStreamDirection.Bidirectional : PeerStreamDirection.Unidirectional;
        _isReadable = !isOurs || Direction == PeerStreamDirection.Bidirectional;
        _isWritable = isOurs || Direction == PeerStreamDirection.Bidirectional;
        _reading = new ReadOperation(engine);
        _writing = new WriteOperation(engine);
    }

    /// <summary>The name with which the stream begins, as its opener gave it.</summary>
    public string Protocol { get; }

    /// <summary>Who may write on it.</summary>
    public PeerStreamDirection Direction { get; }

    /// <summary>The stream's number in its connection (RFC 9000 §2.1).</summary>
    public long Id => (long)_id.Value;

    /// <summary>Whether this side may read: not on a unidirectional stream that it opened, nor once disposed of.</summary>
    public override bool CanRead => _isReadable && !Volatile.Read(ref _isDisposed);

    /// <summary>Whether this side may write: not on a unidirectional stream that the peer opened, nor once disposed of.</summary>
    public override bool CanWrite => _isWritable && !Volatile.Read(ref _isDisposed);

    /// <summary>False.</summary>
    public override bool CanSeek => false;

    /// <summary>True: <see cref="ReadTimeout"/> and <see cref="WriteTimeout"/> hold for synchronous reads and writes.</summary>
    public override bool CanTimeout => true;

    /// <summary>Not supported.</summary>
    /// <exception cref="NotSupportedException">Always.</exception>
    public override long Length => throw new NotSupportedException();

    /// <summary>Not supported.</summary>
    /// <exception cref="NotSupportedException">Always.</exception>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    // Both sides are over, and the connection need not remember the stream.
    internal bool IsOver => IsReadOver && IsWriteOver;

    /// <summary>Abandons a side at once; what waits there fails. The peer's side of it fails with <paramref name="errorCode"/>.</summary>
    /// <param name="direction">Reading, writing or both. A side that has ended already stays as it ended.</param>
    /// <param name="errorCode">The program's own: 0 to 2^62 − 257.</param>
    /// <exception cref="ArgumentOutOfRangeException">The code is out of range.</exception>
    public void Abort(PeerAbortDirection direction, long errorCode)
    {
        var code = StreamErrorCodes.FirstOfApplication + Ending.ToWire(errorCode, nameof(errorCode));
        using var turn = _engine.Enter();
        var ending = new Ending(PunchlineError.OperationAborted, $"The stream was aborted on this side with code {errorCode}.");
        if (direction.HasFlag(PeerAbortDirection.Read)) AbortReads(code, ending);
        if (direction.HasFlag(PeerAbortDirection.Write)) AbortWrites(code, ending);
        ForgetIfOver();
    }

    /// <summary>Does nothing: what is written leaves as soon as it may.</summary>
    public override void Flush()
    {
    }

    /// <summary>Does nothing: what is written leaves as soon as it may.</summary>
    /// <param name="cancellationToken">The caller's.</param>
    public override Task FlushAsync(CancellationToken cancellationToken) =>
        cancellationToken.IsCancellationRequested ? Task.FromCanceled(cancellationToken) : Task.CompletedTask;

    /// <summary>Not supported.</summary>
    /// <exception cref="NotSupportedException">Always.</exception>
    /// <param name="offset">Unused.</param>
    /// <param name="origin">Unused.</param>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <summary>Not supported.</summary>
    /// <exception cref="NotSupportedException">Always.</exception>
    /// <param name="value">Unused.</param>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <summary>
    /// Completes the writes and waits until the peer has all of them, as far as the connection lives and the peer takes them; a connection
    /// that is closed afterwards loses nothing of them on this side. A write that is under way is aborted with code 0 instead, lest its
    /// beginning be taken for the whole. What is unread is abandoned with code 0.
    /// </summary>
    public override async ValueTask DisposeAsync()
    {
        Release();
        if (_isWritable) await WritesClosed.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>As <see cref="DisposeAsync"/>, without waiting: the peer gets what was written as long as the connection lives.</summary>
    /// <param name="disposing">Whether it was called by the program.</param>
    protected override void Dispose(bool disposing)
    {
        if (disposing) Release();
        base.Dispose(disposing);
    }

    // The connection ended: whatever has not ended yet ends with it.
    internal void End(Ending ending)
    {
        EndReads(ending);
        EndWrites(ending);
    }

    private void Release()
    {
        using var turn = _engine.Enter();
        if (_isDisposed) return;
        Volatile.Write(ref _isDisposed, true);
        AbortReads(StreamErrorCodes.FirstOfApplication, Ending.Disposed);
        if (_writing.IsPending) AbortWrites(StreamErrorCodes.FirstOfApplication, Ending.Disposed);
        else if (!IsWriteOver) CompleteOnce();
        ForgetIfOver();
    }

    private void ForgetIfOver()
    {
        if (IsOver) _connection.Forget(_id);
    }

    private static void CheckTimeout(int milliseconds)
    {
        if (milliseconds is <= 0 and not Timeout.Infinite) throw new ArgumentOutOfRangeException(nameof(milliseconds), milliseconds, "A time-out is positive, or Timeout.Infinite.");
    }

    // A synchronous read or write blocks: that is what it is.
    private static void Wait(Task operation) => operation.GetAwaiter().GetResult();
}
