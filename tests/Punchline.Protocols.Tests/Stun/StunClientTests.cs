using Punchline.Protocols.Primitives;
using Punchline.Protocols.Stun;
using Punchline.Simulation;

namespace Punchline.Protocols.Tests.Stun;

public sealed class StunClientTests
{
    private static readonly Endpoint Server = Endpoint.Parse("203.0.113.10:8080");
    private static readonly Endpoint Other = Endpoint.Parse("203.0.113.10:8081");
    private static readonly Endpoint Mapped = Endpoint.Parse("198.51.100.1:40000");

    private readonly StunClient _client = new(new SeededRandom(3));

    [Fact]
    public void An_answer_gives_the_mapped_endpoint_and_the_round_trip()
    {
        Assert.True(_client.Query(Server, At(0)));
        var request = Assert.Single(Drain(0));
        Assert.Equal((Server, 20), (request.Destination, request.Bytes.Length));
        Assert.True(_client.HandleDatagram(Server, Answer(request.Bytes, Mapped), At(30)));
        Assert.Equal([new StunClientEvent.Reflected(Server, Mapped, Milliseconds(30), 1)], Events());
        Assert.Equal(Timestamp.Never, _client.NextTimeout);
        // A retransmission's answer, too late.
        Assert.False(_client.HandleDatagram(Server, Answer(request.Bytes, Mapped), At(31)));
        Assert.Empty(Events());
    }

    [Theory] // RFC 8489 §6.2.1's example, and the same scaled.
    [InlineData(500)]
    [InlineData(100)]
    public void Requests_leave_at_the_times_of_the_RFC(int rto)
    {
        var client = new StunClient(new SeededRandom(3), Milliseconds(rto));
        client.Query(Server, At(0));
        var (sent, now) = (new List<long>(), 0L);
        var ids = new HashSet<string>(StringComparer.Ordinal);
        StunClientEvent? ended;
        while (true)
        {
            foreach (var request in Drain(now, client))
            {
                sent.Add(now);
                ids.Add(Convert.ToHexString(request.Bytes));
            }
            if (client.TryDequeueEvent(out ended)) break;
            now = client.NextTimeout.Ticks / TimeSpan.TicksPerMillisecond;
            client.HandleTimeout(At(now));
        }
        Assert.Equal(new long[] { 0, 500, 1_500, 3_500, 7_500, 15_500, 31_500 }.Select(time => time * rto / 500), sent);
        Assert.Equal(39_500 * rto / 500, now);
        Assert.Equal(new StunClientEvent.Failed(Server, StunFailure.TimedOut), ended);
        Assert.Single(ids);
    }

    [Fact]
    public void An_answer_to_a_retransmission_counts_from_the_first_request()
    {
        _client.Query(Server, At(0));
        Drain(0);
        _client.HandleTimeout(At(499));
        Assert.Empty(Drain(499));
        _client.HandleTimeout(At(500));
        var request = Assert.Single(Drain(500));
        Assert.True(_client.HandleDatagram(Server, Answer(request.Bytes, Mapped), At(520)));
        Assert.Equal([new StunClientEvent.Reflected(Server, Mapped, Milliseconds(520), 2)], Events());
    }

    [Fact]
    public void Servers_are_asked_side_by_side_with_different_ids()
    {
        Assert.True(_client.Query(Server, At(0)));
        Assert.True(_client.Query(Other, At(0)));
        Assert.True(_client.Query(Server, At(1))); // runs already
        var requests = Drain(1);
        Assert.Equal([Server, Other], requests.Select(request => request.Destination));
        Assert.NotEqual(requests[0].Bytes, requests[1].Bytes);
        Assert.True(_client.HandleDatagram(Other, Answer(requests[1].Bytes, Mapped), At(9)));
        Assert.True(_client.HandleDatagram(Server, Answer(requests[0].Bytes, Mapped), At(11)));
        Assert.Equal(
            [new StunClientEvent.Reflected(Other, Mapped, Milliseconds(8), 1), new StunClientEvent.Reflected(Server, Mapped, Milliseconds(10), 1)],
            Events());
    }

