using System.Net;
using System.Net.Sockets;
using Punchline.Protocols.PortMapping;
using Punchline.Protocols.Primitives;

namespace Punchline.Sockets;

/// <summary>
/// The socket for PCP, NAT-PMP and SSDP, on the interface towards the gateway. Few datagrams come by it, so it has no thread of its own.
/// </summary>
internal sealed class GatewaySocket : IDisposable
{
    // Windows: a port-unreachable that comes back must not fail the next receive.
    private const int SioUdpConnReset = unchecked((int)0x9800000C);

    // UPnP Device Architecture 1.1 §1.3.2: 2 by default.
    private const short MulticastTimeToLive = 2;

    // After an error: an interface that went may stay away.
    private static readonly TimeSpan FailurePause = TimeSpan.FromMilliseconds(100);

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);

    /// <exception cref="SocketException">The address is not ours any more.</exception>
    public GatewaySocket(IPAddress local)
    {
        try
        {
            if (OperatingSystem.IsWindows()) _socket.IOControl(SioUdpConnReset, [0, 0, 0, 0], null);
            _socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.MulticastInterface, local.GetAddressBytes());
            _socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.MulticastTimeToLive, MulticastTimeToLive);
            _socket.Bind(new IPEndPoint(local, 0));
        }
        catch
        {
            _socket.Dispose();
            throw;
        }
    }

    /// <summary>Sends a datagram; one that the system does not take is lost, as any may be on its way.</summary>
    public void Send(ReadOnlySpan<byte> datagram, Endpoint destination)
    {
        try
        {
            _socket.SendTo(datagram, SocketFlags.None, destination.ToIPEndPoint());
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // No route, a firewall's refusal, or closed: it is sent again, or asked no more.
        }
    }

    /// <summary>Hands over every datagram until it is cancelled. What is longer than any answer is cut off, and so is none.</summary>
    public async Task ReceiveAsync(Action<Endpoint, ReadOnlyMemory<byte>> handle, CancellationToken cancellationToken)
    {
        var buffer = new byte[SsdpMessage.MaxResponseLength + 1];
        var anyone = new IPEndPoint(IPAddress.Any, 0);
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                var received = await _socket.ReceiveFromAsync(buffer, SocketFlags.None, anyone, cancellationToken).ConfigureAwait(false);
                handle(Endpoint.From((IPEndPoint)received.RemoteEndPoint), buffer.AsMemory(0, received.ReceivedBytes));
            }
            catch (SocketException) when (!cancellationToken.IsCancellationRequested)
            {
                await Task.Delay(FailurePause, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    public void Dispose() => _socket.Dispose();
}
