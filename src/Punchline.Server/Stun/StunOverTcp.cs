using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Stun;
using Punchline.Server.Listening;

namespace Punchline.Server.Stun;

/// <summary>
/// STUN on a TCP connection (RFC 8489 §6.2.2): requests one behind the other, answered in their order. The client closes;
/// this side does where something else than STUN comes, where nothing comes, and after <see cref="MaxMessages"/>.
/// </summary>
internal sealed class StunOverTcp(TimeProvider time)
{
    /// <summary>
    /// From one whole message to the next. A client's transaction lives for 39.5 s (RFC 8489 §6.2.2, Ti): no connection
    /// ends under one that waits.
    /// </summary>
    public static readonly TimeSpan IdleTimeout = TimeSpan.FromSeconds(40);

    /// <summary>Of one connection: with one every 20 s, which keeps a NAT's mapping, five and a half hours.</summary>
    public const int MaxMessages = 1_000;

    // Answers of at most 72 bytes are gathered up to here, so that pipelined requests cost few packets and little memory.
    private const int FlushBytes = 4_096;

    private long _requests;

    /// <summary>Requests answered since the start.</summary>
    public long Requests => Interlocked.Read(ref _requests);

    public async Task ServeAsync(ConnectionContext connection)
    {
        var source = Endpoint.From((IPEndPoint)connection.RemoteEndPoint!);
        using var limit = Deadline.Start(IdleTimeout, time, connection);
        try
        {
            var messages = 0;
            while (messages < MaxMessages)
            {
                var read = await connection.Transport.Input.ReadAsync(limit.Token);
                var (taken, count, isStun) = Answer(read.Buffer, source, connection.Transport.Output, MaxMessages - messages);
                var isOver = !isStun || (count == 0 && read.IsCompleted);
                // Looked at to the end where more has to come; else what was left for the next round is there at once.
                connection.Transport.Input.AdvanceTo(taken, count == 0 ? read.Buffer.End : taken);
                messages += count;
                if (count > 0)
                {
                    var flushed = await connection.Transport.Output.FlushAsync(limit.Token);
                    isOver |= flushed.IsCompleted;
                    limit.Restart(IdleTimeout);
                }
                if (isOver) return;
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException)
        {
            // Silent for too long, gone, or the server stops.
        }
    }

    // Takes whole messages until the answers fill a flush; what is left is looked at again in the next round.
    private (SequencePosition Taken, int Count, bool IsStun) Answer(ReadOnlySequence<byte> buffer, Endpoint source, PipeWriter output, int maxMessages)
    {
        Span<byte> copy = stackalloc byte[StunMessage.MaxLength];
        var (count, unflushed) = (0, 0);
        while (count < maxMessages && unflushed < FlushBytes)
        {
            var frame = StunFraming.Inspect(Contiguous(buffer, copy), out var length);
            if (frame != StunFrame.Complete) return (buffer.Start, count, frame == StunFrame.Incomplete);
            if (StunResponder.TryRespond(Contiguous(buffer.Slice(0, length), copy), source, output.GetSpan(StunResponder.MaxResponseLength), out var written))
            {
                output.Advance(written);
                unflushed += written;
                Interlocked.Increment(ref _requests);
            }
            buffer = buffer.Slice(length);
            count++;
        }
        return (buffer.Start, count, true);
    }

    private static ReadOnlySpan<byte> Contiguous(ReadOnlySequence<byte> bytes, Span<byte> copy)
    {
        if (bytes.Length > copy.Length) bytes = bytes.Slice(0, copy.Length);
        if (bytes.IsSingleSegment) return bytes.FirstSpan;
        bytes.CopyTo(copy);
        return copy[..(int)bytes.Length];
    }
}
