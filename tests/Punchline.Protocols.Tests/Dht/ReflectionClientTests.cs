using System.Text;
using Punchline.Protocols.Dht;
using Punchline.Protocols.Primitives;
using Punchline.Simulation;

namespace Punchline.Protocols.Tests.Dht;

public sealed class ReflectionClientTests
{
    private static readonly Endpoint Node = Endpoint.Parse("203.0.113.101:6881");
    private static readonly Endpoint Other = Endpoint.Parse("203.0.113.102:6881");
    private static readonly Endpoint External = Endpoint.Parse("198.51.100.7:0");
    private static readonly Endpoint Mapped = Endpoint.Parse("198.51.100.7:20123");
    private static readonly NodeId TheirId = NodeId.Read("the id of their node"u8);

    private readonly ReflectionClient _client = new(new SeededRandom(3));

    [Fact]
    public void A_ping_of_a_read_only_node_asks_and_its_answers_ip_is_where_we_are_seen()
    {
        Assert.True(_client.Query(Node, External, At(0)));
        var ping = Assert.Single(Drain(0));
        Assert.Equal(Node, ping.To);
        // BEP 5's ping with BEP 43's ro: two values of it are random.
        Assert.Equal("d1:ad2:id20:" + new string('.', 20) + "e1:q4:ping2:roi1e1:t4:....1:y1:qe", Masked(ping.Bytes));
        Assert.Equal(ReflectionClient.RequestLength, ping.Bytes.Length);
        Assert.True(KrpcMessage.TryRead(ping.Bytes, out var read));
        Assert.True(read is { Kind: KrpcKind.Query, Method: KrpcMethod.Ping, IsReadOnly: true });
        Assert.True(SecureNodeId.IsValid(read.Id, External));

        Assert.True(_client.HandleDatagram(Node, Answer(ping.Bytes, Mapped)));
        Assert.Equal([new Reflection(Node, Mapped)], Reflections());
        Assert.Equal(Timestamp.Never, _client.NextTimeout);
        // A repeated ping's answer, too late.
        Assert.False(_client.HandleDatagram(Node, Answer(ping.Bytes, Mapped)));
        Assert.Empty(Reflections());
    }

    [Fact]
    public void An_answer_of_another_implementation_is_read()
    {
        _client.Query(Node, External, At(0));
        Assert.True(KrpcMessage.TryRead(Drain(0)[0].Bytes, out var ping));
        // As libtorrent writes it: its port and version beside what is needed.
        byte[] answer =
        [
            .. "d2:ip6:"u8, 198, 51, 100, 7, 0x4e, 0x9b, .. "1:rd2:id20:the id of their node1:pi20123ee1:t4:"u8, .. ping.Transaction, .. "1:v4:LT\u0002\n1:y1:re"u8,
        ];
        Assert.True(_client.HandleDatagram(Node, answer));
        Assert.Equal([new Reflection(Node, Mapped)], Reflections());
    }

    [Fact]
    public void What_does_not_answer_the_ping_is_passed_over_and_the_answer_still_counts()
    {
        _client.Query(Node, External, At(0));
        var ping = Drain(0)[0].Bytes;
        var answer = Answer(ping, Mapped);
        Assert.False(_client.HandleDatagram(Other, answer));
        Assert.False(_client.HandleDatagram(Node.WithPort(6_882), answer));
        var forged = answer.ToArray();
        forged[answer.AsSpan().IndexOf("1:t4:"u8) + 5] ^= 1;
        Assert.False(_client.HandleDatagram(Node, forged));
        Assert.False(_client.HandleDatagram(Node, ping));
        Assert.False(_client.HandleDatagram(Node, "d1:t4:abcd"u8));
        Assert.Empty(Reflections());
        Assert.True(_client.HandleDatagram(Node, answer));
        Assert.Equal([new Reflection(Node, Mapped)], Reflections());
    }

    [Theory]
    [InlineData("192.0.2.1:20123")] // somebody else's address, of which we will not tell anybody
    [InlineData("198.51.100.7:0")]
    [InlineData("[2001:db8::1]:20123")]
    public void A_node_that_names_another_address_has_said_nothing_and_is_not_asked_again(string lie)
    {
        _client.Query(Node, External, At(0));
        Assert.True(_client.HandleDatagram(Node, Answer(Drain(0)[0].Bytes, Endpoint.Parse(lie))));
        Assert.Empty(Reflections());
        Assert.Equal(Timestamp.Never, _client.NextTimeout);
    }

