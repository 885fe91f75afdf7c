using System.Diagnostics.CodeAnalysis;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport.ConnectionIds;

namespace Punchline.Protocols.Transport;

/// <summary>
/// What one side announces in its handshake message, in the encoding of RFC 9000 §18; the ids are RFC 9000's (§18.2) and
/// RFC 9221's (§3).
/// <code>
///  Parameter: id (varint), length (varint), value (length bytes: one varint, but for the reset token's 16 bytes)
/// </code>
/// </summary>
internal sealed record TransportParameters
{
    /// <summary>
    /// More than <see cref="Write"/> ever takes: 12 parameters of at most 1 + 1 + 8 bytes (8 bytes is the longest varint),
    /// the reset token, the empty one, and the grease value of 8 + 1 + 8.
    /// </summary>
    public const int MaxEncodedLength = (12 * 10) + 2 + ResetToken.Length + 2 + 17;

    // RFC 9000 §18.2: values below 1200 are invalid; the default is the largest UDP payload.
    private const int MinMaxUdpPayloadSize = 1_200;
    private const int DefaultMaxUdpPayloadSize = 65_527;

    private const int DefaultAckDelayExponent = 3;
    private const int DefaultMaxAckDelayMilliseconds = 25;
    private const int DefaultActiveConnectionIdLimit = 2;

    // RFC 9000 §18.2: values above 20 are invalid.
    private const int MaxAckDelayExponent = 20;

    // RFC 9000 §18.2: values of 2^14 or greater are invalid.
    private const ulong MaxAckDelayLimitMilliseconds = 1 << 14;

    // RFC 9000 §4.6: a greater stream count could not be expressed as a stream id.
    internal const ulong MaxStreamCount = 1UL << 60;

    // 2^40 ms are 34 years: a longer idle time-out is none, and the sum with a timestamp cannot overflow.
    private const ulong LongestIdleTimeoutMilliseconds = 1UL << 40;

    private enum Id : ulong
    {
        MaxIdleTimeout = 0x01,
        StatelessResetToken = 0x02,
        MaxUdpPayloadSize = 0x03,
        InitialMaxData = 0x04,
        InitialMaxStreamDataBidiLocal = 0x05,
        InitialMaxStreamDataBidiRemote = 0x06,
        InitialMaxStreamDataUni = 0x07,
        InitialMaxStreamsBidi = 0x08,
        InitialMaxStreamsUni = 0x09,
        AckDelayExponent = 0x0a,
        MaxAckDelay = 0x0b,
        ActiveConnectionIdLimit = 0x0e,
        MaxDatagramFrameSize = 0x20,

        // Our own, without a value.
        PathFrames = 0x21,
    }

    /// <summary>What this implementation announces unless told otherwise.</summary>
    public static TransportParameters Default { get; } = new()
    {
        IdleTimeout = TimeSpan.FromSeconds(30),
        MaxUdpPayloadSize = Connection.MaxPacketSize,
        InitialMaxData = 4 << 20,
        InitialMaxStreamDataBidiLocal = 1 << 20,
        InitialMaxStreamDataBidiRemote = 1 << 20,
        InitialMaxStreamDataUni = 1 << 20,
        InitialMaxStreamsBidi = 100,
        InitialMaxStreamsUni = 100,
        // Whatever a packet holds: over TCP it has up to 16 KiB.
        MaxDatagramFrameSize = (1 << 14) - 1,
        ActiveConnectionIdLimit = LocalConnectionIds.MaxActive,
        KnowsPathFrames = true,
    };

    /// <summary>Zero: never. Whole milliseconds.</summary>
    public TimeSpan IdleTimeout { get; init; }

    /// <summary>Of the sender's first connection id (RFC 9000 §10.3); null where it sends no resets.</summary>
    public ResetToken? StatelessResetToken { get; init; }

    public int MaxUdpPayloadSize { get; init; } = DefaultMaxUdpPayloadSize;

    public ulong InitialMaxData { get; init; }

