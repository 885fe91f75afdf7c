using System.Net;
using System.Net.Sockets;
using Punchline.Protocols.Primitives;
using Punchline.Sockets;

namespace Punchline.Tests.Sockets;

/// <summary>One socket for both families.</summary>
public sealed class UdpSocketTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public void A_socket_of_both_families_sends_and_receives_in_each(string loopback)
    {
        Assert.SkipUnless(Socket.OSSupportsIPv6, "This machine has no IPv6.");
        var address = IPAddress.Parse(loopback);
        using var ours = UdpSocket.BindAny(new Nat64());
        using var other = NewReceiver(address);
        var there = Endpoint.From((IPEndPoint)other.LocalEndPoint!);

        ours.Send("to"u8, new Transmit(there, 2));
        var buffer = new byte[16];
        EndPoint from = new IPEndPoint(address, 0);
        Assert.Equal(2, other.ReceiveFrom(buffer, ref from));
        Assert.Equal(new IPEndPoint(address, ours.LocalEndPoint.Port), from);

        other.SendTo("back"u8, from);
        Assert.True(ours.TryReceive(buffer, out var length, out var source));
        Assert.Equal((4, there), (length, source));
        Assert.Equal(new IPEndPoint(address, ours.LocalEndPoint.Port), ours.LocalEndPointTowards(there.ToIPEndPoint()));
    }

    [Theory]
    [InlineData("0.0.0.0", "127.0.0.1", true)]
    [InlineData("0.0.0.0", "::1", false)]
    [InlineData("::", "127.0.0.1", true)]
    [InlineData("::", "::1", true)]
    [InlineData("127.0.0.1", "127.0.0.1", true)]
    [InlineData("::1", "::1", true)]
    [InlineData("::1", "127.0.0.1", false)]
    public void The_address_that_is_asked_for_decides_on_the_families(string local, string to, bool arrives)
    {
        Assert.SkipUnless(Socket.OSSupportsIPv6, "This machine has no IPv6.");
        using var ours = new UdpSocket(new IPEndPoint(IPAddress.Parse(local), 0), new Nat64());
        using var other = NewReceiver(IPAddress.Parse(to));
        ours.Send("x"u8, new Transmit(Endpoint.From((IPEndPoint)other.LocalEndPoint!), 1));
        // On loopback a datagram is there when it has been sent.
        Assert.Equal(arrives, other.Poll(TimeSpan.Zero, SelectMode.SelectRead));
    }

    // WIRE: on a dual-mode socket one property does not do for both families.
    [Theory]
    [InlineData("::", "127.0.0.1")]
    [InlineData("::", "::1")]
    [InlineData("0.0.0.0", "127.0.0.1")]
    [InlineData("::1", "::1")]
    public void One_packet_has_its_own_time_to_live_and_the_next_one_the_systems(string local, string to)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Socket.OSSupportsIPv6, "Reads the field as Linux hands it out.");
        using var ours = new UdpSocket(new IPEndPoint(IPAddress.Parse(local), 0), new Nat64());
        using var other = NewReceiver(IPAddress.Parse(to));
        TimeToLiveReader.Enable(other);
        var there = Endpoint.From((IPEndPoint)other.LocalEndPoint!);
        ours.Send("a"u8, new Transmit(there, 1));
        ours.Send("b"u8, new Transmit(there, 1, 2));
        ours.Send("c"u8, new Transmit(there, 1));
        var usual = TimeToLiveReader.Read(other);
        Assert.InRange(usual, 32, 255);
        Assert.Equal(2, TimeToLiveReader.Read(other));
        Assert.Equal(usual, TimeToLiveReader.Read(other));
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public void Sending_and_receiving_allocate_nothing(string loopback)
    {
        Assert.SkipUnless(Socket.OSSupportsIPv6, "This machine has no IPv6.");
        using var first = UdpSocket.BindAny(new Nat64());
        using var second = UdpSocket.BindAny(new Nat64());
        var there = new Endpoint(Endpoint.From(IPAddress.Parse(loopback), 0).Address, (ushort)second.LocalEndPoint.Port);
        Span<byte> buffer = new byte[1_500];
        long Exchange(int packets, Span<byte> buffer)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < packets; i++)
            {
                first.Send("packet"u8, new Transmit(there, 6, (byte)(i % 2)));
                second.TryReceive(buffer, out _, out _);
            }
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
        // What happens once: tiers of the JIT, the runtime's own caches.
        Exchange(200, buffer);
        Assert.Equal(0, Exchange(200, buffer));
    }

    [Fact]
    public void No_packet_of_either_family_is_fragmented()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Socket.OSSupportsIPv6, "Reads the options as Linux has them.");
        using var socket = new Socket(AddressFamily.InterNetworkV6, SocketType.Dgram, ProtocolType.Udp) { DualMode = true };
        _ = new UdpSocketOptions(socket);
        // IP_MTU_DISCOVER, IPV6_MTU_DISCOVER (IP_PMTUDISC_PROBE is 3) and IPV6_DONTFRAG.
        Assert.Equal([3, 3, 1], new[] { (0, 10), (41, 23), (41, 62) }.Select(option =>
        {
            var value = new byte[sizeof(int)];
            socket.GetRawSocketOption(option.Item1, option.Item2, value);
            return BitConverter.ToInt32(value);
        }));
    }

    private static Socket NewReceiver(IPAddress address)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = (int)Patience.TotalMilliseconds };
        socket.Bind(new IPEndPoint(address, 0));
        return socket;
    }
}
