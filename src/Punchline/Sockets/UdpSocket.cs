using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Punchline.Protocols.Primitives;

namespace Punchline.Sockets;

/// <summary>
/// A UDP socket. The punching socket is one for STUN, probes and data alike, because they must share a mapping, and for both families, so that
/// there is one port to tell: one thread blocks on it. Side sockets do not block, and <see cref="SideSocketSet"/> receives from all of them.
/// One at a time sends (a TTL is the socket's, not the packet's).
/// </summary>
internal sealed class UdpSocket : IDisposable
{
    // Windows: a port-unreachable that comes back must not fail the next receive.
    private const int SioUdpConnReset = unchecked((int)0x9800000C);

    // What arrives while the engine is busy: about 900 full packets, or 30 ms at 250 Mbit/s. Systems may grant less.
    private const int BufferBytes = 1 << 20;

    // After an error that follows another: an interface that went may stay away, and its loop must not take a core.
    private static readonly TimeSpan FailurePause = TimeSpan.FromMilliseconds(100);

    // In sockaddr_in and sockaddr_in6 of every system; behind the port the latter has a flow label, and behind the address a scope.
    private const int PortOffset = 2, IPv4Offset = 4, IPv6Offset = 8;

    private readonly Socket _socket;
    private readonly SocketAddress _source;
    private readonly SocketAddress _destination;
    private readonly UdpSocketOptions _options;
    private readonly Nat64 _nat64;
    private readonly bool _hasIPv4;
    private readonly bool _hasIPv6;
    private readonly ManualResetEventSlim _closed = new();

    /// <param name="local">Where to bind it. <see cref="IPAddress.IPv6Any"/> is both families; another address is its own.</param>
    /// <param name="nat64">How IPv4 is reached where there is none.</param>
    /// <param name="blocks">Whether receiving waits.</param>
    /// <exception cref="SocketException">The address cannot be bound, or the system has no IPv6.</exception>
    public UdpSocket(IPEndPoint local, Nat64 nat64, bool blocks = true)
    {
        _nat64 = nat64;
        _hasIPv6 = local.AddressFamily == AddressFamily.InterNetworkV6;
        _hasIPv4 = !_hasIPv6 || local.Address.Equals(IPAddress.IPv6Any);
        _socket = new Socket(local.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        _source = new SocketAddress(local.AddressFamily);
        _destination = new SocketAddress(local.AddressFamily);
        try
        {
            _socket.Blocking = blocks;
            if (OperatingSystem.IsWindows()) _socket.IOControl(SioUdpConnReset, [0, 0, 0, 0], null);
            if (_hasIPv6) _socket.DualMode = _hasIPv4;
            _socket.ReceiveBufferSize = BufferBytes;
            _socket.SendBufferSize = BufferBytes;
            _options = new UdpSocketOptions(_socket);
            _socket.Bind(local);
            LocalEndPoint = (IPEndPoint)_socket.LocalEndPoint!;
        }
        catch
        {
            _socket.Dispose();
            throw;
        }
    }

    /// <summary>Where it is bound; known also when it is closed.</summary>
    public IPEndPoint LocalEndPoint { get; }

    /// <summary>A port of both families, or any that is free; of IPv4 alone where the system has no IPv6 (on Linux, <c>ipv6.disable=1</c>).</summary>
    /// <param name="nat64">How IPv4 is reached where there is none.</param>
    /// <param name="port">0 for any.</param>
    /// <exception cref="SocketException">There is none, or it is taken.</exception>
    public static UdpSocket BindAny(Nat64 nat64, int port = 0)
    {
        if (Socket.OSSupportsIPv6)
        {
            try
            {
                return new UdpSocket(new IPEndPoint(IPAddress.IPv6Any, port), nat64);
            }
            catch (SocketException exception) when (exception.SocketErrorCode != SocketError.AddressAlreadyInUse)
            {
                // Switched off in a way that only trying shows.
            }
        }
        return new UdpSocket(new IPEndPoint(IPAddress.Any, port), nat64);
    }

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
        var destination = _nat64.ToWire(transmit.Destination);
        if (destination.IsIPv4 ? !_hasIPv4 : !_hasIPv6) return;
        WriteDestination(destination);
        try
        {
            if (transmit.TimeToLive != 0) _options.SetTimeToLive(destination.IsIPv4, transmit.TimeToLive);
            _socket.SendTo(datagram, SocketFlags.None, _destination);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // No route, no buffer, a firewall's refusal, longer than the interface takes, or closed: recovery sends again where it
            // matters, and a probe of path MTU discovery is lost.
        }
        finally
        {
            if (transmit.TimeToLive != 0) RestoreTimeToLive(destination.IsIPv4);
        }
    }

    /// <summary>The address of ours from which packets to <paramref name="remote"/> leave. Asks the routing table; sends nothing.</summary>
    public IPEndPoint LocalEndPointTowards(IPEndPoint remote)
    {
        var local = LocalEndPoint;
        if (!local.Address.Equals(IPAddress.Any) && !local.Address.Equals(IPAddress.IPv6Any)) return local;
        try
        {
            var wire = _nat64.ToWire(Endpoint.From(remote)).ToIPEndPoint();
            using var probe = new Socket(wire.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            probe.Connect(wire);
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

    // A dual-mode socket has IPv4 addresses in their mapped form, which is how an Endpoint has them.
    private Endpoint ReadSource()
    {
        var address = _source.Buffer.Span;
        var port = BinaryPrimitives.ReadUInt16BigEndian(address[PortOffset..]);
        return _nat64.FromWire(_hasIPv6
            ? new Endpoint(BinaryPrimitives.ReadUInt128BigEndian(address[IPv6Offset..]), port)
            : Endpoint.FromIPv4(BinaryPrimitives.ReadUInt32BigEndian(address[IPv4Offset..]), port));
    }

    private void WriteDestination(Endpoint destination)
    {
        var address = _destination.Buffer.Span;
        BinaryPrimitives.WriteUInt16BigEndian(address[PortOffset..], destination.Port);
        if (_hasIPv6) BinaryPrimitives.WriteUInt128BigEndian(address[IPv6Offset..], destination.Address);
        else BinaryPrimitives.WriteUInt32BigEndian(address[IPv4Offset..], destination.IPv4);
    }

    private void RestoreTimeToLive(bool isIPv4)
    {
        try
        {
            _options.RestoreTimeToLive(isIPv4);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // Closed meanwhile.
        }
    }
}