    /// <summary>For streams that the sender of these parameters opens.</summary>
    public ulong InitialMaxStreamDataBidiLocal { get; init; }

    /// <summary>For streams that the receiver of these parameters opens.</summary>
    public ulong InitialMaxStreamDataBidiRemote { get; init; }

    public ulong InitialMaxStreamDataUni { get; init; }

    public ulong InitialMaxStreamsBidi { get; init; }

    public ulong InitialMaxStreamsUni { get; init; }

    public int AckDelayExponent { get; init; } = DefaultAckDelayExponent;

    /// <summary>Whole milliseconds, below 2^14.</summary>
    public TimeSpan MaxAckDelay { get; init; } = TimeSpan.FromMilliseconds(DefaultMaxAckDelayMilliseconds);

    public ulong ActiveConnectionIdLimit { get; init; } = DefaultActiveConnectionIdLimit;

    /// <summary>RFC 9221 §3: zero means that DATAGRAM frames are not taken.</summary>
    public ulong MaxDatagramFrameSize { get; init; }

    /// <summary>CANDIDATES and OBSERVED_ADDRESS may be sent: a peer that does not say so would close on them.</summary>
    public bool KnowsPathFrames { get; init; }

    /// <summary>Writes the parameters that are not what their absence means, and one that nobody knows, so that peers keep ignoring those (RFC 9000 §18.1).</summary>
    /// <param name="writer">With room for <see cref="MaxEncodedLength"/> bytes.</param>
    /// <param name="grease">Any number; the unknown parameter's id is 31 × N + 27, its value N, or none where N is 0 or 1.</param>
    public void Write(ref SpanWriter writer, ulong grease)
    {
        WriteUnlessAbsent(ref writer, Id.MaxIdleTimeout, (ulong)IdleTimeout.TotalMilliseconds, 0);
        if (StatelessResetToken is { } token)
        {
            writer.WriteVarInt((ulong)Id.StatelessResetToken);
            writer.WriteVarInt(ResetToken.Length);
            token.Write(writer.Free);
            writer.Advance(ResetToken.Length);
        }
        WriteUnlessAbsent(ref writer, Id.MaxUdpPayloadSize, (ulong)MaxUdpPayloadSize, DefaultMaxUdpPayloadSize);
        WriteUnlessAbsent(ref writer, Id.InitialMaxData, InitialMaxData, 0);
        WriteUnlessAbsent(ref writer, Id.InitialMaxStreamDataBidiLocal, InitialMaxStreamDataBidiLocal, 0);
        WriteUnlessAbsent(ref writer, Id.InitialMaxStreamDataBidiRemote, InitialMaxStreamDataBidiRemote, 0);
        WriteUnlessAbsent(ref writer, Id.InitialMaxStreamDataUni, InitialMaxStreamDataUni, 0);
        WriteUnlessAbsent(ref writer, Id.InitialMaxStreamsBidi, InitialMaxStreamsBidi, 0);
        WriteUnlessAbsent(ref writer, Id.InitialMaxStreamsUni, InitialMaxStreamsUni, 0);
        WriteUnlessAbsent(ref writer, Id.AckDelayExponent, (ulong)AckDelayExponent, DefaultAckDelayExponent);
        WriteUnlessAbsent(ref writer, Id.MaxAckDelay, (ulong)MaxAckDelay.TotalMilliseconds, DefaultMaxAckDelayMilliseconds);
        WriteUnlessAbsent(ref writer, Id.ActiveConnectionIdLimit, ActiveConnectionIdLimit, DefaultActiveConnectionIdLimit);
        WriteUnlessAbsent(ref writer, Id.MaxDatagramFrameSize, MaxDatagramFrameSize, 0);
        if (KnowsPathFrames) WriteEmpty(ref writer, (ulong)Id.PathFrames);
        var number = grease % ((SpanWriter.MaxVarInt - 27) / 31);
        if (number < 2) WriteEmpty(ref writer, (31 * number) + 27);
        else WriteParameter(ref writer, (31 * number) + 27, number);
    }

