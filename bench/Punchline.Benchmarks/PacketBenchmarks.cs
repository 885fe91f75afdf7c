using System.Security.Cryptography;
using BenchmarkDotNet.Attributes;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport;
using Punchline.Simulation.Peers;

namespace Punchline.Benchmarks;

/// <summary>A data packet of full size, sealed and opened, and one on its way through whole nodes. The reference is .NET's AES-GCM alone.</summary>
public class PacketBenchmarks : IDisposable
{
    private const int PacketsAnOperation = 100;

    private readonly byte[] _key = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];
    private readonly byte[] _nonce = new byte[12];
    private readonly byte[] _packet = new byte[Connection.BasePacketSize];
    private readonly byte[] _sealed = new byte[Connection.BasePacketSize];
    private readonly byte[] _frames = new byte[Connection.BasePacketSize - PacketHeader.Length - PacketHeader.TagLength];
    private readonly AesGcm _aead;
    private readonly PacketSealer _sealer;
    private readonly PacketOpener _opener;
    private readonly PacketHeader _header;
    private readonly NodePair _nodes = new(seed: 1);

    public PacketBenchmarks()
    {
        _aead = new AesGcm(_key, PacketHeader.TagLength);
        // The limit of one key is less than a benchmark seals; no packet leaves this process.
        _sealer = new PacketSealer(_key, new AeadLimits { MaxPackets = ulong.MaxValue }, Timestamp.Zero);
        _opener = new PacketOpener(_key, AeadLimits.Default);
        _sealer.TrySeal(_sealed, connectionId: 1);
        PacketHeader.TryRead(_sealed, out _header);
    }

    [Benchmark(Baseline = true)]
    public void Reference() => _aead.Encrypt(
        _nonce, _frames, _frames, _packet.AsSpan(^PacketHeader.TagLength..), _packet.AsSpan(0, PacketHeader.Length));

    [Benchmark]
    public bool Seal() => _sealer.TrySeal(_packet, connectionId: 1);

    [Benchmark]
    public bool Open() => _opener.TryOpen(_sealed, _header, number: 0, _frames, out _) ? true : throw new InvalidOperationException("The packet did not authenticate.");

    /// <summary>Sent by one node and taken by the other: routes, timers, acknowledgement, sealing and opening. Small packets.</summary>
    [Benchmark(OperationsPerInvoke = PacketsAnOperation)]
    public void ThroughTwoNodes()
    {
        var end = _nodes.Packets + PacketsAnOperation;
        while (_nodes.Packets < end) _nodes.Step();
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _nodes.Dispose();
        _opener.Dispose();
        _sealer.Dispose();
        _aead.Dispose();
        GC.SuppressFinalize(this);
    }
}
