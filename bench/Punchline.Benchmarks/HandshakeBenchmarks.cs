using BenchmarkDotNet.Attributes;
using Punchline.Protocols.Noise;
using Punchline.Protocols.Transport.Handshake;
using Punchline.Simulation;

namespace Punchline.Benchmarks;

/// <summary>
/// A whole handshake, both sides: three messages, six Diffie-Hellman results and two new key pairs. The reference is one
/// P-256 agreement of .NET's, so the ratio says how much of a handshake is anything else.
/// </summary>
public class HandshakeBenchmarks : IDisposable
{
    private readonly SeededRandom _random = new(1);
    private readonly byte[] _parameters = new byte[40];
    private readonly byte[] _secret = new byte[P256KeyPair.SharedSecretLength];
    private readonly P256KeyPair _initiatorKey;
    private readonly P256KeyPair _responderKey;
    private readonly HandshakeContext _initiator;
    private readonly HandshakeContext _responder;

    public HandshakeBenchmarks()
    {
        _initiatorKey = P256KeyPair.Generate(_random);
        _responderKey = P256KeyPair.Generate(_random);
        var (initiatorId, responderId) = (_initiatorKey.DeriveId(), _responderKey.DeriveId());
        var (presharedKey, prologue) = (new byte[32], "prologue"u8.ToArray());
        _initiator = new HandshakeContext(_initiatorKey, initiatorId, responderId, presharedKey, prologue, OutgoingHint: 1, IncomingHint: 1);
        _responder = new HandshakeContext(_responderKey, responderId, initiatorId, presharedKey, prologue, OutgoingHint: 1, IncomingHint: 1);
    }

    [Benchmark(Baseline = true)]
    public bool Reference() => _initiatorKey.TryAgree(_responderKey.PublicKey, _secret);

    [Benchmark]
    public void NewKeyPair() => P256KeyPair.Generate(_random).Dispose();

    [Benchmark]
    public void Handshake()
    {
        using var initiator = new InitiatorHandshake(_initiator, attempt: 1, connectionId: 1, _random);
        if (!ReceivedMessage1.TryRead(_responder, initiator.Message1, out var message1)
            || !ResponderHandshake.TryRespond(_responder, message1, connectionId: 2, _parameters, _random, out var responder)) throw new InvalidOperationException("No message 2.");
        using (responder)
        {
            if (initiator.ReadMessage2(responder.Message2, _parameters, out _, out var message3) != HandshakeOutcome.Completed
                || responder.ReadMessage3(message3, out _) != HandshakeOutcome.Completed) throw new InvalidOperationException("The handshake failed.");
        }
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _initiatorKey.Dispose();
        _responderKey.Dispose();
        GC.SuppressFinalize(this);
    }
}
