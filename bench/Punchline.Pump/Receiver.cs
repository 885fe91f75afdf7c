using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Punchline.Pump;

/// <summary>Reads the bytes and answers with their hash.</summary>
internal static class Receiver
{
    private const int BufferBytes = 64 << 10;

    public static async Task<bool> RunAsync(PeerConnection connection, Report report, CancellationToken cancellationToken)
    {
        var buffer = new byte[BufferBytes];
        await using var stream = await connection.AcceptStreamAsync(cancellationToken);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await stream.ReadExactlyAsync(buffer.AsMemory(0, sizeof(long)), cancellationToken);
        var bytes = BinaryPrimitives.ReadInt64BigEndian(buffer);
        var progress = new Progress(report);
        while (await stream.ReadAsync(buffer, cancellationToken) is > 0 and var length)
        {
            hash.AppendData(buffer, 0, length);
            progress.Add(length);
        }
        var received = hash.GetHashAndReset();
        progress.Finish("receive", Convert.ToHexStringLower(received), progress.Bytes == bytes, connection.GetStatistics());
        await stream.WriteAsync(received, completeWrites: true, cancellationToken);
        try
        {
            // The sender closes when it has read the answer.
            await connection.AcceptStreamAsync(cancellationToken);
        }
        catch (PunchlineException)
        {
            // It has.
        }
        return progress.Bytes == bytes;
    }
}
