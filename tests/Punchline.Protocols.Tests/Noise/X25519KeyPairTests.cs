namespace Punchline.Protocols.Tests.Noise;

public sealed class X25519KeyPairTests
{
    // RFC 7748 §5.2: two products, and the first of the iterated ones.
    [Theory]
    [InlineData(
        "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
        "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
        "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552")]
    [InlineData(
        "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
        "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
        "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957")]
    [InlineData(
        "0900000000000000000000000000000000000000000000000000000000000000",
        "0900000000000000000000000000000000000000000000000000000000000000",
        "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079")]
    public void Multiplies_as_the_published_vectors_do(string scalar, string u, string product) =>
        Assert.Equal(product, Convert.ToHexStringLower(X25519KeyPair.Multiply(Convert.FromHexString(scalar), Convert.FromHexString(u))));

    // RFC 7748 §6.1: a point of small order gives zero, which ends the exchange.
    [Theory]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("0100000000000000000000000000000000000000000000000000000000000000")]
    public void Refuses_a_point_of_small_order(string point)
    {
        Assert.True(X25519KeyPair.TryImport(Enumerable.Range(1, 32).Select(i => (byte)i).ToArray(), out var ours));
        using (ours) Assert.False(ours.TryAgree(Convert.FromHexString(point), new byte[32]));
    }
}
