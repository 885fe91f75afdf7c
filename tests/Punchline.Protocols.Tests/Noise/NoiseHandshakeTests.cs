using Punchline.Protocols.Noise;

namespace Punchline.Protocols.Tests.Noise;

/// <summary>Everything that holds for one Diffie-Hellman must hold for the other.</summary>
public sealed class NoiseHandshakeTests
{
    [Theory]
    [InlineData("P256")]
    [InlineData("25519")]
    public void Both_sides_get_the_same_keys_the_payloads_and_who_the_other_is(string group)
    {
        using var checks = With(group);
        checks.Both_sides_get_the_same_keys_the_payloads_and_who_the_other_is();
    }

    [Theory]
    [InlineData("P256")]
    [InlineData("25519")]
    public void The_same_randomness_gives_the_same_bytes(string group)
    {
        using var checks = With(group);
        checks.The_same_randomness_gives_the_same_bytes();
    }

    [Theory]
    [InlineData("P256")]
    [InlineData("25519")]
    public void Another_preshared_key_or_prologue_opens_nothing(string group)
    {
        using var checks = With(group);
        checks.Another_preshared_key_or_prologue_opens_nothing();
    }

    [Theory]
    [InlineData("P256")]
    [InlineData("25519")]
    public void No_tampered_or_cut_message_1_is_read(string group)
    {
        using var checks = With(group);
        checks.No_tampered_or_cut_message_1_is_read();
    }

    [Theory]
    [InlineData("P256")]
    [InlineData("25519")]
    public void After_any_tampered_or_cut_message_2_the_genuine_one_still_completes(string group)
    {
        using var checks = With(group);
        checks.After_any_tampered_or_cut_message_2_the_genuine_one_still_completes();
    }

    [Theory]
    [InlineData("P256")]
    [InlineData("25519")]
    public void After_any_tampered_or_cut_message_3_the_genuine_one_still_completes(string group)
    {
        using var checks = With(group);
        checks.After_any_tampered_or_cut_message_3_the_genuine_one_still_completes();
    }

    // Public keys take 65 bytes of P-256 and 32 of X25519, tags 16.
    private static INoiseChecks With(string group) => group switch
    {
        "P256" => new NoiseChecks<P256KeyPair>(message1: 65 + 16, message2: 65 + 65 + 16 + 16, message3: 65 + 16 + 16),
        _ => new NoiseChecks<X25519KeyPair>(message1: 32 + 16, message2: 32 + 32 + 16 + 16, message3: 32 + 16 + 16),
    };
}
