using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Stun;
using Punchline.Server.Stun;

namespace Punchline.Server.Tests.Stun;

public sealed class StunServerTests
{
    private static readonly TimeSpan Rto = TimeSpan.FromSeconds(2);
    private static readonly IPAddress First = IPAddress.Parse("127.0.0.1");
    private static readonly IPAddress Second = IPAddress.Parse("127.0.0.2");
    private static readonly IPAddress Third = IPAddress.Parse("127.0.0.3");

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public async Task Both_ports_answer_with_the_clients_endpoint(string address)
    {
        var ip = IPAddress.Parse(address);
        Assert.SkipUnless(ip.AddressFamily == AddressFamily.InterNetwork || Socket.OSSupportsIPv6, "no IPv6 here");
        await using var server = await StartPairAsync([ip]);
        Assert.Equal([new IPEndPoint(ip, server.Port), new IPEndPoint(ip, server.Port + 1)], server.Endpoints);
        using var client = new StunClientSocket(ip, Rto);

        AssertReflected(client, server.Endpoints);
        Assert.Equal(2, server.Requests);
    }

    [Fact]
    public async Task An_answer_leaves_from_the_address_that_was_asked()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() || OperatingSystem.IsWindows(), "this system's loopback has one address");
        await using var server = await StartPairAsync([First, Second, Third]);
        Assert.Equal(6, server.Endpoints.Count);
        using var client = new StunClientSocket(First, Rto);
        // The client takes answers only from the endpoint that it asked.
        AssertReflected(client, server.Endpoints);
        Assert.Equal(6, server.Requests);
    }

    [Fact]
    public async Task The_answer_goes_to_another_socket_of_the_client_where_that_is_asked_for()
    {
        await using var server = await StartPairAsync([First]);
        using var asker = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 10_000 };
        asker.Bind(new IPEndPoint(First, 0));
        listener.Bind(new IPEndPoint(First, 0));
        Ask(((IPEndPoint)listener.LocalEndPoint!).Port);
        var response = new byte[100];
        EndPoint source = new IPEndPoint(IPAddress.Any, 0);
        var length = listener.ReceiveFrom(response, ref source);
        Assert.Equal(server.Endpoints[0], source);
        Assert.True(StunMessage.TryRead(response.AsSpan(0, length), out var message));
        // What it says is the asker's endpoint all the same.
        Assert.True(message.TryFind(StunAttributeType.XorMappedAddress, out var value) && StunAddress.TryReadXor(value, message.TransactionId, out var mapped)
            && mapped.Port == ((IPEndPoint)asker.LocalEndPoint!).Port);

        void Ask(int port)
        {
            var request = new StunWriter(new byte[28], StunClass.Request, StunMethod.Binding, new StunTransactionId(1, 2));
            request.WriteAttribute(StunAttributeType.ResponsePort, [(byte)(port >> 8), (byte)port, 0, 0]);
            asker.SendTo(request.Written, server.Endpoints[0]);
        }
    }

    [Fact]
    public async Task Bound_to_any_address_it_has_a_socket_for_each()
    {
        await using var server = StunServer.Start(IPAddress.Any, 0, NullLogger.Instance);
        Assert.Contains(new IPEndPoint(IPAddress.Loopback, server.Port), server.Endpoints);
        Assert.All(server.Endpoints, endpoint => Assert.Equal(AddressFamily.InterNetwork, endpoint.AddressFamily));
        Assert.DoesNotContain(server.Endpoints, endpoint => endpoint.Address.Equals(IPAddress.Any));
        using var client = new StunClientSocket(IPAddress.Loopback, Rto);
        AssertReflected(client, [new IPEndPoint(IPAddress.Loopback, server.Port)]);
    }

    [Fact]
    public async Task Addresses_that_come_and_go_are_followed()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() || OperatingSystem.IsWindows(), "this system's loopback has one address");
        var logger = new RecordingLogger();
        IReadOnlyList<IPAddress> addresses = [First];
        await using var server = StunServer.Start(() => addresses, 0, logger);
        using var client = new StunClientSocket(First, Rto);
        AssertReflected(client, [new IPEndPoint(First, server.Port)]);

        addresses = [Second];
        server.Refresh();
        Assert.All(server.Endpoints, endpoint => Assert.Equal(Second, endpoint.Address));
        AssertReflected(client, [new IPEndPoint(Second, server.Port)]);
        Assert.Equal(2, server.Requests);
        Assert.Contains(2001, logger.EventIds);

        server.Refresh();
        AssertReflected(client, [new IPEndPoint(Second, server.Port)]);
        Assert.Equal(3, server.Requests);
    }

    [Fact]
    public async Task A_second_port_that_is_taken_is_logged_and_done_without()
    {
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        var port = BindAboveAFreePort(taken);
        var logger = new RecordingLogger();
        await using var server = StunServer.Start(First, port, logger);
        Assert.Equal([new IPEndPoint(First, port)], server.Endpoints);
        Assert.Equal([2000, 2002], logger.EventIds);
        server.Refresh(); // tries again, and does not repeat itself
        Assert.Equal([2000, 2002], logger.EventIds);

        taken.Dispose();
        // Another test's socket may be given the port meanwhile, for as long as that lasts.
        for (var attempt = 0; attempt < 200; attempt++)
        {
            server.Refresh();
            if (server.Endpoints.Count == 2) break;
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
        Assert.Equal([2000, 2002, 2000], logger.EventIds);
        Assert.Equal([new IPEndPoint(First, port), new IPEndPoint(First, port + 1)], server.Endpoints);
        using var client = new StunClientSocket(First, Rto);
        AssertReflected(client, server.Endpoints);
    }

    [Fact]
    public void A_first_port_that_is_taken_is_an_error()
    {
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        taken.Bind(new IPEndPoint(First, 0));
        var port = ((IPEndPoint)taken.LocalEndPoint!).Port;
        var logger = new RecordingLogger();
        var failure = Assert.Throws<SocketException>(() => StunServer.Start(First, port, logger));
        Assert.Equal(SocketError.AddressAlreadyInUse, failure.SocketErrorCode);
        Assert.Equal([2002], logger.EventIds);
    }

    [Fact]
    public async Task More_addresses_than_the_limit_are_left_out_and_said()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "only Linux's loopback has so many addresses");
        var logger = new RecordingLogger();
        var addresses = Enumerable.Range(1, StunServer.MaxAddresses + 1).Select(host => new IPAddress([127, 0, 1, (byte)host])).ToList();
        await using var server = StunServer.Start(() => addresses, 0, logger);
        Assert.Equal(StunServer.MaxAddresses, server.Endpoints.Select(endpoint => endpoint.Address).Distinct().Count());
        server.Refresh();
        Assert.Equal(2004, Assert.Single(logger.EventIds, id => id == 2004));
    }

    [Fact]
    public async Task Garbage_and_clients_that_are_gone_stop_nothing()
    {
        await using var server = await StartPairAsync([First]);
        for (var i = 0; i < 20; i++) SendAndLeave(server.Endpoints[0]);
        using var client = new StunClientSocket(First, Rto);
        AssertReflected(client, [server.Endpoints[0]]);
        Assert.Equal(21, server.Requests);
    }

    [Fact]
    public async Task It_stops_and_its_ports_are_free_again()
    {
        var server = await StartPairAsync([First]);
        using (var client = new StunClientSocket(First, Rto)) AssertReflected(client, server.Endpoints);
        await server.DisposeAsync();
        await server.DisposeAsync();
        Assert.Empty(server.Endpoints);
        Assert.Equal(2, server.Requests);
        server.Refresh();
        Assert.Empty(server.Endpoints);

        await using var next = StunServer.Start(First, server.Port, NullLogger.Instance);
        Assert.Equal(server.Port, next.Port);
    }

    [Fact]
    public void A_silent_server_times_out()
    {
        using var silent = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        silent.Bind(new IPEndPoint(First, 0));
        // (1 + 2 + 4 + 8 + 16 + 32) + 16 = 79 RTOs of 1 ms
        using var client = new StunClientSocket(First, TimeSpan.FromMilliseconds(1));
        var server = (IPEndPoint)silent.LocalEndPoint!;
        Assert.Equal([new StunClientEvent.Failed(Endpoint.From(server), StunFailure.TimedOut)], client.Query(server));
    }

    private static void SendAndLeave(IPEndPoint server)
    {
        // The answer meets a closed port: ICMP "port unreachable" comes back to the server's socket.
        using var gone = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        var request = new StunWriter(new byte[20], StunClass.Request, StunMethod.Binding, default).Written;
        gone.SendTo(request, server);
        gone.SendTo([], server);
        gone.SendTo(new byte[9_000], server);
        gone.SendTo(request[..19], server);
    }

    // A free port whose neighbour is free too; on a busy machine that takes a few draws.
    private static async Task<StunServer> StartPairAsync(IReadOnlyList<IPAddress> addresses)
    {
        for (var draw = 0; draw < 20; draw++)
        {
            var server = StunServer.Start(() => addresses, 0, NullLogger.Instance);
            if (server.Endpoints.Count == 2 * addresses.Count) return server;
            await server.DisposeAsync();
        }
        throw new InvalidOperationException("No two neighbouring ports are free.");
    }

    private static int BindAboveAFreePort(Socket socket)
    {
        for (var draw = 0; draw < 20; draw++)
        {
            using var free = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            free.Bind(new IPEndPoint(First, 0));
            var port = ((IPEndPoint)free.LocalEndPoint!).Port;
            try
            {
                socket.Bind(new IPEndPoint(First, port + 1));
                return port;
            }
            catch (SocketException)
            {
                // Taken: another draw.
            }
        }
        throw new InvalidOperationException("No two neighbouring ports are free.");
    }

    private static void AssertReflected(StunClientSocket client, IReadOnlyList<IPEndPoint> servers)
    {
        var ended = client.Query(servers);
        Assert.Equal(servers.Count, ended.Count);
        foreach (var server in servers)
        {
            var reflected = Assert.Single(ended.OfType<StunClientEvent.Reflected>(), one => one.Server == Endpoint.From(server));
            Assert.Equal(client.Local.Port, reflected.Mapped.Port);
            Assert.Equal(client.Local, reflected.Mapped);
        }
    }
}
