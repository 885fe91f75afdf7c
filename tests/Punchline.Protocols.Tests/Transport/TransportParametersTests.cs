using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport;

namespace Punchline.Protocols.Tests.Transport;

public sealed class TransportParametersTests
{
    private static readonly TransportParameters Unlike = new()
    {
        IdleTimeout = TimeSpan.FromMilliseconds(12_345),
        MaxUdpPayloadSize = 1_300,
        InitialMaxData = 1,
        InitialMaxStreamDataBidiLocal = 2,
        InitialMaxStreamDataBidiRemote = 3,
        InitialMaxStreamDataUni = 4,
        InitialMaxStreamsBidi = 5,
        InitialMaxStreamsUni = 6,
        AckDelayExponent = 7,
        MaxAckDelay = TimeSpan.FromMilliseconds(8),
        ActiveConnectionIdLimit = 9,
        MaxDatagramFrameSize = 10,
    };

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(ulong.MaxValue)]
    public void Each_parameter_survives_beside_any_grease(ulong grease)
    {
        var writer = new SpanWriter(new byte[TransportParameters.MaxEncodedLength]);
        Unlike.Write(ref writer, grease);
        Assert.True(TransportParameters.TryRead(writer.Written, out var read));
        Assert.Equal(Unlike, read);
    }

    [Fact]
    public void Ids_and_layout_are_those_of_RFC_9000_section_18()
    {
        var writer = new SpanWriter(new byte[TransportParameters.MaxEncodedLength]);
        Unlike.Write(ref writer, 1);
        Assert.Equal(
            "0102" + "7039" + "0302" + "4514" + "040101" + "050102" + "060103" + "070104" + "080105" + "090106" + "0a0107" + "0b0108" + "0e0109" + "20010a" + "3a00",
            Convert.ToHexStringLower(writer.Written));
    }

    [Fact]
    public void What_is_absent_has_the_default_of_RFC_9000()
    {
        Assert.True(TransportParameters.TryRead([], out var read));
        Assert.Equal((65_527, 3, TimeSpan.FromMilliseconds(25), 2UL, 0UL), (read.MaxUdpPayloadSize, read.AckDelayExponent, read.MaxAckDelay, read.ActiveConnectionIdLimit, read.InitialMaxData));
    }

    [Theory]
    [InlineData("01")] // no length
    [InlineData("010270")] // truncated
    [InlineData("01020500")] // a value shorter than its length
    [InlineData("040101040101")] // twice
    [InlineData("030244af")] // UDP payload 1,199
    [InlineData("0a0115")] // exponent 21
    [InlineData("0b0480004000")] // ack delay 2^14
    [InlineData("0e0101")] // one connection id
    [InlineData("0808d000000000000001")] // 2^60 + 1 streams
    public void Illegal_parameters_are_refused(string hex) => Assert.False(TransportParameters.TryRead(Convert.FromHexString(hex), out _));

    [Theory]
    [InlineData("030244b0")] // 1,200
    [InlineData("0a0114")]
    [InlineData("0b027fff")]
    [InlineData("0808d000000000000000")]
    [InlineData("1b00")] // unknown and empty
    public void The_limits_themselves_are_legal(string hex) => Assert.True(TransportParameters.TryRead(Convert.FromHexString(hex), out _));

    [Fact]
    public void An_endless_idle_timeout_does_not_overflow()
    {
        Assert.True(TransportParameters.TryRead(Convert.FromHexString("0108ffffffffffffffff"), out var read));
        Assert.True(Timestamp.FromMilliseconds(1_000_000_000) + read.IdleTimeout > Timestamp.Zero);
    }
}
