using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;

namespace Punchline.Cli.Session;

/// <summary>
/// What was said in a room, in a file that grows at its end:
/// <code>
/// file:     segments, each of one session: salt (16 random bytes), records
/// record:   length of what is sealed (4, big-endian), sealed record, tag (16)
/// segment's end: a length of 0, then the next segment's salt
/// </code>
/// A segment's key comes from the room's, its salt and its place in the file (HKDF), and seals records by AES-256-GCM with their number as nonce: no key has a number
/// twice, whatever copy of the file is written on. A record that does not open ends what is read; the file is cut off there, and goes on behind. Thread-safe.
/// </summary>
internal sealed class RoomHistory : IDisposable
{
    /// <summary>Beyond these the older half goes.</summary>
    public const int MaxBytes = 4 << 20;

    /// <summary>What is shown of earlier sessions.</summary>
    public const int MaxEarlier = 1000;

    private const int SaltLength = 16;
    private const int TagLength = 16;
    private const int LengthLength = 4;
    private const int KeyLength = 32;

    private readonly Lock _gate = new();
    private readonly string _path;
    private readonly byte[] _key;
    private FileStream? _file;
    private AesGcm? _cipher;
    private ulong _written;

    /// <param name="path">The file, made where it is missing, for its owner only.</param>
    /// <param name="key">The room's.</param>
    public RoomHistory(string path, byte[] key)
    {
        _path = path;
        _key = key;
        try
        {
            Open();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Close();
            Problem = $"What is said here is not kept: {exception.Message}";
        }
    }

    /// <summary>What the file had when it was opened, the oldest first: the last <see cref="MaxEarlier"/>, numbered up to 0.</summary>
    public ImmutableArray<LogEntry> Earlier { get; private set; } = [];

    /// <summary>Why history is not whole, in a sentence; null: it is.</summary>
    public string? Problem { get; private set; }

    /// <summary>Keeps a message; what is no message is not kept.</summary>
    /// <returns>False: it cannot be kept, nor what follows; <see cref="Problem"/> says why. Only told once.</returns>
    public bool TryAppend(LogEntry entry)
    {
        if (HistoryRecord.Write(entry) is not { } record) return true;
        lock (_gate)
        {
            if (_file is null) return true;
            try
            {
                if (_file.Length + (2 * LengthLength) + SaltLength + record.Length + TagLength > MaxBytes) Shorten();
                Write(record);
                _file.Flush();
                return true;
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                Close();
                Problem = exception.Message;
                return false;
            }
        }
    }

    public void Dispose()
    {
        lock (_gate) Close();
    }

