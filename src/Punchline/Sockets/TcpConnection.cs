using System.Net.Sockets;
using Punchline.Protocols.Primitives;

namespace Punchline.Sockets;

/// <summary>
/// One connection of the <see cref="TcpPort"/>. Sends without waiting: what the system does not take at once waits here, and the
/// owner, who hears when it is taken, hands over little before that. One at a time calls it.
/// </summary>
internal sealed class TcpConnection(SocketId id, Socket socket)
{
    /// <summary>
    /// What the system may hold that the peer has not acknowledged (PROTOCOL §7): what a carrier holds when it is left is sent twice,
    /// and what it holds before urgent bytes makes these late. Linux counts twice that, with its own overhead.
    /// </summary>
    public const int SystemBuffer = 256 << 10;

    /// <summary>For what still waits when the connection is closed.</summary>
    private static readonly TimeSpan CloseTime = TimeSpan.FromSeconds(2);

    private readonly Lock _lock = new();
    private byte[] _waiting = [];
    private byte[] _leaving = [];
    private int _length;
    private bool _isSending;
    private bool _isClosed;

    public SocketId Id { get; set; } = id;

    public Socket Socket { get; private set; } = socket;

    /// <summary>Goes on with another socket. False where it was closed meanwhile, and the other with it.</summary>
    public bool TryReplace(Socket other)
    {
        lock (_lock)
        {
            (_isClosed ? other : Socket).Dispose();
            if (!_isClosed) Socket = other;
            return !_isClosed;
        }
    }

    /// <summary>Once it stands.</summary>
    public void Prepare()
    {
        Socket.Blocking = false;
        Socket.NoDelay = true;
        Socket.SendBufferSize = SystemBuffer;
    }

    /// <summary>Sends, or keeps what has to wait.</summary>
    /// <param name="bytes">What to send.</param>
    /// <param name="owner">Hears of what has waited.</param>
    /// <returns>Bytes that the system has taken now.</returns>
    public int Send(ReadOnlySpan<byte> bytes, ITcpPortOwner owner)
    {
        lock (_lock)
        {
            if (_isClosed) return bytes.Length;
            var taken = _isSending ? 0 : SendNow(bytes);
            if (taken == bytes.Length) return taken;
            Keep(bytes[taken..]);
            if (!_isSending) _ = SendWaitingAsync(owner);
            _isSending = true;
            return taken;
        }
    }

    /// <summary>Receives what there is. Zero: the other side has closed; −1: nothing now.</summary>
    /// <exception cref="SocketException">It is broken.</exception>
    public int Receive(Span<byte> buffer)
    {
        var length = Socket.Receive(buffer, SocketFlags.None, out var error);
        return error switch
        {
            SocketError.Success => length,
            SocketError.WouldBlock => -1,
            _ => throw new SocketException((int)error),
        };
    }

    /// <summary>Sends what waits, then closes.</summary>
    public void Close()
    {
        lock (_lock)
        {
            if (_isClosed) return;
            _isClosed = true;
            if (_isSending) _ = CloseLaterAsync();
            else End();
        }
    }

    // A broken connection's end is heard by the receiving side: to it, everything is taken.
    private int SendNow(ReadOnlySpan<byte> bytes)
    {
        try
        {
            var taken = Socket.Send(bytes, SocketFlags.None, out var error);
            return error switch
            {
                SocketError.Success => taken,
                SocketError.WouldBlock => 0,
                _ => bytes.Length,
            };
        }
        catch (ObjectDisposedException)
        {
            return bytes.Length;
        }
    }

    // .NET resets a connection that is disposed while something waits on it, unless its sending side was shut down: then what the
    // system holds still leaves, a goodbye among it.
    private void End()
    {
        try
        {
            Socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception exception) when (TcpPort.IsEnd(exception))
        {
            // Not connected yet, or no more.
        }
        Socket.Dispose();
    }

    private void Keep(ReadOnlySpan<byte> bytes)
    {
        if (_length + bytes.Length > _waiting.Length) Array.Resize(ref _waiting, Math.Max(2 * _waiting.Length, _length + bytes.Length));
        bytes.CopyTo(_waiting.AsSpan(_length));
        _length += bytes.Length;
    }

    private async Task SendWaitingAsync(ITcpPortOwner owner)
    {
        // Not within the caller's locks.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            while (TryTakeWaiting(out var batch))
            {
                var length = batch.Length;
                while (!batch.IsEmpty) batch = batch[await Socket.SendAsync(batch, SocketFlags.None).ConfigureAwait(false)..];
                owner.OnTaken(this, length);
            }
        }
        catch (Exception exception) when (TcpPort.IsEnd(exception))
        {
            // The receiving side hears of it.
        }
    }

    private bool TryTakeWaiting(out ReadOnlyMemory<byte> batch)
    {
        lock (_lock)
        {
            batch = _waiting.AsMemory(0, _length);
            (_waiting, _leaving, _length) = (_leaving, _waiting, 0);
            _isSending = batch.Length > 0;
            if (!_isSending && _isClosed) End();
            return _isSending;
        }
    }

    private async Task CloseLaterAsync()
    {
        await Task.Delay(CloseTime).ConfigureAwait(false);
        Socket.Dispose();
    }
}
