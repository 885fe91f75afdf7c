using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Stun;
using Punchline.Sockets;

namespace Punchline.Server.Stun;

/// <summary>
/// One UDP socket and the thread that blocks on it: receive, ask <see cref="StunResponder"/>, send. .NET's asynchronous
/// sockets cost three to five times the CPU for a packet. Nothing is allocated for a request.
/// </summary>
internal sealed class StunListener : IDisposable
{
    // Room for a burst of clients after an outage. Linux grants no more than net.core.rmem_max; clients retransmit anyway.
    private const int ReceiveBufferBytes = 1 << 20;

    private const int StackBytes = 256 << 10;

    // SIO_UDP_CONNRESET: Windows otherwise reports a client's ICMP "port unreachable" as our own receive's failure.
    private const int UdpConnectionReset = unchecked((int)0x9800_000c);

    // A socket that fails all the time must not take a core: from the second failure on 100 ms pass; the tenth, after
    // about a second, is said aloud.
    private const int FailuresUntilWarning = 10;
    private static readonly TimeSpan FailurePause = TimeSpan.FromMilliseconds(100);

    private readonly Socket _socket;
    private readonly ILogger _logger;
    private readonly ManualResetEventSlim _stop = new();
    private readonly Thread _thread;
    private StunGroup? _group;
    private bool _isStarted;
    private long _requests;

    private StunListener(Socket socket, ILogger logger)
    {
        _socket = socket;
        _logger = logger;
        Endpoint = (IPEndPoint)socket.LocalEndPoint!;
        _thread = new Thread(Run, StackBytes) { IsBackground = true, Name = $"STUN {Endpoint}" };
    }

    /// <summary>What the socket is bound to.</summary>
    public IPEndPoint Endpoint { get; }

    /// <summary>Requests that were answered, whether or not the answer could leave.</summary>
    public long Requests => Volatile.Read(ref _requests);

    /// <summary>Binds; <see cref="Start"/> begins to answer. Port 0 takes a free one.</summary>
    /// <exception cref="SocketException">The endpoint cannot be bound.</exception>
    public static StunListener Bind(IPEndPoint endpoint, ILogger logger)
    {
        var socket = new Socket(endpoint.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            if (OperatingSystem.IsWindows()) socket.IOControl(UdpConnectionReset, [0, 0, 0, 0], null);
            socket.ReceiveBufferSize = ReceiveBufferBytes;
            socket.Bind(endpoint);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
        return new StunListener(socket, logger);
    }

    /// <summary>Has sockets hear what ICMP says of what they send. False where the system has no such thing.</summary>
    public static bool HearAll(IReadOnlyList<StunListener> listeners)
    {
        try
        {
            foreach (var listener in listeners)
            {
                if (!HeardRejections.IsPossibleAt(listener._socket)) return false;
                IcmpErrors.Enable(listener._socket);
            }
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>Begins to answer, once.</summary>
    /// <param name="group">Whose member it is; null where it is alone.</param>
    public void Start(StunGroup? group = null)
    {
        _group = group;
        _isStarted = true;
        _thread.Start();
    }

    /// <summary>Closes the socket and sees the thread out, which takes about a millisecond.</summary>
    public void Dispose()
    {
        _stop.Set();
        _socket.Dispose();
        if (_isStarted) _thread.Join();
        _stop.Dispose();
    }

    private void Run()
    {
        // One byte more than a message may have, so that a longer datagram, cut to this, is not taken for a message.
        Span<byte> request = stackalloc byte[StunMessage.MaxLength + 1];
        Span<byte> response = stackalloc byte[StunResponder.MaxVantageResponseLength];
        var source = new SocketAddress(Endpoint.AddressFamily);
        var failures = 0;
        while (!_stop.IsSet)
        {
            try
            {
                var received = _socket.ReceiveFrom(request, SocketFlags.None, source);
                failures = 0;
                if (!TryRespond(request[..received], ToEndpoint(source), response, out var length, out var sender, out var port)) continue;
                SetPort(source, port);
                Send(response[..length], source, sender);
            }
            catch (ObjectDisposedException)
            {
                // Dispose closed the socket before the call.
                break;
            }
            catch (SocketException) when (_stop.IsSet)
            {
                // Dispose closed the socket during the call.
                break;
            }
            catch (SocketException) when (_group?.Rejections?.TakeFrom(_socket) is true)
            {
                // Of an earlier answer; nothing is wrong with the socket.
            }
            catch (SocketException failure)
            {
                failures++;
                if (failures == FailuresUntilWarning) StunServerLog.ReceiveFails(_logger, Endpoint, failures, failure.Message);
                if (failures > 1) _stop.Wait(FailurePause);
            }
        }
    }

    private bool TryRespond(ReadOnlySpan<byte> request, Endpoint source, Span<byte> response, out int length, out StunListener sender, out ushort port)
    {
        sender = this;
        Endpoint destination;
        bool isAnswered;
        if (_group is not { } group)
        {
            isAnswered = StunResponder.TryRespond(request, source, response, out length, out destination);
        }
        else
        {
            isAnswered = StunResponder.TryRespond(request, source, group.Vantage, group.IndexOf(this), response, out length, out var from, out destination);
            sender = group[from];
        }
        port = destination.Port;
        return isAnswered;
    }

    private void Send(ReadOnlySpan<byte> response, SocketAddress destination, StunListener sender)
    {
        // Before the answer leaves, so that whoever has it finds it counted. Only this thread writes.
        Volatile.Write(ref _requests, _requests + 1);
        try
        {
            try
            {
                sender._socket.SendTo(response, SocketFlags.None, destination);
            }
            catch (SocketException) when (_group?.Rejections?.TakeFrom(sender._socket) is true)
            {
                // What was heard of an earlier answer took this one's place.
                sender._socket.SendTo(response, SocketFlags.None, destination);
            }
        }
        catch (SocketException failure)
        {
            // A source that cannot be reached, or port 0: its own loss.
            StunServerLog.SendFailed(_logger, sender.Endpoint, failure.Message);
        }
        catch (ObjectDisposedException) when (sender != this)
        {
            // The group is being closed, and another member was first.
        }
    }

    private static void SetPort(SocketAddress address, ushort port) => BinaryPrimitives.WriteUInt16BigEndian(address.Buffer.Span[2..], port);

    // sockaddr_in holds the port at byte 2 and the address at 4; sockaddr_in6 the address at 8, behind the flow label.
    private static Endpoint ToEndpoint(SocketAddress address)
    {
        var bytes = address.Buffer.Span;
        var ip = address.Family == AddressFamily.InterNetwork ? bytes.Slice(4, 4) : bytes.Slice(8, 16);
        Protocols.Primitives.Endpoint.TryFromBytes(ip, BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]), out var endpoint);
        return endpoint;
    }
}