    [Fact]
    public void Only_the_queried_server_with_the_right_id_is_believed()
    {
        _client.Query(Server, At(0));
        var request = Assert.Single(Drain(0)).Bytes;
        var answer = Answer(request, Mapped);
        Assert.False(_client.HandleDatagram(Other, answer, At(5)));
        Assert.False(_client.HandleDatagram(Server.WithPort(1), answer, At(5)));
        Assert.False(_client.HandleDatagram(Server, request, At(5)));
        Assert.False(_client.HandleDatagram(Server, answer.AsSpan(0, answer.Length - 4), At(5)));
        Assert.False(_client.HandleDatagram(Server, [], At(5)));
        var wrongId = answer.ToArray();
        wrongId[19] ^= 1;
        Assert.False(_client.HandleDatagram(Server, wrongId, At(5)));
        var wrongMethod = answer.ToArray();
        wrongMethod[1] = 0x03;
        Assert.False(_client.HandleDatagram(Server, wrongMethod, At(5)));
        Assert.Empty(Events());
        Assert.Equal(At(500), _client.NextTimeout);
        Assert.True(_client.HandleDatagram(Server, answer, At(6)));
        Assert.Equal([new StunClientEvent.Reflected(Server, Mapped, Milliseconds(6), 1)], Events());
    }

    [Fact]
    public void A_request_that_never_left_has_no_answer()
    {
        var twin = new StunClient(new SeededRandom(3));
        twin.Query(Server, At(0));
        var request = Assert.Single(Drain(0, twin)).Bytes;
        _client.Query(Server, At(0));
        Assert.False(_client.HandleDatagram(Server, Answer(request, Mapped), At(1)));
        Assert.Equal(request, Assert.Single(Drain(1)).Bytes);
    }

    [Fact]
    public void Unhelpful_answers_say_why()
    {
        Assert.Equal(new StunClientEvent.Failed(Server, StunFailure.ErrorResponse, 420), Reply(StunClass.ErrorResponse, "0009000400000414"));
        Assert.Equal(new StunClientEvent.Failed(Server, StunFailure.ErrorResponse), Reply(StunClass.ErrorResponse, ""));
        Assert.Equal(new StunClientEvent.Failed(Server, StunFailure.NoAddress), Reply(StunClass.SuccessResponse, ""));
        // Port 0, the unspecified address of either family, and half an address.
        Assert.Equal(new StunClientEvent.Failed(Server, StunFailure.NoAddress), Reply(StunClass.SuccessResponse, "0001000800010000c6336401"));
        Assert.Equal(new StunClientEvent.Failed(Server, StunFailure.NoAddress), Reply(StunClass.SuccessResponse, "0001000800019c4000000000"));
        Assert.Equal(
            new StunClientEvent.Failed(Server, StunFailure.NoAddress),
            Reply(StunClass.SuccessResponse, "0001001400029c4000000000000000000000000000000000"));
        Assert.Equal(new StunClientEvent.Failed(Server, StunFailure.NoAddress), Reply(StunClass.SuccessResponse, "0001000400019c40"));
        Assert.Equal(
            new StunClientEvent.Failed(Server, StunFailure.UnknownAttribute),
            Reply(StunClass.SuccessResponse, "0001000800019c40c6336401" + "7fff0000"));
    }

    [Theory]
    [InlineData("0001000800019c40c6336401")] // MAPPED-ADDRESS alone
    [InlineData("0001000800019c40c6336401" + "0004000800010d96cb00710a" + "0005000800010d97cb00710b")] // with those of RFC 3489
    [InlineData("00010008000100010a000001" + "002000080001bd52e721c043")] // XOR-MAPPED-ADDRESS wins
    [InlineData("0001000800019c40c6336401" + "ffff0000")] // unknown, but not required
    public void Older_servers_are_understood(string attributes) =>
        Assert.Equal(new StunClientEvent.Reflected(Server, Mapped, Milliseconds(7), 1), Reply(StunClass.SuccessResponse, attributes));

