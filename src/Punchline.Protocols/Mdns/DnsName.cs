using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Punchline.Protocols.Mdns;

/// <summary>
/// A domain name as its labels (RFC 1035 §3.1), in the lower case in which names are compared (§2.3.3):
/// <code>
/// label's length (1): 1 to 63, label; …; 0
/// </code>
/// In a message it may end in a pointer to where its end was written before: two bits 11, offset in the message (14 bits).
/// </summary>
internal sealed class DnsName : IEquatable<DnsName>
{
    /// <summary>Bytes of a name with its lengths and its end (RFC 1035 §2.3.4).</summary>
    public const int MaxLength = 255;

    /// <summary>Bytes of a label (RFC 1035 §2.3.4).</summary>
    public const int MaxLabelLength = 63;

    // RFC 1035 §4.1.4: the top two bits of a length are 11 for a pointer; 01 and 10 are reserved.
    private const byte Pointer = 0xc0;

    private readonly byte[] _wire;

    private DnsName(byte[] wire) => _wire = wire;

    /// <summary>Without pointers, with the end's zero.</summary>
    public ReadOnlySpan<byte> Wire => _wire;

    /// <summary>The label in front, without its length; empty at the root.</summary>
    public ReadOnlySpan<byte> FirstLabel => _wire.AsSpan(1, _wire[0]);

    /// <summary>From labels of ASCII, the first in front.</summary>
    /// <exception cref="ArgumentException">A label is empty or too long, or all of them are.</exception>
    public static DnsName Of(params ReadOnlySpan<string> labels)
    {
        var wire = new List<byte>();
        foreach (var label in labels)
        {
            if (label.Length is 0 or > MaxLabelLength) throw new ArgumentException($"A label has 1 to {MaxLabelLength} bytes: '{label}'.", nameof(labels));
            wire.Add((byte)label.Length);
            foreach (var c in label) wire.Add(ToLower((byte)c));
        }
        wire.Add(0);
        return wire.Count <= MaxLength ? new DnsName([.. wire]) : throw new ArgumentException($"A name has at most {MaxLength} bytes.", nameof(labels));
    }

    /// <summary>
    /// Reads a name in a message and moves behind it. False where it is cut off, longer than <see cref="MaxLength"/>, or points anywhere but
    /// backwards, as what leads in a circle must at some point.
    /// </summary>
    /// <param name="message">The whole message, for pointers.</param>
    /// <param name="offset">Where the name begins; behind it afterwards.</param>
    /// <param name="name">The name.</param>
    public static bool TryRead(ReadOnlySpan<byte> message, ref int offset, [NotNullWhen(true)] out DnsName? name)
    {
        name = null;
        Span<byte> wire = stackalloc byte[MaxLength];
        int length = 0, at = offset, segment = offset, end = -1;
        while (true)
        {
            if ((uint)at >= (uint)message.Length) return false;
            var labelLength = message[at];
            if ((labelLength & Pointer) == Pointer)
            {
                if (at + 1 >= message.Length) return false;
                var target = ((labelLength & ~Pointer) << 8) | message[at + 1];
                if (end < 0) end = at + 2;
                // RFC 1035 §4.1.4: "a pointer to a prior occurrence of the same name". So each lies in front of all that led to it.
                if (target >= segment) return false;
                at = segment = target;
                continue;
            }
            if ((labelLength & Pointer) != 0 || at + labelLength >= message.Length || length + 1 + labelLength > MaxLength) return false;
            wire[length++] = labelLength;
            foreach (var b in message.Slice(at + 1, labelLength)) wire[length++] = ToLower(b);
            at += 1 + labelLength;
            if (labelLength == 0) break;
        }
        offset = end < 0 ? at : end;
        name = new DnsName(wire[..length].ToArray());
        return true;
    }

    /// <summary>Whether it is one label in front of <paramref name="parent"/>.</summary>
    public bool IsChildOf(DnsName parent) => _wire[0] != 0 && _wire.AsSpan(1 + _wire[0]).SequenceEqual(parent._wire);

    public bool Equals(DnsName? other) => other is not null && _wire.AsSpan().SequenceEqual(other._wire);

    public override bool Equals(object? obj) => Equals(obj as DnsName);

    // FNV-1a: the same in every process, so that a run replays.
    public override int GetHashCode()
    {
        var hash = 2_166_136_261u;
        foreach (var b in _wire) hash = (hash ^ b) * 16_777_619;
        return (int)hash;
    }

    /// <summary>For logs and failed tests: what is no plain ASCII as \DDD (RFC 1035 §5.1).</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        for (var at = 0; _wire[at] != 0; at += 1 + _wire[at])
        {
            foreach (var b in _wire.AsSpan(at + 1, _wire[at]))
            {
                if (b is > 0x20 and < 0x7f and not ((byte)'.' or (byte)'\\')) text.Append((char)b);
                else text.Append('\\').Append(b.ToString("D3", null));
            }
            text.Append('.');
        }
        return text.Length == 0 ? "." : text.ToString();
    }

    private static byte ToLower(byte b) => b is >= (byte)'A' and <= (byte)'Z' ? (byte)(b | 0x20) : b;
}
