using System.Buffers.Binary;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Mdns;

/// <summary>Where a record stands in a message.</summary>
internal enum DnsSection
{
    Answer = 1,
    Authority = 2,
    Additional = 3,
}

/// <summary>
/// Writes a message, each name's end as a pointer where it stands in the message already (RFC 1035 §4.1.4; in SRV records as well, RFC 6762
/// §18.14). Questions come first, then the sections in their order; the caller has seen to the room.
/// </summary>
internal ref struct DnsMessageWriter
{
    private const ushort ClassInternet = 1;

    // RFC 6762 §10.2: this is all there is of that name and type.
    private const ushort CacheFlush = 0x8000;

    // 14 bits of a pointer.
    private const int MaxPointer = 0x3fff;

    private readonly Span<byte> _message;
    // Where ends of names stand in full, without their pointers.
    private readonly List<(byte[] Wire, int Offset)> _known = [];
    private int _length = DnsMessage.HeaderLength;

    /// <param name="destination">Room for the whole message.</param>
    /// <param name="isResponse">RFC 6762 §18.2 and §18.4: a response is authoritative.</param>
    public DnsMessageWriter(Span<byte> destination, bool isResponse)
    {
        _message = destination;
        // RFC 6762 §18.1: the id is zero.
        _message[..DnsMessage.HeaderLength].Clear();
        if (isResponse) BinaryPrimitives.WriteUInt16BigEndian(_message[2..], DnsMessage.ResponseFlag | 0x0400);
    }

    /// <summary>Bytes so far.</summary>
    public readonly int Length => _length;

    public void WriteQuestion(DnsName name, DnsType type)
    {
        WriteName(name);
        WriteUInt16((ushort)type);
        WriteUInt16(ClassInternet);
        Count(0);
    }

    public void WritePointer(DnsSection section, DnsName name, uint timeToLive, DnsName target)
    {
        var data = BeginRecord(section, name, DnsType.Pointer, timeToLive, isUnique: false);
        WriteName(target);
        EndData(data);
    }

    /// <param name="section">Where.</param>
    /// <param name="name">Whose.</param>
    /// <param name="timeToLive">In seconds.</param>
    /// <param name="port">The service's.</param>
    /// <param name="target">Its host.</param>
    /// <param name="isUnique">Caches are to forget what else they have of that name and type.</param>
    public void WriteService(DnsSection section, DnsName name, uint timeToLive, ushort port, DnsName target, bool isUnique)
    {
        var data = BeginRecord(section, name, DnsType.Service, timeToLive, isUnique);
        // RFC 2782: priority and weight.
        WriteUInt16(0);
        WriteUInt16(0);
        WriteUInt16(port);
        WriteName(target);
        EndData(data);
    }

    /// <summary>RFC 6763 §6.1: a TXT record that says nothing is one empty string.</summary>
    public void WriteEmptyText(DnsSection section, DnsName name, uint timeToLive, bool isUnique)
    {
        var data = BeginRecord(section, name, DnsType.Text, timeToLive, isUnique);
        _message[_length++] = 0;
        EndData(data);
    }

    public void WriteAddress(DnsSection section, DnsName name, uint timeToLive, Endpoint address, bool isUnique)
    {
        var data = BeginRecord(section, name, address.IsIPv4 ? DnsType.A : DnsType.Aaaa, timeToLive, isUnique);
        _length += address.WriteAddress(_message[_length..]);
        EndData(data);
    }

    private int BeginRecord(DnsSection section, DnsName name, DnsType type, uint timeToLive, bool isUnique)
    {
        WriteName(name);
        WriteUInt16((ushort)type);
        WriteUInt16((ushort)(ClassInternet | (isUnique ? CacheFlush : 0)));
        BinaryPrimitives.WriteUInt32BigEndian(_message[_length..], timeToLive);
        _length += 4;
        Count((int)section);
        // For the data's length.
        _length += 2;
        return _length;
    }

    private readonly void EndData(int start) => BinaryPrimitives.WriteUInt16BigEndian(_message[(start - 2)..], (ushort)(_length - start));

    private void WriteName(DnsName name)
    {
        var rest = name.Wire;
        while (rest[0] != 0)
        {
            foreach (var (wire, offset) in _known)
            {
                if (!rest.SequenceEqual(wire)) continue;
                WriteUInt16((ushort)(0xc000 | offset));
                return;
            }
            if (_length <= MaxPointer) _known.Add((rest.ToArray(), _length));
            var label = rest[..(1 + rest[0])];
            label.CopyTo(_message[_length..]);
            _length += label.Length;
            rest = rest[label.Length..];
        }
        _message[_length++] = 0;
    }

    private void WriteUInt16(ushort value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(_message[_length..], value);
        _length += 2;
    }

    private readonly void Count(int section)
    {
        var count = _message.Slice(4 + (2 * section), 2);
        BinaryPrimitives.WriteUInt16BigEndian(count, (ushort)(BinaryPrimitives.ReadUInt16BigEndian(count) + 1));
    }
}
