using Punchline.Cli.Settings;

namespace Punchline.Cli.Tests.Settings;

public sealed class SecretStrengthTests
{
    [Theory]
    [InlineData("a")]
    [InlineData("password")]
    [InlineData("Password123")]
    [InlineData("12345678901234567890123456789")]
    [InlineData("zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz")]
    [InlineData("x7-x7-x7-x7-x7-x7-x7-x7-x7-x7-")]
    [InlineData("correct horse battery staple")]
    [InlineData("--------------------------------------------")]
    public void Weak(string secret) => Assert.True(SecretStrength.Estimate(secret) < SecretStrength.EnoughBits, $"{SecretStrength.Estimate(secret):0.0} bits");

    [Theory]
    [InlineData("cleft cam synod lacy yr wok")] // Diceware's example, six words
    [InlineData("correct horse battery staple window")]
    [InlineData("9f86d081884c7d659a2feaa0c55ad015")]
    [InlineData("qB7/tZ0xWn3Vk1Lr9mPc")]
    public void Strong(string secret) => Assert.True(SecretStrength.Estimate(secret) >= SecretStrength.EnoughBits, $"{SecretStrength.Estimate(secret):0.0} bits");

    [Fact]
    public void Nothing_has_no_bits() => Assert.Equal(0, SecretStrength.Estimate(""));

    [Theory]
    [InlineData("7", 3.3219)]
    [InlineData("77", 1 + 3.3219)] // one digit, once or twice
    [InlineData("horse", 12.9)]
    [InlineData("Horse", 12.9)]
    [InlineData("horse1", 12.9 + 3.3219)]
    [InlineData("xyz", 4.7004 * 2 + 0.5)] // counts up
    public void Arithmetic(string secret, double bits) => Assert.Equal(bits, SecretStrength.Estimate(secret), 3);

    [Fact]
    public void An_invented_secret_is_never_called_weak_where_others_type_it()
    {
        for (var i = 0; i < 1000; i++)
        {
            var secret = Invented.Secret();
            Assert.Matches("^([b-df-hj-np-tv-xz2-9]{5}-){3}[b-df-hj-np-tv-xz2-9]{5}$", secret);
            Assert.False(RoomSecret.Parse(secret).IsWeak, secret);
        }
    }
}
