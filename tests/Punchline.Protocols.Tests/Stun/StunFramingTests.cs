using Punchline.Protocols.Stun;

namespace Punchline.Protocols.Tests.Stun;

public sealed class StunFramingTests
{
    [Fact]
    public void A_message_is_incomplete_up_to_its_last_byte()
    {
        var request = Rfc5769.Request;
        for (var length = 0; length < request.Length; length++)
            Assert.Equal((StunFrame.Incomplete, 0), (StunFraming.Inspect(request.AsSpan(0, length), out var none), none));
        Assert.Equal((StunFrame.Complete, request.Length), (StunFraming.Inspect(request, out var whole), whole));
    }

    [Fact]
    public void What_follows_is_not_looked_at()
    {
        byte[] two = [.. Rfc5769.Request, 0xff];
        Assert.Equal((StunFrame.Complete, two.Length - 1), (StunFraming.Inspect(two, out var length), length));
    }

    [Theory]
    [InlineData("04")]
    [InlineData("474554202f20485454502f312e310d0a0d0a0d0a")] // GET / HTTP/1.1
    [InlineData("000100002112a443000000000000000000000000")] // another cookie
    [InlineData("000105b02112a442000000000000000000000000")] // 20 + 1,456 bytes: longer than we read
    public void What_is_no_message_is_known_at_once(string bytes) =>
        Assert.Equal(StunFrame.Invalid, StunFraming.Inspect(Convert.FromHexString(bytes), out _));

    [Fact]
    public void The_longest_message_is_waited_for() =>
        Assert.Equal(StunFrame.Incomplete, StunFraming.Inspect(Convert.FromHexString("000105ac2112a442000000000000000000000000"), out _));
}
