using Punchline.Protocols.Noise;
using Punchline.Protocols.Transport.Handshake;
using Punchline.Simulation;

namespace Punchline.Protocols.Tests.Transport.Handshake;

/// <summary>Two peers that were introduced to each other; the lower id initiates.</summary>
internal sealed class HandshakeFixture : IDisposable
{
    public const ulong InitiatorConnectionId = 0x1111_1111_1111_1111;
    public const ulong ResponderConnectionId = 0x2222_2222_2222_2222;
    public const ulong Hint = 0x0102_0304_0506_0708;

    private static readonly byte[] PresharedKey = [.. Enumerable.Range(1, 32).Select(i => (byte)i)];

    private readonly P256KeyPair _lower;
    private readonly P256KeyPair _higher;

    public HandshakeFixture()
    {
        var (one, other) = (P256KeyPair.Generate(new SeededRandom(1)), P256KeyPair.Generate(new SeededRandom(2)));
        (_lower, _higher) = one.DeriveId() < other.DeriveId() ? (one, other) : (other, one);
        InitiatorContext = Context(_lower, _lower.DeriveId(), _higher.DeriveId());
        ResponderContext = Context(_higher, _higher.DeriveId(), _lower.DeriveId());
    }

    public HandshakeContext InitiatorContext { get; }

    public HandshakeContext ResponderContext { get; }

    public byte[] Parameters { get; init; } = "parameters"u8.ToArray();

    public static HandshakeContext Context(P256KeyPair key, PeerId local, PeerId remote) =>
        new(key, local, remote, PresharedKey, "prologue"u8.ToArray(), Hint, Hint);

    public InitiatorHandshake Initiate(ulong attempt = 1) => new(InitiatorContext, attempt, InitiatorConnectionId, new SeededRandom(3));

    public ResponderHandshake Respond(ReadOnlySpan<byte> message1, HandshakeContext? context = null)
    {
        context ??= ResponderContext;
        Assert.True(ReceivedMessage1.TryRead(context, message1, out var received));
        Assert.True(ResponderHandshake.TryRespond(context, received, ResponderConnectionId, Parameters, new SeededRandom(4), out var responder));
        return responder;
    }

    public void Dispose()
    {
        _lower.Dispose();
        _higher.Dispose();
    }
}