    private static FileStream OpenFile(string path)
    {
        var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.None };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return new FileStream(path, options);
    }

    private void Open()
    {
        _file = OpenFile(_path);
        var records = Read(_file, out var end);
        if (end < _file.Length)
        {
            Problem = "The end of what was kept of this room was damaged, perhaps by a power cut, and is gone.";
            _file.SetLength(end);
        }
        var earlier = ImmutableArray.CreateBuilder<LogEntry>();
        var number = -(long)Math.Min(records.Count, MaxEarlier);
        foreach (var record in records.TakeLast(MaxEarlier))
        {
            if (HistoryRecord.TryRead(record, ++number, out var entry)) earlier.Add(entry);
        }
        Earlier = earlier.ToImmutable();
    }

    // All records that open, and where the first that does not begins.
    private List<byte[]> Read(FileStream file, out long end)
    {
        var records = new List<byte[]>();
        // A file of ours is never longer.
        var bytes = new byte[Math.Min(file.Length, MaxBytes)];
        file.Position = 0;
        file.ReadExactly(bytes);
        var at = 0;
        end = 0;
        while (bytes.Length - at >= SaltLength)
        {
            using var cipher = CipherOf(bytes.AsSpan(at, SaltLength), at);
            at += SaltLength;
            end = at;
            var isNext = false;
            for (ulong number = 0; !isNext && bytes.Length - at >= LengthLength; number++)
            {
                var length = BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(at));
                isNext = length == 0;
                if (isNext) break;
                if (length > HistoryRecord.MaxBytes || bytes.Length - at < LengthLength + length + TagLength) return records;
                var record = new byte[length];
                if (!TryOpen(cipher, number, bytes.AsSpan(at + LengthLength, (int)length + TagLength), record)) return records;
                records.Add(record);
                at += LengthLength + (int)length + TagLength;
                end = at;
            }
            if (!isNext) return records;
            at += LengthLength;
        }
        return records;
    }

    // The older half goes, by size.
    private void Shorten()
    {
        var records = Read(_file!, out _);
        var first = records.Count;
        for (var size = 0; first > 0 && (size += records[first - 1].Length + LengthLength + TagLength) <= MaxBytes / 2;) first--;
        // Whatever dies meanwhile, the old file or the new one is there.
        var temporary = $"{_path}.tmp";
        Close();
        File.Delete(temporary);
        using (var shorter = new RoomHistory(temporary, _key))
        {
            if (shorter._file is not { } file) throw new IOException(shorter.Problem);
            foreach (var record in records.Skip(first)) shorter.Write(record);
            file.Flush(flushToDisk: true);
        }
        File.Move(temporary, _path, overwrite: true);
        _file = OpenFile(_path);
    }

    private void BeginSegment()
    {
        var file = _file!;
        file.Position = file.Length;
        if (file.Length > 0) file.Write(stackalloc byte[LengthLength]);
        Span<byte> salt = stackalloc byte[SaltLength];
        RandomNumberGenerator.Fill(salt);
        _cipher = CipherOf(salt, file.Position);
        _written = 0;
        file.Write(salt);
        file.Flush();
    }

    private void Write(ReadOnlySpan<byte> record)
    {
        // Not before there is something to write: a session in which nothing is said leaves the file as it is.
        if (_cipher is null) BeginSegment();
        var sealedRecord = new byte[LengthLength + record.Length + TagLength];
        BinaryPrimitives.WriteUInt32BigEndian(sealedRecord, (uint)record.Length);
        Span<byte> nonce = stackalloc byte[AesGcm.NonceByteSizes.MaxSize];
        WriteNonce(nonce, _written++);
        _cipher!.Encrypt(nonce, record, sealedRecord.AsSpan(LengthLength, record.Length), sealedRecord.AsSpan(LengthLength + record.Length));
        _file!.Write(sealedRecord);
    }

    private static bool TryOpen(AesGcm cipher, ulong number, ReadOnlySpan<byte> sealedRecord, Span<byte> record)
    {
        Span<byte> nonce = stackalloc byte[AesGcm.NonceByteSizes.MaxSize];
        WriteNonce(nonce, number);
        try
        {
            cipher.Decrypt(nonce, sealedRecord[..record.Length], sealedRecord[record.Length..], record);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
    }

    private static void WriteNonce(Span<byte> nonce, ulong number)
    {
        nonce.Clear();
        BinaryPrimitives.WriteUInt64BigEndian(nonce[^sizeof(ulong)..], number);
    }

    // The place in it: a segment cannot be taken out, nor put elsewhere, without those behind it being damaged.
    private AesGcm CipherOf(ReadOnlySpan<byte> salt, long place)
    {
        Span<byte> info = stackalloc byte[SaltLength + sizeof(long)];
        salt.CopyTo(info);
        BinaryPrimitives.WriteInt64BigEndian(info[SaltLength..], place);
        Span<byte> key = stackalloc byte[KeyLength];
        HKDF.Expand(HashAlgorithmName.SHA256, _key, key, info);
        var cipher = new AesGcm(key, TagLength);
        CryptographicOperations.ZeroMemory(key);
        return cipher;
    }

    private void Close()
    {
        _cipher?.Dispose();
        _file?.Dispose();
        (_cipher, _file) = (null, null);
    }
}
