using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text;
using Punchline.Tests.Harness;

namespace Punchline.Tests.Rooms;

/// <summary>
/// A hundred thousand packets of strangers at the open ports of a room that is talking: nothing dies, nothing stays
/// behind, and the chat goes on. Among them are those that killed earlier programs.
/// </summary>
[Collection(nameof(HostilePacketTests))]
[CollectionDefinition(nameof(HostilePacketTests), DisableParallelization = true)]
public sealed class HostilePacketTests
{
    private const int Seed = 20_261;
    private const int PacketsToPeer = 60_000;
    private const int PacketsToServer = 40_000;
    private const int Connections = 200;

    // What the packets may leave in memory at most: the runtime's own caches and pools. One kept packet in ten would be twice as much.
    private const long MaxGrowth = 16 << 20;

    private static readonly byte[][] Named =
    [
        // A stray key packet and a stray chat packet from an unknown sender, as earlier programs wrote them, and an oversized key.
        Encoding.UTF8.GetBytes("""{"type":"key","from":"mallory","key":"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE"}"""),
        Encoding.UTF8.GetBytes("""{"type":"chat","from":"mallory","text":"hello"}"""),
        Encoding.UTF8.GetBytes($$"""{"type":"key","key":"{{new string('A', 60_000)}}"}"""),
        // A forged join and leave, and a name that breaks the JSON.
        Encoding.UTF8.GetBytes("""{"type":"joined","member":{"id":"x","name":"\"}],\u0000\ud800"}}"""),
        Encoding.UTF8.GetBytes("""{"type":"left","id":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","reason":"left"}"""),
        Encoding.UTF8.GetBytes("d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe"),
        [],
    ];

    [Fact]
    public async Task A_hundred_thousand_packets_of_strangers_change_nothing()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var server = await LocalServer.StartAsync(cancellation);
        await using var alice = await Guest.JoinAsync(server, "alice", cancellation);
        await using var bob = await Guest.JoinAsync(server, "bob", cancellation);
        await alice.NextAsync<RoomEvent.Connected>();
        await bob.NextAsync<RoomEvent.Connected>();
        await TalkAsync(alice, bob, "before");
        var routes = RoutesOf(alice);
        var held = GC.GetTotalMemory(forceFullCollection: true);