    /// <summary>Reads parameters to the source's end. False for a truncated, duplicate or illegal one; unknown ones are skipped.</summary>
    public static bool TryRead(ReadOnlySpan<byte> source, [NotNullWhen(true)] out TransportParameters? parameters)
    {
        parameters = null;
        var result = new TransportParameters();
        var reader = new SpanReader(source);
        ulong seen = 0;
        while (!reader.IsEmpty)
        {
            if (!reader.TryReadVarInt(out var id) || !reader.TryReadVarIntPrefixed(out var bytes)) return false;
            if (!Enum.IsDefined((Id)id)) continue;
            // RFC 9000 §7.4: "An endpoint SHOULD treat receipt of duplicate transport parameters as a connection error".
            var bit = 1UL << (int)id;
            if ((seen & bit) != 0) return false;
            seen |= bit;
            if ((Id)id == Id.StatelessResetToken)
            {
                if (bytes.Length != ResetToken.Length) return false;
                result = result with { StatelessResetToken = ResetToken.Read(bytes) };
                continue;
            }
            if ((Id)id == Id.PathFrames)
            {
                if (!bytes.IsEmpty) return false;
                result = result with { KnowsPathFrames = true };
                continue;
            }
            var value = new SpanReader(bytes);
            if (!value.TryReadVarInt(out var number) || !value.IsEmpty) return false;
            if (result.With((Id)id, number) is not { } next) return false;
            result = next;
        }
        parameters = result;
        return true;
    }

    private TransportParameters? With(Id id, ulong value) => id switch
    {
        Id.MaxIdleTimeout => this with { IdleTimeout = TimeSpan.FromMilliseconds((long)Math.Min(value, LongestIdleTimeoutMilliseconds)) },
        Id.MaxUdpPayloadSize when value < MinMaxUdpPayloadSize => null,
        Id.MaxUdpPayloadSize => this with { MaxUdpPayloadSize = (int)Math.Min(value, DefaultMaxUdpPayloadSize) },
        Id.InitialMaxData => this with { InitialMaxData = value },
        Id.InitialMaxStreamDataBidiLocal => this with { InitialMaxStreamDataBidiLocal = value },
        Id.InitialMaxStreamDataBidiRemote => this with { InitialMaxStreamDataBidiRemote = value },
        Id.InitialMaxStreamDataUni => this with { InitialMaxStreamDataUni = value },
        Id.InitialMaxStreamsBidi or Id.InitialMaxStreamsUni when value > MaxStreamCount => null,
        Id.InitialMaxStreamsBidi => this with { InitialMaxStreamsBidi = value },
        Id.InitialMaxStreamsUni => this with { InitialMaxStreamsUni = value },
        Id.AckDelayExponent when value > MaxAckDelayExponent => null,
        Id.AckDelayExponent => this with { AckDelayExponent = (int)value },
        Id.MaxAckDelay when value >= MaxAckDelayLimitMilliseconds => null,
        Id.MaxAckDelay => this with { MaxAckDelay = TimeSpan.FromMilliseconds((long)value) },
        // RFC 9000 §18.2: the value MUST be at least 2.
        Id.ActiveConnectionIdLimit when value < 2 => null,
        Id.ActiveConnectionIdLimit => this with { ActiveConnectionIdLimit = value },
        Id.MaxDatagramFrameSize => this with { MaxDatagramFrameSize = value },
        _ => this,
    };

    // Message 2 has no byte to spare.
    private static void WriteUnlessAbsent(ref SpanWriter writer, Id id, ulong value, ulong absent)
    {
        if (value != absent) WriteParameter(ref writer, (ulong)id, value);
    }

    private static void WriteEmpty(ref SpanWriter writer, ulong id)
    {
        writer.WriteVarInt(id);
        writer.WriteVarInt(0);
    }

    private static void WriteParameter(ref SpanWriter writer, ulong id, ulong value)
    {
        writer.WriteVarInt(id);
        writer.WriteVarInt((ulong)SpanWriter.VarIntLength(value));
        writer.WriteVarInt(value);
    }
}
