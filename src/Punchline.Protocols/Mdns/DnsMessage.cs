using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Mdns;

/// <summary>
/// A message of the DNS (RFC 1035 §4.1), as multicast DNS has it (RFC 6762 §18):
/// <code>
/// id (2): 0 | flags (2): response 0x8000, opcode, …, rcode | questions (2) | answers (2) | authorities (2) | additionals (2)
/// questions, then records
/// </code>
/// </summary>
internal sealed class DnsMessage
{
    /// <summary>RFC 6762 §17: a message has at most 9,000 bytes, with the headers of IP and UDP.</summary>
    public const int MaxLength = 9_000;

    /// <summary>Questions and records, at most: others' longest messages have some dozens.</summary>
    public const int MaxEntries = 256;

    public const int HeaderLength = 12;

    public const ushort ResponseFlag = 0x8000;

    // RFC 6762 §18.3 and §18.11: messages with an opcode or a response code other than zero must be ignored.
    private const ushort OpcodeAndResponseCode = 0x780f;
    private const ushort ClassMask = 0x7fff;
    private const ushort ClassInternet = 1;
    private const ushort ClassAny = 255;

    private DnsMessage(bool isResponse) => IsResponse = isResponse;

    public bool IsResponse { get; }

    public List<DnsQuestion> Questions { get; } = [];

    /// <summary>In a query: what the asker knows already (RFC 6762 §7.1).</summary>
    public List<DnsRecord> Answers { get; } = [];

    /// <summary>In a query: what the asker would like to be its own (RFC 6762 §8.2).</summary>
    public List<DnsRecord> Authorities { get; } = [];

    public List<DnsRecord> Additionals { get; } = [];

    /// <summary>False for what is cut off, contradicts itself, has more than <see cref="MaxEntries"/>, or is no query and no good response.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out DnsMessage? message)
    {
        message = null;
        if (bytes.Length is < HeaderLength or > MaxLength) return false;
        var flags = BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]);
        if ((flags & OpcodeAndResponseCode) != 0) return false;
        var counts = bytes[4..HeaderLength];
        var read = new DnsMessage((flags & ResponseFlag) != 0);
        var at = HeaderLength;
        var entries = MaxEntries;
        if (!read.TryReadQuestions(bytes, ref at, BinaryPrimitives.ReadUInt16BigEndian(counts), ref entries)
            || !TryReadRecords(bytes, ref at, BinaryPrimitives.ReadUInt16BigEndian(counts[2..]), ref entries, read.Answers)
            || !TryReadRecords(bytes, ref at, BinaryPrimitives.ReadUInt16BigEndian(counts[4..]), ref entries, read.Authorities)
            || !TryReadRecords(bytes, ref at, BinaryPrimitives.ReadUInt16BigEndian(counts[6..]), ref entries, read.Additionals)) return false;
        message = read;
        return true;
    }

    private bool TryReadQuestions(ReadOnlySpan<byte> bytes, ref int at, int count, ref int entries)
    {
        if (count > entries) return false;
        entries -= count;
        for (var i = 0; i < count; i++)
        {
            if (!DnsName.TryRead(bytes, ref at, out var name) || at + 4 > bytes.Length) return false;
            var type = (DnsType)BinaryPrimitives.ReadUInt16BigEndian(bytes[at..]);
            var @class = BinaryPrimitives.ReadUInt16BigEndian(bytes[(at + 2)..]) & ClassMask;
            at += 4;
            Questions.Add(new DnsQuestion(name, type, @class is ClassInternet or ClassAny));
        }
        return true;
    }

    private static bool TryReadRecords(ReadOnlySpan<byte> bytes, ref int at, int count, ref int entries, List<DnsRecord> records)
    {
        if (count > entries) return false;
        entries -= count;
        for (var i = 0; i < count; i++)
        {
            if (!TryReadRecord(bytes, ref at, out var record)) return false;
            records.Add(record);
        }
        return true;
    }

    private static bool TryReadRecord(ReadOnlySpan<byte> bytes, ref int at, [NotNullWhen(true)] out DnsRecord? record)
    {
        record = null;
        if (!DnsName.TryRead(bytes, ref at, out var name)) return false;
        var fields = new SpanReader(bytes[at..]);
        if (!fields.TryReadUInt16(out var type) || !fields.TryReadUInt16(out var @class) || !fields.TryReadUInt32(out var timeToLive)
            || !fields.TryReadUInt16(out var length) || !fields.TryReadBytes(length, out _)) return false;
        var end = bytes.Length - fields.Remaining.Length;
        // Names in the data may point to anywhere in front of them, but end where the data does.
        at = end;
        record = (@class & ClassMask) == ClassInternet
            ? ReadData((DnsType)type, bytes[..end], end - length, name, timeToLive)
            : new DnsRecord.Other(name, timeToLive);
        return record is not null;
    }

    // Null where the data is not what its type says.
    private static DnsRecord? ReadData(DnsType type, ReadOnlySpan<byte> bytes, int at, DnsName name, uint timeToLive)
    {
        switch (type)
        {
            case DnsType.Pointer:
                return DnsName.TryRead(bytes, ref at, out var target) && at == bytes.Length ? new DnsRecord.Pointer(name, timeToLive, target) : null;
            case DnsType.Service:
                // RFC 2782: priority (2), weight (2), port (2), target.
                if (at + 6 > bytes.Length) return null;
                var port = BinaryPrimitives.ReadUInt16BigEndian(bytes[(at + 4)..]);
                at += 6;
                return DnsName.TryRead(bytes, ref at, out var host) && at == bytes.Length ? new DnsRecord.Service(name, timeToLive, port, host) : null;
            case DnsType.A when bytes.Length - at == 4:
            case DnsType.Aaaa when bytes.Length - at == 16:
                Endpoint.TryFromBytes(bytes[at..], 0, out var endpoint);
                return new DnsRecord.Address(name, timeToLive, endpoint.Address);
            case DnsType.A or DnsType.Aaaa:
                return null;
            default:
                return new DnsRecord.Other(name, timeToLive);
        }
    }
}
