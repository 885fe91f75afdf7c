using Punchline.Protocols.Primitives;
using Punchline.Protocols.Stun;

namespace Punchline.Protocols.Tests.Stun;

/// <summary>The server's side of RFC 5780.</summary>
public sealed class StunVantageTests
{
    private static readonly Endpoint Source = Endpoint.Parse("192.0.2.1:32853");
    private static readonly StunVantage Vantage = new(Endpoint.Parse("203.0.113.1:8080"), Endpoint.Parse("203.0.113.2:8081"));

    [Theory] // asked, flags of CHANGE-REQUEST, answered from, OTHER-ADDRESS
    [InlineData(0, 0, 0, "203.0.113.2:8081")]
    [InlineData(0, 2, 1, "203.0.113.2:8081")]
    [InlineData(0, 4, 2, "203.0.113.2:8081")]
    [InlineData(0, 6, 3, "203.0.113.2:8081")]
    [InlineData(1, 0, 1, "203.0.113.2:8080")]
    [InlineData(1, 6, 2, "203.0.113.2:8080")]
    [InlineData(2, 0, 2, "203.0.113.1:8081")]
    [InlineData(2, 4, 0, "203.0.113.1:8081")]
    [InlineData(3, 0, 3, "203.0.113.1:8080")]
    [InlineData(3, 6, 0, "203.0.113.1:8080")]
    [InlineData(0, 0xfffffff9, 0, "203.0.113.2:8081")] // reserved bits
    public void The_request_chooses_where_its_answer_leaves(int asked, uint flags, int expectedFrom, string other)
    {
        var request = Request();
        if (flags != 0) request.WriteAttribute(StunAttributeType.ChangeRequest, [(byte)(flags >> 24), (byte)(flags >> 16), (byte)(flags >> 8), (byte)flags]);
        var (response, from) = Respond(request.Written, asked);
        Assert.Equal(expectedFrom, from);
        Assert.True(StunMessage.TryRead(response, out var message));
        Assert.Equal(StunClass.SuccessResponse, message.Class);
        Assert.True(message.TryFind(StunAttributeType.XorMappedAddress, out var value) && StunAddress.TryReadXor(value, message.TransactionId, out var mapped) && mapped == Source);
        Assert.Equal(Source, Read(message, StunAttributeType.MappedAddress));
        Assert.Equal(Vantage[expectedFrom], Read(message, StunAttributeType.ResponseOrigin));
        Assert.Equal(Endpoint.Parse(other), Read(message, StunAttributeType.OtherAddress));
    }

    [Fact]
    public void The_four_endpoints_are_two_addresses_with_the_same_two_ports() => Assert.Equal(
        ["203.0.113.1:8080", "203.0.113.1:8081", "203.0.113.2:8080", "203.0.113.2:8081"],
        Enumerable.Range(0, StunVantage.Count).Select(index => Vantage[index].ToString()));

    [Fact]
    public void A_malformed_CHANGE_REQUEST_is_a_bad_request()
    {
        var request = Request();
        request.WriteAttribute(StunAttributeType.ChangeRequest, [0, 0, 6]);
        var (response, from) = Respond(request.Written, asked: 1);
        Assert.Equal(1, from);
        Assert.True(StunMessage.TryRead(response, out var message));
        Assert.True(message.TryFind(StunAttributeType.ErrorCode, out var value) && StunError.TryRead(value, out var code, out _) && code == 400);
    }

    [Fact]
    public void What_is_not_understood_is_refused_from_where_it_was_asked()
    {
        var request = Request();
        request.WriteAttribute(StunAttributeType.ChangeRequest, [0, 0, 0, 6]);
        request.WriteAttribute((StunAttributeType)0x0026, new byte[100]); // PADDING
        var (response, from) = Respond(request.Written, asked: 0);
        Assert.Equal(0, from);
        Assert.True(StunMessage.TryRead(response, out var message));
        Assert.True(message.TryFind(StunAttributeType.UnknownAttributes, out var types));
        Assert.Equal("0026", Convert.ToHexStringLower(types));
    }

