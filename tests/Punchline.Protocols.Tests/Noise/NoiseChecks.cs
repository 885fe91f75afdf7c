using System.Text;
using Punchline.Protocols.Noise;
using Punchline.Simulation;

namespace Punchline.Protocols.Tests.Noise;

internal interface INoiseChecks : IDisposable
{
    void Both_sides_get_the_same_keys_the_payloads_and_who_the_other_is();

    void The_same_randomness_gives_the_same_bytes();

    void Another_preshared_key_or_prologue_opens_nothing();

    void No_tampered_or_cut_message_1_is_read();

    void After_any_tampered_or_cut_message_2_the_genuine_one_still_completes();

    void After_any_tampered_or_cut_message_3_the_genuine_one_still_completes();
}

/// <summary>The handshake, generic over its Diffie-Hellman.</summary>
internal sealed class NoiseChecks<TKeyPair>(int message1, int message2, int message3) : INoiseChecks
    where TKeyPair : class, IKeyPair<TKeyPair>
{
    private static readonly byte[] Prologue = "prologue"u8.ToArray();
    private static readonly byte[] PresharedKey = [.. Enumerable.Range(1, 32).Select(i => (byte)i)];

    private readonly TKeyPair _initiatorKey = TKeyPair.Generate(new SeededRandom(1));
    private readonly TKeyPair _responderKey = TKeyPair.Generate(new SeededRandom(2));

    public void Both_sides_get_the_same_keys_the_payloads_and_who_the_other_is()
    {
        using var exchange = Begin("one");
        Assert.Equal("one", Encoding.UTF8.GetString(exchange.Payload1));
        Assert.True(exchange.Responder.TryWriteMessage2(_responderKey, new SeededRandom(4), "two"u8, exchange.Message2, out var responder));
        Assert.True(exchange.Initiator.TryReadMessage2(exchange.Message2, out var initiator, out var payload2));
        Assert.Equal("two", Encoding.UTF8.GetString(payload2));
        Assert.Equal(_responderKey.PublicKey, initiator.RemoteStaticKey);
        var third = new byte[message3 + 5];
        var ours = initiator.WriteMessage3("three"u8, third);
        Assert.True(responder.TryReadMessage3(third, out var remoteStatic, out var payload3, out var theirs));
        Assert.Equal("three", Encoding.UTF8.GetString(payload3));
        Assert.Equal(_initiatorKey.PublicKey, remoteStatic);
        Assert.Equal(ours.SendKey, theirs.ReceiveKey);
        Assert.Equal(ours.ReceiveKey, theirs.SendKey);
        Assert.NotEqual(ours.SendKey, ours.ReceiveKey);
        responder.Dispose();
    }

    public void The_same_randomness_gives_the_same_bytes()
    {
        using var one = Begin("one");
        using var again = Begin("one");
        Assert.Equal(one.Message1, again.Message1);
        using var other = Begin("one", ephemeralSeed: 99);
        Assert.NotEqual(one.Message1, other.Message1);
    }

    public void Another_preshared_key_or_prologue_opens_nothing()
    {
        using var exchange = Begin("one");
        byte[] otherKey = [.. PresharedKey];
        otherKey[31] ^= 1;
        Assert.False(NoiseResponder<TKeyPair>.TryReadMessage1(Prologue, otherKey, exchange.Message1, out _, out _));
        Assert.False(NoiseResponder<TKeyPair>.TryReadMessage1("prologuE"u8, PresharedKey, exchange.Message1, out _, out _));
    }

    public void No_tampered_or_cut_message_1_is_read()
    {
        using var exchange = Begin("one");
        foreach (var forged in Forgeries(exchange.Message1))
            Assert.False(NoiseResponder<TKeyPair>.TryReadMessage1(Prologue, PresharedKey, forged, out _, out _));
    }

    public void After_any_tampered_or_cut_message_2_the_genuine_one_still_completes()
    {
        using var exchange = Begin("one");
        Assert.True(exchange.Responder.TryWriteMessage2(_responderKey, new SeededRandom(4), "two"u8, exchange.Message2, out var responder));
        foreach (var forged in Forgeries(exchange.Message2)) Assert.False(exchange.Initiator.TryReadMessage2(forged, out _, out _));
        Assert.True(exchange.Initiator.TryReadMessage2(exchange.Message2, out var initiator, out _));
        var third = new byte[message3];
        var ours = initiator.WriteMessage3([], third);
        Assert.True(responder.TryReadMessage3(third, out _, out _, out var theirs));
        Assert.Equal(ours.SendKey, theirs.ReceiveKey);
        responder.Dispose();
    }

    public void After_any_tampered_or_cut_message_3_the_genuine_one_still_completes()
    {
        using var exchange = Begin("one");
        Assert.True(exchange.Responder.TryWriteMessage2(_responderKey, new SeededRandom(4), "two"u8, exchange.Message2, out var responder));
        Assert.True(exchange.Initiator.TryReadMessage2(exchange.Message2, out var initiator, out _));
        var third = new byte[message3];
        var ours = initiator.WriteMessage3([], third);
        foreach (var forged in Forgeries(third)) Assert.False(responder.TryReadMessage3(forged, out _, out _, out _));
        Assert.True(responder.TryReadMessage3(third, out _, out _, out var theirs));
        Assert.Equal(ours.ReceiveKey, theirs.SendKey);
        responder.Dispose();
    }

    public void Dispose()
    {
        _initiatorKey.Dispose();
        _responderKey.Dispose();
    }

    // One bit in every eighth byte and in the last, a byte less, a byte more, and nothing at all.
    private static IEnumerable<byte[]> Forgeries(byte[] message)
    {
        for (var i = 0; i < message.Length; i += 8) yield return Flip(message, i);
        yield return Flip(message, message.Length - 1);
        yield return message[..^1];
        yield return [.. message, 0];
        yield return [];
    }

    private static byte[] Flip(byte[] message, int index)
    {
        byte[] flipped = [.. message];
        flipped[index] ^= 0x10;
        return flipped;
    }

    private Exchange Begin(string payload, ulong ephemeralSeed = 3)
    {
        var first = new byte[message1 + payload.Length];
        var initiator = new NoiseInitiator<TKeyPair>(
            Prologue, PresharedKey, _initiatorKey, new SeededRandom(ephemeralSeed), Encoding.UTF8.GetBytes(payload), first);
        Assert.True(NoiseResponder<TKeyPair>.TryReadMessage1(Prologue, PresharedKey, first, out var responder, out var read));
        return new Exchange(initiator, responder, first, new byte[message2 + 3], read);
    }

    private sealed record Exchange(
        NoiseInitiator<TKeyPair> Initiator, NoiseResponder<TKeyPair> Responder, byte[] Message1, byte[] Message2, byte[] Payload1) : IDisposable
    {
        public void Dispose() => Initiator.Dispose();
    }
}
