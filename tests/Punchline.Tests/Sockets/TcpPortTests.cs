using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Punchline.Protocols.Node;
using Punchline.Protocols.Primitives;
using Punchline.Sockets;

namespace Punchline.Tests.Sockets;

public sealed class TcpPortTests
{
    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public async Task One_port_takes_connections_and_makes_them(string address)
    {
        using var first = new Owner(address);
        using var second = new Owner(address);
        var made = first.Connect(1, second.Port.LocalEndPoint);
        Assert.Equal("connected", await first.NextAsync());
        Assert.Equal("accepted", await second.NextAsync());
        // From the very port that is listened on.
        Assert.Equal(first.Port.LocalEndPoint.Port, ((IPEndPoint)second.Last!.Socket.RemoteEndPoint!).Port);

        Assert.Equal(5, made.Send("hello"u8, first));
        Assert.Equal("read hello", await second.NextAsync());
        made.Close();
        Assert.Equal("read ", await second.NextAsync());
    }

    [Theory] // what comes in, and what leaves, by either family
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public async Task One_number_is_of_both_families(string address)
    {
        using var both = new Owner("::");
        Assert.Equal((true, true, IPAddress.IPv6Any), (both.Port.HasIPv4, both.Port.HasIPv6, both.Port.LocalEndPoint.Address));
        var ours = new IPEndPoint(IPAddress.Parse(address), both.Port.LocalEndPoint.Port);
        using var other = new Owner(address);
        other.Connect(1, ours);
        Assert.Equal("connected", await other.NextAsync());
        Assert.Equal("accepted", await both.NextAsync());
        // IPv4 as such, and not in its mapped form.
        Assert.Equal(other.Port.LocalEndPoint, both.Last!.Socket.RemoteEndPoint);

        using var third = new Owner(address);
        both.Connect(2, third.Port.LocalEndPoint);
        Assert.Equal("connected", await both.NextAsync());
        Assert.Equal("accepted", await third.NextAsync());
        Assert.Equal(ours, third.Last!.Socket.RemoteEndPoint);
    }

