using System.Buffers.Binary;
using System.Security.Cryptography;
using Punchline.Protocols.Primitives;

namespace Punchline.Simulation;

/// <summary>SHA-256 in counter mode over a seed: the same bytes for the same seed, on every machine and version.</summary>
internal sealed class SeededRandom(ulong seed) : IRandomSource
{
    private readonly byte[] _block = new byte[SHA256.HashSizeInBytes];
    private ulong _counter;
    private int _used = SHA256.HashSizeInBytes;

    public void Fill(Span<byte> destination)
    {
        foreach (ref var b in destination)
        {
            if (_used == _block.Length) NextBlock();
            b = _block[_used++];
        }
    }

    private void NextBlock()
    {
        Span<byte> input = stackalloc byte[16];
        BinaryPrimitives.WriteUInt64LittleEndian(input, seed);
        BinaryPrimitives.WriteUInt64LittleEndian(input[8..], _counter++);
        SHA256.HashData(input, _block);
        _used = 0;
    }
}