    [Fact]
    public void A_server_with_one_address_does_not_know_CHANGE_REQUEST()
    {
        var request = Request();
        request.WriteAttribute(StunAttributeType.ChangeRequest, [0, 0, 0, 6]);
        var response = new byte[StunResponder.MaxResponseLength];
        Assert.True(StunResponder.TryRespond(request.Written, Source, response, out var length));
        Assert.True(StunMessage.TryRead(response.AsSpan(0, length), out var message));
        Assert.True(message.TryFind(StunAttributeType.UnknownAttributes, out var types));
        Assert.Equal("0003", Convert.ToHexStringLower(types));
    }

    [Theory] // The arithmetic in StunResponder's docstring.
    [InlineData("192.0.2.1:1", "203.0.113.1:8080", 68)]
    [InlineData("[2001:db8::3]:1", "[2001:db8::1]:8080", 116)]
    public void Answers_are_as_small_as_they_are_said_to_be(string source, string server, int expected)
    {
        var vantage = new StunVantage(Endpoint.Parse(server), Endpoint.Parse(server));
        Assert.True(StunResponder.TryRespond(
            Request().Written, Endpoint.Parse(source), vantage, 0, new byte[StunResponder.MaxVantageResponseLength], out var length, out _, out _));
        Assert.Equal(expected, length);
    }

    [Fact]
    public void The_longest_answer_fits()
    {
        var ipv6 = new StunVantage(Endpoint.Parse("[2001:db8::1]:8080"), Endpoint.Parse("[2001:db8::2]:8081"));
        var request = Request();
        StunRejection.Write(ref request, 1);
        request.WriteFingerprint();
        var response = new byte[StunResponder.MaxVantageResponseLength];
        Assert.True(StunResponder.TryRespond(request.Written, Endpoint.Parse("[2001:db8::3]:1"), ipv6 with { Rejections = new Rejecting(default) }, 0, response, out var length, out _, out _));
        Assert.Equal(response.Length, length);
    }

    [Theory] // whether anything is heard, of what, and what the answer has
    [InlineData(true, "192.0.2.1:5000", 1)]
    [InlineData(true, "192.0.2.1:5001", 0)]
    [InlineData(true, "192.0.2.2:5000", 0)]
    [InlineData(false, "192.0.2.1:5000", null)]
    public void Who_asks_hears_whether_a_port_of_its_address_rejects(bool hears, string rejected, int? expected)
    {
        var request = Request();
        StunRejection.Write(ref request, 5000);
        var response = new byte[StunResponder.MaxVantageResponseLength];
        var vantage = Vantage with { Rejections = hears ? new Rejecting(Endpoint.Parse(rejected)) : null };
        Assert.True(StunResponder.TryRespond(request.Written, Source, vantage, 0, response, out var length, out _, out _));
        Assert.True(StunMessage.TryRead(response.AsSpan(0, length), out var message));
        Assert.Equal(expected, message.TryFind(StunAttributeType.Rejection, out var value) && StunRejection.TryRead(value, out var number) ? number : null);
    }

    private sealed class Rejecting(Endpoint rejected) : IStunRejections
    {
        public bool Has(Endpoint destination) => destination == rejected;
    }

    private static StunWriter Request() => new(new byte[400], StunClass.Request, StunMethod.Binding, new StunTransactionId(1, 2));

    private static (byte[] Response, int From) Respond(ReadOnlySpan<byte> request, int asked)
    {
        var response = new byte[StunResponder.MaxVantageResponseLength];
        Assert.True(StunResponder.TryRespond(request, Source, Vantage, asked, response, out var length, out var from, out _));
        return (response[..length], from);
    }

    private static Endpoint Read(in StunMessage message, StunAttributeType type)
    {
        Assert.True(message.TryFind(type, out var value));
        Assert.True(StunAddress.TryRead(value, out var endpoint));
        return endpoint;
    }
}
