using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Punchline.Protocols.Primitives;

namespace Punchline.Simulation.Tracing;

/// <summary>
/// Everything that happened, in order: a running SHA-256 over all events, which two runs of one seed must share, and the
/// last <see cref="Capacity"/> of them to read after a failure.
/// </summary>
internal sealed class Trace : IDisposable
{
    /// <summary>A failing scenario of two peers takes some hundreds of events a virtual second: this holds its last minute.</summary>
    public const int Capacity = 16_384;

    /// <summary>Bytes of a place's name in UTF-8.</summary>
    public const int MaxPlaceLength = 64;

    // time 8, verdict 1, two endpoints of 16 + 2, time-to-live 1, length 4, digest 8, place's length 1
    private const int FixedLength = 8 + 1 + 2 * 18 + 1 + 4 + 8 + 1;

    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly TraceEvent[] _ring = new TraceEvent[Capacity];
    private readonly long[] _counts = new long[Enum.GetValues<Verdict>().Length];

    /// <summary>Events so far, those that fell out of the ring included.</summary>
    public long Total { get; private set; }

    /// <summary>The SHA-256 of all events so far, in lower-case hexadecimal.</summary>
    public string Hash => Convert.ToHexStringLower(_hash.GetCurrentHash());

    /// <summary>How many events had this verdict.</summary>
    public long Count(Verdict verdict) => _counts[(int)verdict];

    /// <summary>The last events, oldest first.</summary>
    public IEnumerable<TraceEvent> Recent()
    {
        for (var i = Math.Max(0, Total - Capacity); i < Total; i++) yield return _ring[i % Capacity];
    }

    public void Record(in TraceEvent entry)
    {
        Span<byte> bytes = stackalloc byte[FixedLength + MaxPlaceLength];
        var writer = new SpanWriter(bytes);
        writer.WriteUInt64((ulong)entry.At.Ticks);
        writer.WriteByte((byte)entry.Verdict);
        WriteEndpoint(ref writer, entry.Source);
        WriteEndpoint(ref writer, entry.Destination);
        writer.WriteByte(entry.TimeToLive);
        writer.WriteUInt32((uint)entry.Length);
        writer.WriteUInt64(entry.Digest);
        var placeLength = Encoding.UTF8.GetBytes(entry.Place, writer.Free[1..]);
        writer.WriteByte((byte)placeLength);
        writer.Advance(placeLength);
        _hash.AppendData(writer.Written);

        _ring[Total++ % Capacity] = entry;
        _counts[(int)entry.Verdict]++;
    }

    /// <summary>The ring as text, one event a line, with the hash of the whole trace at its end.</summary>
    public string ToText()
    {
        var text = new StringBuilder();
        if (Total > Capacity) text.Append(Total - Capacity).AppendLine(" earlier events are not kept");
        foreach (var entry in Recent()) text.AppendLine(entry.ToString());
        return text.Append(Total).Append(" events, SHA-256 ").AppendLine(Hash).ToString();
    }

    public void Dispose() => _hash.Dispose();

    private static void WriteEndpoint(ref SpanWriter writer, Endpoint endpoint)
    {
        BinaryPrimitives.WriteUInt128BigEndian(writer.Free, endpoint.Address);
        writer.Advance(16);
        writer.WriteUInt16(endpoint.Port);
    }
}
