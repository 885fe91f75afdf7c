using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Punchline.Protocols.Primitives;
using Punchline.Sockets;

namespace Punchline.Tests.Sockets;

public sealed class SideSocketSetTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly BlockingCollection<(PathAddress Source, byte[] Datagram)> _received = [];

    // As many as a port search takes.
    [Fact]
    public void Two_hundred_and_fifty_six_sockets_receive_and_send_each_by_its_own_port()
    {
        using var set = new SideSocketSet(IPAddress.Loopback, new Nat64(), (source, datagram) => _received.Add((source, datagram.ToArray())));
        using var peer = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = (int)Patience.TotalMilliseconds };
        peer.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var there = Endpoint.From(IPAddress.Loopback, (ushort)((IPEndPoint)peer.LocalEndPoint!).Port);
        var ports = new Dictionary<SocketId, ushort>();
        for (var i = 1; i <= 256; i++)
        {
            var id = new SocketId(Carrier.Udp, i);
            Assert.True(set.TryOpen(id, out var port));
            ports.Add(id, port);
        }
        Assert.Equal(256, ports.Values.Distinct().Count());
        foreach (var (id, port) in ports)
        {
            peer.SendTo([], new IPEndPoint(IPAddress.Loopback, port)); // an empty datagram counts as nothing available
            peer.SendTo([1, (byte)id.Number], new IPEndPoint(IPAddress.Loopback, port));
            Assert.Equal((id, there, 0), (Take() is var (source, empty) ? source.Local : default, source.Remote, empty.Length));
            Assert.Equal((new PathAddress(id, there), (byte)id.Number), (Take() is var (path, datagram) ? path : default, datagram[1]));
            set.Send([2], new Transmit(new PathAddress(id, there), 1));
            EndPoint from = new IPEndPoint(IPAddress.Any, 0);
            Assert.Equal(1, peer.ReceiveFrom(new byte[8], ref from));
            Assert.Equal(port, ((IPEndPoint)from).Port);
        }
    }

    [Fact]
    public void What_is_closed_sends_nothing_any_more_and_gives_its_port_back()
    {
        using var set = new SideSocketSet(IPAddress.Loopback, new Nat64(), (source, datagram) => _received.Add((source, datagram.ToArray())));
        SocketId first = new(Carrier.Udp, 1), second = new(Carrier.Udp, 2);
        Assert.True(set.TryOpen(first, out var port));
        Assert.True(set.TryOpen(second, out var otherPort));
        set.Close(first);
        set.Send([1], new Transmit(new PathAddress(first, Endpoint.From(IPAddress.Loopback, otherPort)), 1));
        Assert.True(SpinWait.SpinUntil(() => TryBind(port), Patience));
        set.Send([2], new Transmit(new PathAddress(second, Endpoint.From(IPAddress.Loopback, otherPort)), 1));
        Assert.Equal([2], Take().Datagram);
    }

    private static bool TryBind(ushort port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private (PathAddress Source, byte[] Datagram) Take() =>
        _received.TryTake(out var received, Patience) ? received : throw new TimeoutException("Nothing was received.");
}
