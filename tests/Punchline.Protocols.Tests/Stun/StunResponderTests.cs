using Punchline.Protocols.Primitives;
using Punchline.Protocols.Stun;

namespace Punchline.Protocols.Tests.Stun;

public sealed class StunResponderTests
{
    private static readonly Endpoint Source = Endpoint.Parse("192.0.2.1:32853");
    private static readonly StunTransactionId Id = new(0xb7e7_a701, 0xbc34_d686_fa87_dfae);

    [Theory] // XOR-MAPPED-ADDRESS as in RFC 5769 §2.2 and §2.3
    [InlineData("192.0.2.1:32853", "0101000c2112a442b7e7a701bc34d686fa87dfae002000080001a147e112a643")]
    [InlineData("[2001:db8:1234:5678:11:2233:4455:6677]:32853",
        "010100182112a442b7e7a701bc34d686fa87dfae002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9")]
    public void A_binding_request_gives_its_source_back(string source, string response) =>
        Assert.Equal(response, Respond(Request().Written, Endpoint.Parse(source)));

    [Fact]
    public void A_fingerprint_is_answered_with_one()
    {
        var request = Request();
        request.WriteFingerprint();
        var response = Convert.FromHexString(Respond(request.Written, Source));
        Assert.Equal(40, response.Length);
        Assert.True(StunMessage.TryRead(response, out var message) && message.HasFingerprint);
    }

    [Fact]
    public void The_sample_request_of_ICE_is_told_that_PRIORITY_is_unknown()
    {
        var response = Convert.FromHexString(Respond(Rfc5769.Request, Source));
        Assert.True(StunMessage.TryRead(response, out var message) && message.HasFingerprint);
        Assert.Equal(
            "011100182112a442b7e7a701bc34d686fa87dfae" + "0009000400000414" + "000a000200240000",
            Convert.ToHexStringLower(response.AsSpan(0, 36)));
        Assert.Equal(44, response.Length);
    }

    [Fact]
    public void Credentials_and_optional_attributes_change_nothing()
    {
        var request = Request();
        request.WriteAttribute(StunAttributeType.Username, "user"u8);
        request.WriteAttribute(StunAttributeType.Software, "somebody"u8);
        request.WriteAttribute((StunAttributeType)0x8999, []);
        request.WriteMessageIntegrity("key"u8);
        Assert.Equal(Respond(Request().Written, Source), Respond(request.Written, Source));
    }

    [Fact]
    public void The_longest_answer_lists_16_unknown_types_each_once()
    {
        var request = Request();
        for (var i = 0; i < 40; i++) request.WriteAttribute((StunAttributeType)(0x4000 + (i / 2)), []);
        request.WriteFingerprint();
        var response = Convert.FromHexString(Respond(request.Written, Source));
        Assert.Equal(StunResponder.MaxResponseLength, response.Length);
        Assert.True(StunMessage.TryRead(response, out var message));
        Assert.True(message.TryFind(StunAttributeType.UnknownAttributes, out var types));
        Assert.Equal(string.Concat(Enumerable.Range(0x4000, 16).Select(type => $"{type:x4}")), Convert.ToHexStringLower(types));
    }

    [Theory]
    [InlineData(StunClass.Indication, StunMethod.Binding)]
    [InlineData(StunClass.SuccessResponse, StunMethod.Binding)]
    [InlineData(StunClass.ErrorResponse, StunMethod.Binding)]
    [InlineData(StunClass.Request, (StunMethod)0x003)] // TURN's Allocate
    internal void Nothing_but_a_binding_request_is_answered(StunClass messageClass, StunMethod method) =>
        Assert.Equal("", Respond(new StunWriter(new byte[20], messageClass, method, Id).Written, Source));

    [Fact]
    public void A_request_with_a_wrong_fingerprint_is_not_answered()
    {
        var request = Request();
        request.WriteFingerprint();
        var bytes = request.Written.ToArray();
        bytes[^1] ^= 1;
        Assert.Equal("", Respond(bytes, Source));
    }

    [Theory] // The docstring's arithmetic.
    [InlineData("192.0.2.1:1", 20, 32)]
    [InlineData("[2001:db8::1]:1", 20, 44)]
    public void Answers_are_as_small_as_they_are_said_to_be(string source, int requestLength, int responseLength)
    {
        var request = Request().Written;
        Assert.Equal(requestLength, request.Length);
        Assert.Equal(responseLength, Respond(request, Endpoint.Parse(source)).Length / 2);
    }

    [Fact]
    public void Answers_allocate_nothing()
    {
        var plain = Request().Written.ToArray();
        var ice = Rfc5769.Request;
        var response = new byte[StunResponder.MaxResponseLength];
        Assert.True(StunResponder.TryRespond(plain, Source, response, out _) && StunResponder.TryRespond(ice, Source, response, out _));
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var run = 0; run < 100; run++)
        {
            StunResponder.TryRespond(plain, Source, response, out _);
            StunResponder.TryRespond(ice, Source, response, out _);
        }
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static StunWriter Request() => new(new byte[400], StunClass.Request, StunMethod.Binding, Id);

    private static string Respond(ReadOnlySpan<byte> request, Endpoint source)
    {
        var response = new byte[StunResponder.MaxResponseLength];
        var isAnswered = StunResponder.TryRespond(request, source, response, out var length);
        Assert.Equal(isAnswered, length != 0);
        return Convert.ToHexStringLower(response.AsSpan(0, length));
    }
}
