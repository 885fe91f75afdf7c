using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Punchline.Protocols.Primitives;

namespace Punchline.Sockets;

/// <summary>
/// A UDP socket. The punching socket is one for STUN, probes and data alike, because they must share a mapping: one thread blocks on it. Side
/// sockets do not block, and <see cref="SideSocketSet"/> receives from all of them. One at a time sends (a TTL is the socket's, not the packet's).
/// </summary>
internal sealed class UdpSocket : IDisposable
{
    // Windows: a port-unreachable that comes back must not fail the next receive.
    private const int SioUdpConnReset = unchecked((int)0x9800000C);

    // What arrives while the engine is busy: about 900 full packets, or 30 ms at 250 Mbit/s. Systems may grant less.
    private const int BufferBytes = 1 << 20;

    // After an error that follows another: an interface that went may stay away, and its loop must not take a core.
    private static readonly TimeSpan FailurePause = TimeSpan.FromMilliseconds(100);

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly SocketAddress _source = new(AddressFamily.InterNetwork);
    private readonly SocketAddress _destination = new(AddressFamily.InterNetwork);
    private readonly short _defaultTimeToLive;
    private readonly ManualResetEventSlim _closed = new();

    /// <param name="local">Where to bind it.</param>
    /// <param name="blocks">Whether receiving waits.</param>
    /// <exception cref="SocketException">The address cannot be bound.</exception>
    public UdpSocket(IPEndPoint local, bool blocks = true)
    {
        try
        {
            _socket.Blocking = blocks;
            if (OperatingSystem.IsWindows()) _socket.IOControl(SioUdpConnReset, [0, 0, 0, 0], null);
            _socket.ReceiveBufferSize = BufferBytes;
            _socket.SendBufferSize = BufferBytes;
            ForbidFragments();
            _socket.Bind(local);
            LocalEndPoint = (IPEndPoint)_socket.LocalEndPoint!;
            _defaultTimeToLive = _socket.Ttl;
        }
        catch
        {
            _socket.Dispose();
            throw;
        }
    }

    /// <summary>Where it is bound; known also when it is closed.</summary>
    public IPEndPoint LocalEndPoint { get; }

    /// <summary>To wait on, among others.</summary>
    public Socket Handle => _socket;

    /// <summary>Waits for a datagram. False once the socket is closed; errors that come up from the network are passed over.</summary>
    public bool TryReceive(Span<byte> buffer, out int length, out Endpoint source)
    {
        var failures = 0;
        while (!_closed.IsSet)
        {
            try
            {
                length = _socket.ReceiveFrom(buffer, SocketFlags.None, _source);
                source = ReadSource();
                return true;
            }
            catch (SocketException) when (!_closed.IsSet)
            {
                // An unreachable port's answer, a message too long, an interface that went: the next datagram may be fine.
                if (++failures > 1) _closed.Wait(FailurePause);
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
            {
                break;
            }
        }
        length = 0;
        source = default;
        return false;
    }

    /// <summary>A datagram of a socket that does not block. False where there is none, or an error took its place.</summary>
    /// <param name="buffer">Room for it.</param>
    /// <param name="isReady">Something waits, be it an empty datagram or an error: neither counts as available bytes.</param>
    /// <param name="length">Its length.</param>
    /// <param name="source">Where it came from.</param>
    public bool TryReceiveNow(Span<byte> buffer, bool isReady, out int length, out Endpoint source)
    {
        source = default;
        length = 0;
        try
        {
            if (!isReady && _socket.Available == 0) return false;
            length = _socket.ReceiveFrom(buffer, SocketFlags.None, _source);
            source = ReadSource();
            return true;
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            return false;
        }
    }

    /// <summary>Sends a datagram; one that the system does not take is lost, as any may be on its way.</summary>
    public void Send(ReadOnlySpan<byte> datagram, in Transmit transmit)
    {
        if (!transmit.Destination.IsIPv4) return;
        var address = _destination.Buffer.Span;
        BinaryPrimitives.WriteUInt16BigEndian(address[2..], transmit.Destination.Port);
        BinaryPrimitives.WriteUInt32BigEndian(address[4..], transmit.Destination.IPv4);
        try
        {
            if (transmit.TimeToLive != 0) _socket.Ttl = transmit.TimeToLive;
            _socket.SendTo(datagram, SocketFlags.None, _destination);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // No route, no buffer, a firewall's refusal, longer than the interface takes, or closed: recovery sends again where it
            // matters, and a probe of path MTU discovery is lost.
        }
        finally
        {
            if (transmit.TimeToLive != 0) RestoreTimeToLive();
        }
    }

    /// <summary>The address of ours from which packets to <paramref name="remote"/> leave. Asks the routing table; sends nothing.</summary>
    public IPEndPoint LocalEndPointTowards(IPEndPoint remote)
    {
        var local = LocalEndPoint;
        if (!local.Address.Equals(IPAddress.Any)) return local;
        try
        {
            using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            probe.Connect(remote);
            return new IPEndPoint(((IPEndPoint)probe.LocalEndPoint!).Address, local.Port);
        }
        catch (SocketException)
        {
            return local;
        }
    }

    public void Dispose()
    {
        _closed.Set();
        _socket.Dispose();
    }

    // sockaddr_in has the port at 2 and the address at 4 on every system.
    private Endpoint ReadSource()
    {
        var address = _source.Buffer.Span;
        return Endpoint.FromIPv4(BinaryPrimitives.ReadUInt32BigEndian(address[4..]), BinaryPrimitives.ReadUInt16BigEndian(address[2..]));
    }

    // PROTOCOL §6: no packet of ours is ever fragmented.
    private void ForbidFragments()
    {
        _socket.DontFragment = true;
        if (!OperatingSystem.IsLinux()) return;
        // IP_MTU_DISCOVER (10) to IP_PMTUDISC_PROBE (3), of linux/in.h: don't-fragment without the kernel's memory of ICMP
        // messages, which anybody can send: path MTU discovery believes only packets that arrive (RFC 8899 §4.6).
        const int IPProtocol = 0, MtuDiscover = 10, Probe = 3;
        _socket.SetRawSocketOption(IPProtocol, MtuDiscover, BitConverter.GetBytes(Probe));
    }

    private void RestoreTimeToLive()
    {
        try
        {
            _socket.Ttl = _defaultTimeToLive;
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // Closed meanwhile.
        }
    }
}
