using Punchline.Protocols.Primitives;
using Punchline.Protocols.Stun;

namespace Punchline.Protocols.Tests.Stun;

/// <summary>RESPONSE-PORT (RFC 5780 §7.5), by which a client learns whether a mapping of another socket of its lives.</summary>
public sealed class StunResponsePortTests
{
    private static readonly Endpoint Source = Endpoint.Parse("192.0.2.1:32853");
    private static readonly StunVantage Vantage = new(Endpoint.Parse("203.0.113.1:8080"), Endpoint.Parse("203.0.113.2:8081"));

    [Theory] // value, where the answer goes, its error code
    [InlineData(null, "192.0.2.1:32853", 0)]
    [InlineData("13880000", "192.0.2.1:5000", 0)]
    [InlineData("1388", "192.0.2.1:5000", 0)] // the padding not counted
    [InlineData("04000000", "192.0.2.1:1024", 0)]
    [InlineData("01bb0000", "192.0.2.1:443", 0)]
    [InlineData("00350000", "192.0.2.1:32853", 400)] // a DNS server is not asked for its opinion
    [InlineData("00000000", "192.0.2.1:32853", 400)]
    [InlineData("138800", "192.0.2.1:32853", 400)]
    [InlineData("138800000000", "192.0.2.1:32853", 400)]
    public void The_answer_goes_to_the_port_that_the_request_names(string? value, string expected, int expectedCode)
    {
        var request = new StunWriter(new byte[100], StunClass.Request, StunMethod.Binding, new StunTransactionId(1, 2));
        if (value is not null) request.WriteAttribute(StunAttributeType.ResponsePort, Convert.FromHexString(value));
        var response = new byte[StunResponder.MaxVantageResponseLength];

        Assert.True(StunResponder.TryRespond(request.Written, Source, response, out var length, out var destination));
        Assert.Equal((Endpoint.Parse(expected), expectedCode), (destination, CodeOf(response.AsSpan(0, length))));

        Assert.True(StunResponder.TryRespond(request.Written, Source, Vantage, 2, response, out length, out var from, out destination));
        Assert.Equal((Endpoint.Parse(expected), expectedCode, 2), (destination, CodeOf(response.AsSpan(0, length)), from));
    }

    [Fact]
    public void What_is_written_is_read()
    {
        Span<byte> value = stackalloc byte[StunResponsePort.Length];
        StunResponsePort.Write(value, 50_000);
        Assert.True(StunResponsePort.TryRead(value, out var port));
        Assert.Equal(50_000, port);
    }

    [Fact]
    public void Over_TCP_it_is_not_understood()
    {
        var request = new StunWriter(new byte[100], StunClass.Request, StunMethod.Binding, new StunTransactionId(1, 2));
        request.WriteAttribute(StunAttributeType.ResponsePort, [0x13, 0x88, 0, 0]);
        var response = new byte[StunResponder.MaxResponseLength];
        Assert.True(StunResponder.TryRespond(request.Written, Source, response, out var length));
        Assert.Equal(420, CodeOf(response.AsSpan(0, length)));
    }

    private static int CodeOf(ReadOnlySpan<byte> response)
    {
        Assert.True(StunMessage.TryRead(response, out var message));
        return message.TryFind(StunAttributeType.ErrorCode, out var value) && StunError.TryRead(value, out var code, out _) ? code : 0;
    }
}
