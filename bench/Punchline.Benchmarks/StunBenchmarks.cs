using System.Security.Cryptography;
using BenchmarkDotNet.Attributes;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Stun;
using Punchline.Simulation;

namespace Punchline.Benchmarks;

/// <summary>A binding transaction's messages. The reference is one SHA-256 of a message's bytes.</summary>
public class StunBenchmarks
{
    private static readonly Endpoint Source = Endpoint.Parse("198.51.100.11:40000");

    private readonly StunTransactionId _id = StunTransactionId.Generate(new SeededRandom(1));
    private readonly byte[] _request = new byte[StunClient.RequestLength];
    private readonly byte[] _response = new byte[StunResponder.MaxResponseLength];
    private readonly byte[] _buffer = new byte[StunResponder.MaxResponseLength];
    private readonly int _responseLength;

    public StunBenchmarks()
    {
        WriteRequest();
        if (!StunResponder.TryRespond(_request, Source, _response, out _responseLength)) throw new InvalidOperationException("No response.");
    }

    [Benchmark(Baseline = true)]
    public int Reference() => SHA256.HashData(_response.AsSpan(0, _responseLength), _buffer);

    [Benchmark]
    public int WriteRequest() => new StunWriter(_request, StunClass.Request, StunMethod.Binding, _id).Length;

    [Benchmark]
    public int Respond() => StunResponder.TryRespond(_request, Source, _buffer, out var length) ? length : throw new InvalidOperationException();

    [Benchmark]
    public ushort ReadResponse() =>
        StunMessage.TryRead(_response.AsSpan(0, _responseLength), out var message)
        && message.TryFind(StunAttributeType.XorMappedAddress, out var value)
        && StunAddress.TryReadXor(value, message.TransactionId, out var mapped) ? mapped.Port : throw new InvalidOperationException();
}