        var random = new Random(Seed);
        var golden = GoldenPackets();
        var port = new IPEndPoint(IPAddress.Loopback, alice.Node.LocalEndPoint.Port);
        using (var stranger = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp))
        {
            for (var i = 0; i < PacketsToPeer; i++)
            {
                Send(stranger, Forge(random, golden), port);
                // Small enough bursts for the socket's buffer, and the chat goes on between them.
                if (i % 200 == 199) await TalkAsync(bob, alice, $"meanwhile {i}");
            }
            for (var i = 0; i < PacketsToServer; i++)
            {
                Send(stranger, Forge(random, golden), server.StunEndPoint);
                if (i % 200 == 199) await AssertAnswersStunAsync(server.StunEndPoint, cancellation);
            }
        }
        await FloodWithConnectionsAsync(server, random, golden, cancellation);
        await FloodWithRegistrationsAsync(server, cancellation);

        Assert.Equal(routes, RoutesOf(alice));
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - held, long.MinValue, MaxGrowth);
        await TalkAsync(alice, bob, "after");
        await TalkAsync(bob, alice, "after, too");
        // The server introduces whoever comes now.
        await using var carol = await Guest.JoinAsync(server, "carol", cancellation);
        await carol.NextAsync<RoomEvent.Connected>();
        await carol.NextAsync<RoomEvent.Connected>();
    }

    private static void Send(Socket socket, byte[] packet, IPEndPoint to) => socket.SendTo(packet, to);

    // A message that came twice, or another's, would be the next one.
    private static async Task TalkAsync(Guest from, Guest to, string text)
    {
        await from.Room.SendAsync(text, TestContext.Current.CancellationToken);
        Assert.Equal(text, (await to.NextAsync<RoomEvent.Message>()).Text);
    }

    private static int RoutesOf(Guest guest) => guest.Node.Engine.Run((node, _) => node.RouteCount);

    // Bytes that no TLS client would send; each connection then stays open until the server has had enough or the test has.
    private static async Task FloodWithConnectionsAsync(LocalServer server, Random random, IReadOnlyList<byte[]> golden, CancellationToken cancellation)
    {
        var connections = new List<TcpClient>();
        for (var i = 0; i < Connections; i++)
        {
            var connection = new TcpClient();
            connections.Add(connection);
            await connection.ConnectAsync(server.EndPoint, cancellation);
            try
            {
                await connection.GetStream().WriteAsync(Forge(random, golden), cancellation);
            }
            catch (IOException)
            {
                // It has already hung up on us.
            }
        }
        foreach (var connection in connections) connection.Dispose();
    }

    // Requests for ever new rooms that nobody then joins: inside TLS, with whatever stands in for a member.
    private static async Task FloodWithRegistrationsAsync(LocalServer server, CancellationToken cancellation)
    {
        for (var i = 0; i < 50; i++)
        {
            using var client = new TcpClient();
            await client.ConnectAsync(server.EndPoint, cancellation);
            await using var tls = new SslStream(client.GetStream(), leaveInnerStreamOpen: false, (_, certificate, _, _) => certificate is not null);
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost" }, cancellation);
            var room = new string("abcdefghijklmnopqrstuvwxyz234567"[i % 32], 52);
            await tls.WriteAsync(Encoding.ASCII.GetBytes(
                $"GET /v1/rooms/{room[..51]}a HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: punchline.v1\r\n\r\n"), cancellation);
            var answer = new byte[12];
            await tls.ReadExactlyAsync(answer, cancellation);
            Assert.Equal("HTTP/1.1 101", Encoding.ASCII.GetString(answer));
            await tls.WriteAsync(MaskedText(Named[3 + (i % 2)]), cancellation);
        }
    }

    // RFC 6455 §5.2: FIN and text, masked by zeros, below 126 bytes.
    private static byte[] MaskedText(byte[] text) => [0x81, (byte)(0x80 | text.Length), 0, 0, 0, 0, .. text];

    private static async Task AssertAnswersStunAsync(IPEndPoint server, CancellationToken cancellation)
    {
        using var client = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        // RFC 8489 §5: a binding request without attributes.
        byte[] request = [0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
        for (var tries = 0; ; tries++)
        {
            await client.SendAsync(request, server, cancellation);
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            patience.CancelAfter(TimeSpan.FromSeconds(1));
            try
            {
                var response = await client.ReceiveAsync(patience.Token);
                Assert.Equal([1, 1], response.Buffer[..2]);
                Assert.Equal(request[4..], response.Buffer[4..20]);
                return;
            }
            catch (OperationCanceledException) when (tries < 5 && !cancellation.IsCancellationRequested)
            {
                // The socket's buffer was full.
            }
        }
    }

    // Noise behind a plausible first byte, a golden packet as it is, changed, cut or lengthened, or one that killed others.
    private static byte[] Forge(Random random, IReadOnlyList<byte[]> golden)
    {
        var packet = golden[random.Next(golden.Count)];
        switch (random.Next(5))
        {
            case 0:
                var noise = new byte[1 + random.Next(random.Next(20) == 0 ? 9_000 : 400)];
                random.NextBytes(noise);
                if (random.Next(2) == 0) noise[0] = golden[random.Next(golden.Count)][0];
                return noise;
            case 1:
                byte[] changed = [.. packet];
                for (var i = random.Next(4); i >= 0; i--) changed[random.Next(changed.Length)] ^= (byte)(1 + random.Next(255));
                return changed;
            case 2:
                return random.Next(2) == 0 ? packet[..random.Next(packet.Length)] : [.. packet, .. new byte[1 + random.Next(30)]];
            case 3:
                return random.Next(10) == 0 ? Named[random.Next(Named.Length)] : packet;
            default:
                return packet;
        }
    }

    private static List<byte[]> GoldenPackets([CallerFilePath] string here = "")
    {
        var file = Path.Combine(Path.GetDirectoryName(here)!, "..", "..", "Punchline.Protocols.Tests", "Golden", "packets.txt");
        var packets = File.ReadLines(file).Where(line => !line.StartsWith('#')).Select(line => Convert.FromHexString(line.Split(' ')[1])).ToList();
        Assert.True(packets.Count > 30);
        // And a STUN request, which the server answers.
        packets.Add([0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
        return packets;
    }
}
