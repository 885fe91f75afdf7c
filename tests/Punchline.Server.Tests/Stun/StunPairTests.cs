using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Stun;
using Punchline.Server.Stun;
using Punchline.Server.Tests.Coordination;

namespace Punchline.Server.Tests.Stun;

/// <summary>Two addresses and two ports, on loopback.</summary>
public sealed class StunPairTests
{
    internal static readonly IPAddress First = IPAddress.Parse("127.0.0.1");
    internal static readonly IPAddress Second = IPAddress.Parse("127.0.0.2");

    [Theory]
    [InlineData(0, 0)]
    [InlineData(2, 1)]
    [InlineData(4, 2)]
    [InlineData(6, 3)]
    public async Task The_answer_comes_from_the_endpoint_that_the_request_chose(byte flags, int expected)
    {
        SkipUnlessLoopbackHasTwoAddresses();
        await using var server = StartPair();
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 10_000 };
        client.Bind(new IPEndPoint(First, 0));
        var (source, message) = Ask(client, server.Endpoints[0], flags);
        Assert.Equal(server.Endpoints[expected], source);
        Assert.Equal(Endpoint.From(server.Endpoints[expected]), Read(message, StunAttributeType.ResponseOrigin));
        Assert.Equal(Endpoint.From(server.Endpoints[3]), Read(message, StunAttributeType.OtherAddress));
        Assert.Equal(1, server.Requests);
    }

    [Fact]
    public async Task Addresses_that_the_world_knows_by_others_are_named_so()
    {
        SkipUnlessLoopbackHasTwoAddresses();
        await using var server = StartPair((IPAddress.Parse("203.0.113.1"), IPAddress.Parse("203.0.113.2")));
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 10_000 };
        client.Bind(new IPEndPoint(First, 0));
        var (_, message) = Ask(client, server.Endpoints[0], 0);
        Assert.Equal(Endpoint.Parse($"203.0.113.1:{server.Port}"), Read(message, StunAttributeType.ResponseOrigin));
        Assert.Equal(Endpoint.Parse($"203.0.113.2:{server.Port + 1}"), Read(message, StunAttributeType.OtherAddress));
    }

    [Fact]
    public void One_endpoint_that_is_taken_leaves_none_bound()
    {
        SkipUnlessLoopbackHasTwoAddresses();
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        taken.Bind(new IPEndPoint(Second, 0));
        var port = ((IPEndPoint)taken.LocalEndPoint!).Port;
        Assert.Throws<SocketException>(() => StunServer.StartPair(First, Second, port, NullLogger.Instance));
        using var free = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        free.Bind(new IPEndPoint(First, port));
    }

    [Fact]
    public async Task What_ICMP_says_of_its_answers_is_told_to_who_asks()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Linux's error queue.");
        await using var server = StartPair();
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 10_000 };
        client.Bind(new IPEndPoint(First, 0));
        var port = CloseAPort();
        var elsewhere = new StunWriter(new byte[64], StunClass.Request, StunMethod.Binding, new StunTransactionId(1, 2));
        elsewhere.WriteAttribute(StunAttributeType.ResponsePort, [(byte)(port >> 8), (byte)port, 0, 0]);
        client.SendTo(elsewhere.Written, server.Endpoints[0]);
        // The next answer leaves although the last one's error waits.
        Assert.Equal([1, 0], new[] { port, (ushort)(port ^ 1) }.Select(about => AskAbout(client, server.Endpoints[0], about)));
    }

    [Fact]
    public void What_was_heard_is_forgotten()
    {
        var time = new ManualTime();
        var heard = new HeardRejections(time);
        var (first, second) = (Endpoint.Parse("192.0.2.1:5000"), Endpoint.Parse("192.0.2.1:5001"));
        Assert.False(heard.Has(first));
        heard.Note(first);
        Assert.True(heard.Has(first));
        Assert.False(heard.Has(second));
        time.Advance(HeardRejections.Lifetime);
        Assert.False(heard.Has(first));
        heard.Note(first);
        for (var i = 0; i < HeardRejections.MaxHeard; i++) heard.Note(second);
        Assert.False(heard.Has(first));
    }

    private static ushort CloseAPort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(First, 0));
        return (ushort)((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    private static int AskAbout(Socket client, IPEndPoint server, ushort port)
    {
        var request = new StunWriter(new byte[64], StunClass.Request, StunMethod.Binding, new StunTransactionId(3, port));
        StunRejection.Write(ref request, port);
        client.SendTo(request.Written, server);
        var buffer = new byte[StunMessage.MaxLength];
        Assert.True(StunMessage.TryRead(buffer.AsSpan(0, client.Receive(buffer)), out var message));
        Assert.True(message.TryFind(StunAttributeType.Rejection, out var value) && StunRejection.TryRead(value, out _));
        return value[1];
    }

    internal static void SkipUnlessLoopbackHasTwoAddresses() =>
        Assert.SkipUnless(OperatingSystem.IsLinux() || OperatingSystem.IsWindows(), "this system's loopback has one address");

    /// <summary>On a port that is free together with the next, on both addresses; on a busy machine that takes a few draws.</summary>
    internal static StunServer StartPair((IPAddress Address, IPAddress Alternate)? reached = null)
    {
        for (var draw = 0; draw < 20; draw++)
        {
            using var free = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            free.Bind(new IPEndPoint(First, 0));
            var port = ((IPEndPoint)free.LocalEndPoint!).Port;
            free.Dispose();
            if (port == IPEndPoint.MaxPort) continue;
            try
            {
                return StunServer.StartPair(First, Second, port, NullLogger.Instance, reached);
            }
            catch (SocketException)
            {
                // Taken: another draw.
            }
        }
        throw new InvalidOperationException("No two neighbouring ports are free.");
    }

    private static (IPEndPoint Source, byte[] Message) Ask(Socket client, IPEndPoint server, byte flags)
    {
        var request = new StunWriter(new byte[28], StunClass.Request, StunMethod.Binding, new StunTransactionId(1, 2));
        request.WriteAttribute(StunAttributeType.ChangeRequest, [0, 0, 0, flags]);
        client.SendTo(request.Written, server);
        var buffer = new byte[1_500];
        EndPoint source = server;
        var length = client.ReceiveFrom(buffer, ref source);
        return ((IPEndPoint)source, buffer[..length]);
    }

    private static Endpoint Read(byte[] bytes, StunAttributeType type)
    {
        Assert.True(StunMessage.TryRead(bytes, out var message));
        Assert.True(message.TryFind(type, out var value));
        Assert.True(StunAddress.TryRead(value, out var endpoint));
        return endpoint;
    }
}
