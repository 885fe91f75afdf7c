using Punchline.Protocols.Noise;
using Punchline.Simulation;

namespace Punchline.Protocols.Tests.Noise;

public sealed class P256KeyPairTests
{
    // NIST CAVP, ECC CDH primitive, P-256, COUNT = 0.
    private const string OurPrivate = "7d7dc5f71eb29ddaf80d6214632eeae03d9058af1fb6d22ed80badb62bc1a534";
    private const string OurPublic = "04ead218590119e8876b29146ff89ca61770c4edbbf97d38ce385ed281d8a6b23028af61281fd35e2fa7002523acc85a429cb06ee6648325389f59edfce1405141";
    private const string TheirPublic = "04700c48f77f56584c5cc632ca65640db91b6bacce3a4df6b42ce7cc838833d287db71e509e3fd9b060ddb20ba5c51dcc5948d46fbf640dfe0441782cab85fa4ac";
    private const string Shared = "46fc62106420ff012e54a434fbdd2d25ccc5852060561e68040dd7778997bd7b";

    [Fact]
    public void Agrees_with_the_published_vector()
    {
        Assert.True(P256KeyPair.TryImport(Convert.FromHexString(OurPrivate), out var ours));
        var secret = new byte[32];
        Assert.True(ours.TryAgree(Convert.FromHexString(TheirPublic), secret));
        Assert.Equal(OurPublic, Convert.ToHexStringLower(ours.PublicKey));
        Assert.Equal(Shared, Convert.ToHexStringLower(secret));
    }

    [Theory]
    [InlineData("")]
    [InlineData("00")]
    [InlineData("0400000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("04ead218590119e8876b29146ff89ca61770c4edbbf97d38ce385ed281d8a6b23028af61281fd35e2fa7002523acc85a429cb06ee6648325389f59edfce1405142")]
    [InlineData("03ead218590119e8876b29146ff89ca61770c4edbbf97d38ce385ed281d8a6b230")]
    [InlineData("06ead218590119e8876b29146ff89ca61770c4edbbf97d38ce385ed281d8a6b23028af61281fd35e2fa7002523acc85a429cb06ee6648325389f59edfce1405141")]
    public void Refuses_what_is_not_a_point_on_the_curve(string peer)
    {
        using var ours = P256KeyPair.Generate(new SeededRandom(1));
        Assert.False(ours.TryAgree(Convert.FromHexString(peer), new byte[32]));
    }

    [Theory]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551")]
    [InlineData("01")]
    public void Refuses_what_is_not_a_private_key(string scalar) =>
        Assert.False(P256KeyPair.TryImport(Convert.FromHexString(scalar), out _));

    [Fact]
    public void The_same_randomness_gives_the_same_key()
    {
        using var one = P256KeyPair.Generate(new SeededRandom(7));
        using var same = P256KeyPair.Generate(new SeededRandom(7));
        using var other = P256KeyPair.Generate(new SeededRandom(8));
        Assert.Equal(one.DeriveId(), same.DeriveId());
        Assert.NotEqual(one.DeriveId(), other.DeriveId());
    }
}
