using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Punchline.Pump;

/// <summary>Writes the bytes: a random block again and again, each time with its number in front, so that none can take another's place.</summary>
internal static class Sender
{
    private const int BlockBytes = 64 << 10;

    public static async Task<bool> RunAsync(PeerConnection connection, long bytes, Report report, CancellationToken cancellationToken)
    {
        var block = RandomNumberGenerator.GetBytes(BlockBytes);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var progress = new Progress(report);
        await using var stream = await connection.OpenStreamAsync(PumpProgram.Protocol, cancellationToken: cancellationToken);
        var length = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(length, bytes);
        await stream.WriteAsync(length, cancellationToken);
        for (long number = 0; progress.Bytes < bytes; number++)
        {
            BinaryPrimitives.WriteInt64BigEndian(block, number);
            var part = block.AsMemory(0, (int)Math.Min(BlockBytes, bytes - progress.Bytes));
            hash.AppendData(part.Span);
            await stream.WriteAsync(part, cancellationToken);
            progress.Add(part.Length);
        }
        stream.CompleteWrites();
        var sent = hash.GetHashAndReset();
        var received = new byte[sent.Length];
        await stream.ReadExactlyAsync(received, cancellationToken);
        var isWhole = sent.AsSpan().SequenceEqual(received);
        progress.Finish("send", Convert.ToHexStringLower(sent), isWhole, connection.GetStatistics());
        return isWhole;
    }
}
