using System.Diagnostics.CodeAnalysis;
using System.Text;
using Punchline.Protocols.Primitives;

namespace Punchline.Cli.Session;

/// <summary>
/// A message as history keeps it, in clear:
/// <code>
/// sent:      1, milliseconds since 1970 (8), text
/// received:  2, milliseconds since 1970 (8), peer (32), number (8), length of its name (varint), name, text
/// </code>
/// Texts and names in UTF-8.
/// </summary>
internal static class HistoryRecord
{
    /// <summary>Of a longer message history has the beginning: a file could not hold many of 1 MiB.</summary>
    public const int MaxTextCharacters = 16 << 10;

    /// <summary>Of a name, which introductions limit to fewer bytes before it is cleaned.</summary>
    public const int MaxNameCharacters = 256;

    // Three bytes of UTF-8 a UTF-16 unit at most, and the head.
    public const int MaxBytes = (3 * (MaxTextCharacters + 1 + MaxNameCharacters)) + 64;

    private const byte SentKind = 1;
    private const byte ReceivedKind = 2;

    /// <summary>Null: it is not for keeping.</summary>
    public static byte[]? Write(LogEntry entry)
    {
        var text = Encoding.UTF8.GetBytes(Shorten(entry.Text, MaxTextCharacters));
        var buffer = new byte[MaxBytes];
        var writer = new SpanWriter(buffer);
        if (entry is not (LogEntry.Sent or LogEntry.Received)) return null;
        writer.WriteByte(entry is LogEntry.Sent ? SentKind : ReceivedKind);
        writer.WriteUInt64((ulong)entry.Time.ToUnixTimeMilliseconds());
        if (entry is LogEntry.Received received)
        {
            Span<byte> peer = stackalloc byte[PeerId.ByteLength];
            received.Peer.CopyTo(peer);
            var name = Encoding.UTF8.GetBytes(Shorten(received.Name, MaxNameCharacters));
            writer.WriteBytes(peer);
            writer.WriteUInt64(received.Id);
            writer.WriteVarInt((ulong)name.Length);
            writer.WriteBytes(name);
        }
        writer.WriteBytes(text);
        return writer.Written.ToArray();
    }

    /// <summary>What another version wrote may be nothing that this one knows.</summary>
    public static bool TryRead(ReadOnlySpan<byte> record, long number, [NotNullWhen(true)] out LogEntry? entry)
    {
        entry = null;
        var reader = new SpanReader(record);
        if (!reader.TryReadByte(out var kind) || !reader.TryReadUInt64(out var milliseconds) || milliseconds > (ulong)DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()) return false;
        var time = DateTimeOffset.FromUnixTimeMilliseconds((long)milliseconds);
        switch (kind)
        {
            case SentKind:
                entry = new LogEntry.Sent(number, time, Encoding.UTF8.GetString(reader.Remaining), 0, [], []);
                return true;
            case ReceivedKind when reader.TryReadBytes(PeerId.ByteLength, out var peer) && reader.TryReadUInt64(out var id) && reader.TryReadVarIntPrefixed(out var name):
                entry = new LogEntry.Received(number, time, Encoding.UTF8.GetString(reader.Remaining), new PeerId(peer), Encoding.UTF8.GetString(name), id);
                return true;
            default:
                return false;
        }
    }

    private static string Shorten(string text, int length) => text.Length <= length ? text : $"{text.AsSpan(0, char.IsHighSurrogate(text[length - 1]) ? length - 1 : length)}…";
}