    [Fact]
    public void At_most_16_servers_are_asked_at_once()
    {
        for (ushort port = 1; port <= StunClient.MaxQueries; port++) Assert.True(_client.Query(Server.WithPort(port), At(0)));
        Assert.False(_client.Query(Server, At(0)));
        var requests = Drain(0);
        Assert.Equal(StunClient.MaxQueries, requests.Count);
        Assert.True(_client.HandleDatagram(requests[0].Destination, Answer(requests[0].Bytes, Mapped), At(1)));
        Assert.False(_client.Query(Server, At(1))); // its end waits to be told
        Assert.Single(Events());
        Assert.True(_client.Query(Server, At(1)));
    }

    [Fact]
    public void No_mutation_of_an_answer_throws_and_each_query_ends_once()
    {
        var random = new SeededRandom(0x5709);
        var (taken, reflected) = (0, 0);
        for (var run = 0; run < 5_000; run++)
        {
            var client = new StunClient(random);
            client.Query(Server, At(0));
            var answer = Answer(Assert.Single(Drain(0, client)).Bytes, Mapped);
            answer[random.NextInt32(answer.Length)] = (byte)random.NextInt32(256);
            answer[StunMessage.HeaderLength + random.NextInt32(12)] = (byte)random.NextInt32(256);
            var isTaken = client.HandleDatagram(Server, answer, At(1));
            var events = Events(client);
            Assert.Equal(isTaken ? 1 : 0, events.Count);
            Assert.Equal(!isTaken, client.NextTimeout != Timestamp.Never);
            taken += events.Count;
            reflected += events.Count(ended => ended is StunClientEvent.Reflected);
        }
        // All three ends must have been met often, or this test says little.
        Assert.InRange(taken, 1_000, 4_000);
        Assert.InRange(reflected, 500, taken - 500);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(60_001)]
    public void The_RTO_has_a_range(int milliseconds) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new StunClient(new SeededRandom(1), Milliseconds(milliseconds)));

    [Fact]
    public void Retransmissions_and_strangers_datagrams_allocate_nothing()
    {
        _client.Query(Server, At(0));
        var buffer = new byte[StunClient.RequestLength];
        var stranger = Rfc5769.IPv4Response;
        _client.HandleDatagram(Server, stranger, At(0));
        _client.TryDequeueTransmit(At(0), buffer, out _);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var request = 2; request <= StunClient.MaxRequests; request++)
        {
            _client.HandleTimeout(_client.NextTimeout);
            _client.TryDequeueTransmit(_client.NextTimeout, buffer, out _);
            _client.HandleDatagram(Server, stranger, At(0));
        }
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static StunClientEvent Reply(StunClass messageClass, string attributes)
    {
        var client = new StunClient(new SeededRandom(5));
        client.Query(Server, At(0));
        var request = Assert.Single(Drain(0, client)).Bytes;
        var type = StunMessageType.Encode(messageClass, StunMethod.Binding);
        var reply = $"{type:x4}{attributes.Length / 2:x4}{Convert.ToHexStringLower(request.AsSpan(4))}{attributes}";
        Assert.True(client.HandleDatagram(Server, Convert.FromHexString(reply), At(7)));
        return Assert.Single(Events(client));
    }

    private static byte[] Answer(byte[] request, Endpoint source)
    {
        var response = new byte[StunResponder.MaxResponseLength];
        Assert.True(StunResponder.TryRespond(request, source, response, out var length));
        return response[..length];
    }

    private static Timestamp At(long milliseconds) => Timestamp.FromMilliseconds(milliseconds);

    private static TimeSpan Milliseconds(int count) => TimeSpan.FromMilliseconds(count);

    private List<(Endpoint Destination, byte[] Bytes)> Drain(long milliseconds) => Drain(milliseconds, _client);

    private static List<(Endpoint Destination, byte[] Bytes)> Drain(long milliseconds, StunClient client)
    {
        var sent = new List<(Endpoint, byte[])>();
        var buffer = new byte[StunClient.RequestLength];
        while (client.TryDequeueTransmit(At(milliseconds), buffer, out var transmit)) sent.Add((transmit.Destination, buffer[..transmit.Length]));
        return sent;
    }

    private List<StunClientEvent> Events() => Events(_client);

    private static List<StunClientEvent> Events(StunClient client)
    {
        var events = new List<StunClientEvent>();
        while (client.TryDequeueEvent(out var ended)) events.Add(ended);
        return events;
    }
}
