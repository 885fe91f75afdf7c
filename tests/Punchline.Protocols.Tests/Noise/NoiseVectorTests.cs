using Punchline.Protocols.Noise;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Tests.Noise;

/// <summary>
/// Noise_XXpsk0_25519_AESGCM_SHA256 as another implementation has it: snow (github.com/mcginty/snow, tests/general.rs,
/// <c>test_XXpsk0_expected_value</c>). Its message 3 seals the hash over both messages before it, under keys that all
/// four agreements and the pre-shared key went into: one wrong byte anywhere changes it.
/// </summary>
public sealed class NoiseVectorTests
{
    private const string ExpectedMessage3 =
        "1b6d7cc3b13bd02217f9cdb98c50870db96281193dca4df570bf6230a603b686fd90d2914c7e797d9276ef8fb34b0c9d87faa048ce4bc7e7af21b6a450352275";

    [Fact]
    public void Message_3_is_the_published_one()
    {
        byte[] prologue = [1, 2, 3];
        Assert.True(X25519KeyPair.TryImport(KeyFrom(0), out var initiatorKey));
        Assert.True(X25519KeyPair.TryImport(KeyFrom(1), out var responderKey));
        var message1 = new byte[51];
        using var initiator = new NoiseInitiator<X25519KeyPair>(prologue, KeyFrom(4), initiatorKey, new FixedRandom(KeyFrom(32)), "abc"u8, message1);
        Assert.True(NoiseResponder<X25519KeyPair>.TryReadMessage1(prologue, KeyFrom(4), message1, out var responder, out var payload1));
        Assert.Equal("abc"u8.ToArray(), payload1);
        var message2 = new byte[100];
        Assert.True(responder.TryWriteMessage2(responderKey, new FixedRandom(KeyFrom(33)), "defg"u8, message2, out var responderFinal));
        Assert.True(initiator.TryReadMessage2(message2, out var initiatorFinal, out var payload2));
        Assert.Equal("defg"u8.ToArray(), payload2);
        var message3 = new byte[64];
        initiatorFinal.WriteMessage3([], message3);
        Assert.Equal(ExpectedMessage3, Convert.ToHexStringLower(message3));
        Assert.True(responderFinal.TryReadMessage3(message3, out _, out var payload3, out _));
        Assert.Empty(payload3);
    }

    // The vector's keys are 32 bytes that count up.
    private static byte[] KeyFrom(byte first) => [.. Enumerable.Range(first, 32).Select(i => (byte)i)];

    private sealed class FixedRandom(byte[] bytes) : IRandomSource
    {
        public void Fill(Span<byte> destination) => bytes.CopyTo(destination);
    }
}