    [Fact]
    public async Task An_address_of_an_interface_is_reached_at_the_port_of_both_families()
    {
        var ours = InterfaceAddress.All().Select(address => address.Address).FirstOrDefault(address => address is { AddressFamily: AddressFamily.InterNetworkV6, IsIPv6LinkLocal: false } && !IPAddress.IsLoopback(address));
        Assert.SkipWhen(ours is null, "No interface has an IPv6 address.");
        using var both = new Owner("::");
        using var other = new Owner($"{ours}");
        other.Connect(1, new IPEndPoint(ours, both.Port.LocalEndPoint.Port));
        Assert.Equal("connected", await other.NextAsync());
        Assert.Equal("accepted", await both.NextAsync());
    }

    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("::")]
    public void A_number_that_is_taken_in_one_family_is_taken_in_none(string taken)
    {
        var address = IPAddress.Parse(taken);
        using var others = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        others.Bind(new IPEndPoint(address, 0));
        others.Listen();
        var number = ((IPEndPoint)others.LocalEndPoint!).Port;
        Assert.Throws<SocketException>(() => new Owner("::", number).Dispose());
        using var free = new Owner(address.AddressFamily == AddressFamily.InterNetwork ? "::1" : "127.0.0.1", number);
        Assert.Equal(number, free.Port.LocalEndPoint.Port);
    }

    [Theory]
    [InlineData("127.0.0.1", "::1")]
    [InlineData("::1", "127.0.0.1")]
    public async Task A_connect_to_a_family_that_the_port_is_not_of_fails(string bound, string other)
    {
        using var owner = new Owner(bound);
        using var somebody = new Owner(other);
        owner.Connect(1, somebody.Port.LocalEndPoint);
        Assert.Equal("closed", await owner.NextAsync());
    }

    [Fact] // each with a socket of its own, or the second would fail for another reason
    public async Task A_refused_connect_is_told_and_can_be_tried_again()
    {
        using var first = new Owner();
        IPEndPoint nobody;
        using (var gone = new Owner()) nobody = gone.Port.LocalEndPoint;
        first.Connect(1, nobody);
        Assert.Equal("closed", await first.NextAsync());
        first.Connect(2, nobody);
        Assert.Equal("closed", await first.NextAsync());
    }

    [Theory] // SYNs of several sockets: refused until somebody is there
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public async Task A_held_port_stays_the_same_until_it_is_met(string address)
    {
        using var holder = new Owner(address);
        using var target = new Socket(holder.Port.LocalEndPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        target.Bind(new IPEndPoint(IPAddress.Parse(address), 0));
        var held = holder.Port.Connect(new TcpCommand(
            TcpCommandKind.Hold, new SocketId(Carrier.Tcp, 1), Endpoint.From((IPEndPoint)target.LocalEndPoint!), OpenerLead: TimeSpan.FromMilliseconds(300)) { IsSide = true });
        var port = ((IPEndPoint)held.Socket.LocalEndPoint!).Port;
        Assert.NotEqual(holder.Port.LocalEndPoint.Port, port);
        target.Listen();
        using var met = await target.AcceptAsync(TestContext.Current.CancellationToken);
        Assert.Equal(port, ((IPEndPoint)met.RemoteEndPoint!).Port);
        Assert.Equal("connected", await holder.NextAsync());
        held.Close();
    }

    [Fact] // Linux ends a connect at the ICMP message about its SYN, unless that had less to live than this
    public async Task An_opener_outlives_the_message_that_its_end_provokes()
    {
        const int IPLevel = 0, MinTimeToLive = 21;
        Assert.SkipUnless(OperatingSystem.IsLinux(), "IP_MINTTL is Linux's.");
        using var owner = new Owner("0.0.0.0");
        using var silent = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        silent.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var remote = Endpoint.From((IPEndPoint)silent.LocalEndPoint!);
        var opener = owner.Port.Connect(new TcpCommand(TcpCommandKind.Connect, new SocketId(Carrier.Tcp, 1), remote, OpenerLead: TimeSpan.FromMinutes(1)));
        Assert.Equal(2, OptionOf(opener));
        opener.Close();
        Assert.Equal("closed", await owner.NextAsync());
        using var peer = new Owner();
        // What goes all the way is told of whatever stops it.
        Assert.Equal(0, OptionOf(owner.Connect(2, peer.Port.LocalEndPoint)));
        Assert.Equal("connected", await owner.NextAsync());

        static int OptionOf(TcpConnection connection)
        {
            Span<byte> value = stackalloc byte[sizeof(int)];
            connection.Socket.GetRawSocketOption(IPLevel, MinTimeToLive, value);
            return BitConverter.ToInt32(value);
        }
    }

    [Fact]
    public async Task A_held_port_that_is_given_up_ends()
    {
        using var holder = new Owner();
        using var target = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        target.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var held = holder.Port.Connect(new TcpCommand(
            TcpCommandKind.Hold, new SocketId(Carrier.Tcp, 1), Endpoint.From((IPEndPoint)target.LocalEndPoint!), OpenerLead: TimeSpan.FromMilliseconds(20)) { IsSide = true });
        held.Close();
        Assert.Equal("closed", await holder.NextAsync());
    }

    [Fact] // what the system does not take waits, is told of, and leaves before the end
    public async Task More_than_the_system_takes_waits_and_arrives()
    {
        using var first = new Owner();
        using var second = new Owner { Reads = false };
        var made = first.Connect(1, second.Port.LocalEndPoint);
        Assert.Equal("connected", await first.NextAsync());
        Assert.Equal("accepted", await second.NextAsync());
        var sent = new byte[8 << 20];
        Random.Shared.NextBytes(sent);
        var taken = made.Send(sent, first);
        Assert.InRange(taken, 1, sent.Length - 1);
        made.Close();

        var received = new MemoryStream();
        var buffer = new byte[65_536];
        second.Last!.Socket.Blocking = true;
        while (await second.Last.Socket.ReceiveAsync(buffer, TestContext.Current.CancellationToken) is var length and > 0) await received.WriteAsync(buffer.AsMemory(0, length), TestContext.Current.CancellationToken);
        Assert.Equal(sent, received.ToArray());
    }

    private sealed class Owner : ITcpPortOwner, IDisposable
    {
        private readonly Channel<string> _heard = Channel.CreateUnbounded<string>();

        public Owner(string address = "127.0.0.1", int port = 0)
        {
            Port = new TcpPort(new IPEndPoint(IPAddress.Parse(address), port), new Nat64(), this);
            Port.Start();
        }

        public TcpPort Port { get; }

        public TcpConnection? Last { get; private set; }

        public bool Reads { get; init; } = true;

        public TcpConnection Connect(int number, IPEndPoint remote) =>
            Port.Connect(new TcpCommand(TcpCommandKind.Connect, new SocketId(Carrier.Tcp, number), Endpoint.From(remote)));

        public ValueTask<string> NextAsync() => _heard.Reader.ReadAsync(TestContext.Current.CancellationToken);

        public bool TryAccept(TcpConnection connection, Endpoint remote)
        {
            Last = connection;
            return _heard.Writer.TryWrite("accepted");
        }

        public void OnConnected(TcpConnection connection) => _heard.Writer.TryWrite("connected");

        public bool OnReadable(TcpConnection connection)
        {
            if (!Reads) return false;
            var buffer = new byte[100];
            var length = connection.Receive(buffer);
            if (length >= 0) _heard.Writer.TryWrite("read " + System.Text.Encoding.ASCII.GetString(buffer, 0, length));
            return length != 0;
        }

        public void OnTaken(TcpConnection connection, int bytes) => _heard.Writer.TryWrite("taken");

        public void OnClosed(TcpConnection connection)
        {
            connection.Close();
            _heard.Writer.TryWrite("closed");
        }

        public void Dispose() => Port.Dispose();
    }
}
