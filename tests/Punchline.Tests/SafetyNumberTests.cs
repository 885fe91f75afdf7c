namespace Punchline.Tests;

public sealed class SafetyNumberTests
{
    private static readonly PeerId Low = new([1, .. new byte[31]]);
    private static readonly PeerId High = new([2, .. new byte[31]]);

    [Fact]
    public void Both_sides_see_the_same_eight_groups()
    {
        Assert.Equal(SafetyNumber.Of(Low, High), SafetyNumber.Of(High, Low));
        Assert.Matches("^([0-9]{5} ){7}[0-9]{5}$", SafetyNumber.Of(Low, High));
    }

    // SHA-256("punchline safety number 1" || id) mod 10^20, by Python.
    [Fact]
    public void The_digits_are_these() => Assert.Equal("97160 34971 16180 99586 29893 18189 22708 86692", SafetyNumber.Of(Low, High));

    [Fact]
    public void Each_peer_has_a_half_of_its_own()
    {
        var third = new PeerId([3, .. new byte[31]]);
        var half = SafetyNumber.Of(Low, High)[..23];
        Assert.Equal(half, SafetyNumber.Of(third, Low)[..23]);
        Assert.NotEqual(SafetyNumber.Of(Low, High)[24..], SafetyNumber.Of(Low, third)[24..]);
    }
}