    [Fact]
    public void An_error_and_an_answer_without_an_address_say_nothing()
    {
        foreach (var asked in (Endpoint[])[Node, Other]) _client.Query(asked, External, At(0));
        var pings = Drain(0);
        Assert.True(KrpcMessage.TryRead(pings[0].Bytes, out var ping));
        var buffer = new byte[KrpcAnswer.MaxLength];
        Assert.True(_client.HandleDatagram(Node, buffer.AsSpan(0, KrpcAnswer.WriteError(ping.Transaction, KrpcErrorCode.Generic, buffer))));
        Assert.True(KrpcMessage.TryRead(pings[1].Bytes, out ping));
        Assert.True(_client.HandleDatagram(Other, [.. "d1:rd2:id20:the id of their nodee1:t4:"u8, .. ping.Transaction, .. "1:y1:re"u8]));
        Assert.Empty(Reflections());
    }

    [Fact]
    public void A_silent_node_gets_three_pings_that_are_the_same_and_counts_as_silent_after_a_second()
    {
        _client.Query(Node, External, At(0));
        var sent = new List<(long At, string Bytes)>();
        for (var now = 0L; now <= 1_000; now++)
        {
            _client.HandleTimeout(At(now));
            sent.AddRange(Drain(now).Select(ping => (now, Convert.ToHexString(ping.Bytes))));
            if (now < 1_000) Assert.NotEqual(Timestamp.Never, _client.NextTimeout);
        }
        Assert.Equal([0, 200, 600], sent.Select(ping => ping.At));
        Assert.Single(sent.DistinctBy(ping => ping.Bytes));
        Assert.Equal(Timestamp.Never, _client.NextTimeout);
    }

    [Fact]
    public void Each_node_is_asked_once_at_a_time_and_four_in_all()
    {
        for (var i = 0; i < ReflectionClient.MaxQueries; i++) Assert.True(_client.Query(Node.WithPort((ushort)(7_000 + i)), External, At(0)));
        Assert.True(_client.Query(Node.WithPort(7_000), External, At(0)));
        Assert.False(_client.Query(Node, External, At(0)));
        Assert.Equal(ReflectionClient.MaxQueries, Drain(0).Count);
    }

    [Fact]
    public void A_ping_that_never_left_has_no_answer()
    {
        _client.Query(Node, External, At(0));
        var other = new ReflectionClient(new SeededRandom(3));
        other.Query(Node, External, At(0));
        var buffer = new byte[ReflectionClient.RequestLength];
        Assert.True(other.TryDequeueTransmit(At(0), buffer, out _));
        Assert.False(_client.HandleDatagram(Node, Answer(buffer, Mapped)));
    }

    private static byte[] Answer(byte[] ping, Endpoint external)
    {
        Assert.True(KrpcMessage.TryRead(ping, out var read));
        var buffer = new byte[KrpcAnswer.MaxLength];
        return buffer[..new KrpcAnswer { Transaction = read.Transaction, Id = TheirId, Destination = external }.Write(buffer)];
    }

    // The values of id and t.
    private static string Masked(byte[] ping)
    {
        var masked = ping.ToArray();
        masked.AsSpan(masked.AsSpan().IndexOf("2:id20:"u8) + 7, 20).Fill((byte)'.');
        masked.AsSpan(masked.AsSpan().LastIndexOf("1:t4:"u8) + 5, 4).Fill((byte)'.');
        return Encoding.Latin1.GetString(masked);
    }

    private List<(Endpoint To, byte[] Bytes)> Drain(long milliseconds)
    {
        var sent = new List<(Endpoint, byte[])>();
        var buffer = new byte[ReflectionClient.RequestLength];
        while (_client.TryDequeueTransmit(At(milliseconds), buffer, out var transmit)) sent.Add((transmit.Destination, buffer[..transmit.Length]));
        return sent;
    }

    private List<Reflection> Reflections()
    {
        var reflections = new List<Reflection>();
        while (_client.TryDequeue(out var reflection)) reflections.Add(reflection.Value);
        return reflections;
    }

    private static Timestamp At(long milliseconds) => Timestamp.FromMilliseconds(milliseconds);
}
