using Punchline.Protocols.Node;
using Punchline.Protocols.Noise;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Stun;
using Punchline.Protocols.Traversal;
using Punchline.Simulation;

namespace Punchline.Protocols.Tests.Node;

/// <summary>What a STUN server says is not believed where it could make a weapon of us, or claim a filter that it did not pass.</summary>
public sealed class FilteringTestTests
{
    private static readonly Endpoint Server = Endpoint.Parse("203.0.113.10:8080");
    private static readonly Endpoint Seen = Endpoint.Parse("198.51.100.11:5000");

    [Theory] // another family, the same address, the same port, somebody's service, a LAN, nobody, loopback, everybody
    [InlineData("[2001:db8::1]:8081")]
    [InlineData("203.0.113.10:8081")]
    [InlineData("203.0.113.11:8080")]
    [InlineData("203.0.113.11:53")]
    [InlineData("192.168.1.1:8081")]
    [InlineData("0.0.0.0:8081")]
    [InlineData("127.0.0.1:8081")]
    [InlineData("255.255.255.255:8081")]
    public void A_second_address_that_is_none_is_not_asked(string other)
    {
        var (test, asked) = Begin(Endpoint.Parse(other));
        Assert.True(test.IsOver);
        Assert.Null(test.Other);
        Assert.Equal(FilteringBehavior.Unknown, test.Filtering);
        Assert.All(asked, to => Assert.Equal(Server, to));
    }

    [Fact]
    public void A_server_that_answers_all_from_where_it_was_asked_shows_no_open_filter()
    {
        var other = Endpoint.Parse("203.0.113.11:8081");
        // It ignores CHANGE-REQUEST, and nobody is at the address that it names.
        var (test, asked) = Begin(other);
        Assert.True(test.IsOver);
        Assert.Equal(FilteringBehavior.Unknown, test.Filtering);
        Assert.Equal(StunQuestion.MaxRequests, asked.Count(to => to == other));
    }

    // Answers whatever is sent to the server from there, and says where all of it went.
    private static (FilteringTest Test, List<Endpoint> Asked) Begin(Endpoint other)
    {
        var random = new SeededRandom(1);
        using var identity = P256KeyPair.Generate(random);
        var services = new NodeServices(identity, random);
        var test = new FilteringTest(services, Server);
        var now = Timestamp.Zero;
        Assert.True(services.SideSockets.TryDequeueCommand(out var command));
        services.SideSockets.HandleOpened(command.Socket, 5000, now);
        List<Endpoint> asked = [];
        Span<byte> buffer = stackalloc byte[StunQuestion.MaxRequestLength];
        Span<byte> answer = stackalloc byte[128];
        while (!test.IsOver)
        {
            now = Timestamp.Max(now, test.NextTimeout);
            test.HandleTimeout(now);
            while (test.TryDequeueTransmit(now, buffer, out var transmit))
            {
                asked.Add(transmit.Destination);
                Assert.InRange(asked.Count, 1, 4 * StunQuestion.MaxRequests);
                if (transmit.Destination != Server || !StunMessage.TryRead(buffer[..transmit.Length], out var request)) continue;
                var writer = new StunWriter(answer, StunClass.SuccessResponse, StunMethod.Binding, request.TransactionId);
                writer.WriteXorMappedAddress(Seen);
                writer.WriteAddress(StunAttributeType.OtherAddress, other);
                Assert.True(StunMessage.TryRead(answer[..writer.Length], out var message));
                test.HandleDatagram(new PathAddress(command.Socket, Server), message, now);
            }
        }
        return (test, asked);
    }
}
