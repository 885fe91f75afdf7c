using System.Net;
using System.Net.Sockets;
using Punchline.Protocols.Mdns;
using Punchline.Protocols.Primitives;

namespace Punchline.Sockets;

/// <summary>
/// A socket in the group of multicast DNS of one family, on each link that it joins: beside those of the system's own responder, which has the same port. Few
/// datagrams come by it, so it has no thread of its own.
/// </summary>
internal sealed class MdnsSocket : IDisposable
{
    // Windows: a port-unreachable that comes back must not fail the next receive.
    private const int SioUdpConnReset = unchecked((int)0x9800000C);

    // RFC 6762 §11.
    private const int TimeToLive = 255;

    // After an error: an interface that went may stay away.
    private static readonly TimeSpan FailurePause = TimeSpan.FromMilliseconds(100);

    private readonly Socket _socket;
    private readonly IPEndPoint _group;

    private MdnsSocket(Endpoint group)
    {
        IsIPv4 = group.IsIPv4;
        _group = group.ToIPEndPoint();
        _socket = new Socket(_group.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            if (OperatingSystem.IsWindows()) _socket.IOControl(SioUdpConnReset, [0, 0, 0, 0], null);
            if (!IsIPv4) _socket.DualMode = false;
            _socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            _socket.SetSocketOption(Level, SocketOptionName.PacketInformation, true);
            _socket.SetSocketOption(Level, SocketOptionName.MulticastTimeToLive, TimeToLive);
            // For other processes of this machine.
            _socket.SetSocketOption(Level, SocketOptionName.MulticastLoopback, true);
            // What is sent to the machine itself is for whom it was before us; a group of IPv6 would bind the socket to one link, and Windows binds to none.
            var isBoundToGroup = IsIPv4 && !OperatingSystem.IsWindows();
            _socket.Bind(new IPEndPoint(isBoundToGroup ? _group.Address : IsIPv4 ? IPAddress.Any : IPAddress.IPv6Any, MdnsService.Port));
        }
        catch
        {
            _socket.Dispose();
            throw;
        }
    }

    public bool IsIPv4 { get; }

    private SocketOptionLevel Level => IsIPv4 ? SocketOptionLevel.IP : SocketOptionLevel.IPv6;

    /// <summary>Null where the system has no such family, or another program has the port for itself.</summary>
    public static MdnsSocket? TryOpen(Endpoint group)
    {
        try
        {
            return new MdnsSocket(group);
        }
        catch (SocketException)
        {
            return null;
        }
    }

    /// <summary>False where the interface is gone, or cannot be joined.</summary>
    public bool TryJoin(int network)
    {
        try
        {
            _socket.SetSocketOption(Level, SocketOptionName.AddMembership, Membership(network));
            return true;
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            return false;
        }
    }

    public void Leave(int network)
    {
        try
        {
            _socket.SetSocketOption(Level, SocketOptionName.DropMembership, Membership(network));
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // The interface went, and the membership with it.
        }
    }

    /// <summary>Sends to the group on one link; what the system does not take is lost, as any may be on its way. One at a time sends.</summary>
    public void Send(ReadOnlySpan<byte> datagram, int network)
    {
        try
        {
            // Of IPv4, an address 0.0.0.0/8 means an interface's number.
            _socket.SetSocketOption(Level, SocketOptionName.MulticastInterface, IsIPv4 ? IPAddress.HostToNetworkOrder(network) : network);
            _socket.SendTo(datagram, SocketFlags.None, _group);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // No such interface any more, a firewall's refusal, or closed: it is said again, or asked no more.
        }
    }

    /// <summary>Hands over every datagram to the group, with the number of its interface, until it is cancelled.</summary>
    public async Task ReceiveAsync(Action<int, Endpoint, ReadOnlyMemory<byte>> handle, CancellationToken cancellationToken)
    {
        // One more than what is read, so that what is cut off is too long.
        var buffer = new byte[DnsMessage.MaxLength + 1];
        var anyone = new IPEndPoint(IsIPv4 ? IPAddress.Any : IPAddress.IPv6Any, 0);
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                var received = await _socket.ReceiveMessageFromAsync(buffer, SocketFlags.None, anyone, cancellationToken).ConfigureAwait(false);
                if (received.PacketInformation.Address.Equals(_group.Address))
                    handle(received.PacketInformation.Interface, Endpoint.From((IPEndPoint)received.RemoteEndPoint), buffer.AsMemory(0, received.ReceivedBytes));
            }
            catch (SocketException) when (!cancellationToken.IsCancellationRequested)
            {
                await Task.Delay(FailurePause, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    public void Dispose() => _socket.Dispose();

    private object Membership(int network) => IsIPv4 ? new MulticastOption(_group.Address, network) : new IPv6MulticastOption(_group.Address, network);
}
