using System.Globalization;
using System.Text.Json;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport;
using Punchline.Protocols.Transport.Frames;

namespace Punchline.Engine.Qlog;

/// <summary>
/// The frames of a packet as draft-ietf-quic-qlog-quic-events has them ("QUIC Frames"). Of data there is only its place and length, and of reasons
/// for a close nothing, for both are the application's; challenges and reset tokens are left out, as who knows them could use them.
/// </summary>
internal static class QlogFrames
{
    public static void Write(Utf8JsonWriter json, ReadOnlySpan<byte> frames)
    {
        var reader = new SpanReader(frames);
        json.WriteStartArray("frames");
        // What does not parse ends the list, as it ends the connection.
        while (TryWriteFrame(json, ref reader)) continue;
        json.WriteEndArray();
    }

    /// <summary>An error's name and, where the draft has none for it, its number.</summary>
    public static void WriteError(Utf8JsonWriter json, string property, bool isApplication, ulong code)
    {
        var isKnown = !isApplication && Enum.IsDefined((TransportError)code);
        json.WriteString(property, isKnown ? JsonNamingPolicy.SnakeCaseLower.ConvertName(((TransportError)code).ToString()) : "unknown");
        if (!isKnown) json.WriteNumber("error_code", code);
    }

    private static bool TryWriteFrame(Utf8JsonWriter json, ref SpanReader reader)
    {
        if (!reader.TryReadByte(out var type)) return false;
        switch ((FrameType)type)
        {
            case FrameType.Padding:
                var count = 1 + CountPadding(ref reader);
                Begin(json, "padding");
                WriteRaw(json, "payload_length", count);
                break;
            case FrameType.Ping:
                Begin(json, "ping");
                break;
            case FrameType.Ack or FrameType.AckEcn:
                if (!AckFrame.TryRead(ref reader, (FrameType)type == FrameType.AckEcn, out var ack)) return false;
                WriteAck(json, ack);
                break;
            case FrameType.NewConnectionId:
                if (!NewConnectionIdFrame.TryRead(ref reader, out var issued)) return false;
                Begin(json, "new_connection_id");
                json.WriteNumber("sequence_number", issued.Sequence);
                json.WriteNumber("retire_prior_to", issued.RetirePriorTo);
                json.WriteString("connection_id", issued.Id.ToString("x16", CultureInfo.InvariantCulture));
                break;
            case FrameType.RetireConnectionId:
                if (!RetireConnectionIdFrame.TryRead(ref reader, out var retired)) return false;
                Begin(json, "retire_connection_id");
                json.WriteNumber("sequence_number", retired.Sequence);
                break;
            case FrameType.PathChallenge or FrameType.PathResponse:
                if (!PathFrame.TryRead(ref reader, (FrameType)type, out _)) return false;
                Begin(json, (FrameType)type == FrameType.PathChallenge ? "path_challenge" : "path_response");
                break;
            case FrameType.Candidates:
                if (!CandidatesFrame.TryRead(ref reader, out var candidates)) return false;
                Begin(json, "punchline:candidates");
                json.WriteNumber("generation", candidates.Generation);
                json.WriteStartArray("candidates");
                foreach (var candidate in candidates.Candidates) json.WriteStringValue(candidate.Endpoint.ToString());
                json.WriteEndArray();
                break;
            case FrameType.ObservedAddress:
                if (!ObservedAddressFrame.TryRead(ref reader, out var observed)) return false;
                Begin(json, "punchline:observed_address");
                json.WriteNumber("sequence_number", observed.Sequence);
                json.WriteString("address", observed.Address.ToString());
                break;
            case FrameType.ConnectionClose or FrameType.ConnectionCloseApplication:
                if (!ConnectionCloseFrame.TryRead(ref reader, (FrameType)type == FrameType.ConnectionCloseApplication, out var close)) return false;
                Begin(json, "connection_close");
                json.WriteString("error_space", close.IsApplication ? "application" : "transport");
                WriteError(json, "error", close.IsApplication, close.Code);
                if (!close.IsApplication) json.WriteNumber("trigger_frame_type", close.OffendingType);
                break;
            case FrameType.Datagram or FrameType.DatagramWithLength:
                if (!DatagramFrame.TryRead(ref reader, (FrameType)type, out var datagram)) return false;
                Begin(json, "datagram");
                WriteRaw(json, "length", datagram.Data.Length);
                break;
            default:
                if (!TryWriteStreamFrame(json, ref reader, (FrameType)type)) return false;
                break;
        }
        json.WriteEndObject();
        return true;
    }

    private static bool TryWriteStreamFrame(Utf8JsonWriter json, ref SpanReader reader, FrameType type)
    {
        switch (type)
        {
            case >= FrameType.Stream and <= FrameType.StreamLast:
                if (!StreamFrame.TryRead(ref reader, (byte)type, out var data)) return false;
                Begin(json, "stream", data.Id);
                json.WriteNumber("offset", data.Offset);
                json.WriteBoolean("fin", data.IsFinal);
                WriteRaw(json, "length", data.Data.Length);
                return true;
            case FrameType.ResetStream:
                if (!ResetStreamFrame.TryRead(ref reader, out var reset)) return false;
                Begin(json, "reset_stream", reset.Id);
                WriteError(json, "error", isApplication: true, reset.Code);
                json.WriteNumber("final_size", reset.FinalSize);
                return true;
            case FrameType.StopSending:
                if (!StopSendingFrame.TryRead(ref reader, out var stop)) return false;
                Begin(json, "stop_sending", stop.Id);
                WriteError(json, "error", isApplication: true, stop.Code);
                return true;
            case FrameType.MaxStreamData or FrameType.StreamDataBlocked:
                if (!StreamLimitFrame.TryRead(ref reader, type, out var streamLimit)) return false;
                Begin(json, type == FrameType.MaxStreamData ? "max_stream_data" : "stream_data_blocked", streamLimit.Id);
                json.WriteNumber(type == FrameType.MaxStreamData ? "maximum" : "limit", streamLimit.Limit);
                return true;
            case FrameType.MaxData or FrameType.DataBlocked or FrameType.MaxStreamsBidi or FrameType.MaxStreamsUni
                or FrameType.StreamsBlockedBidi or FrameType.StreamsBlockedUni:
                if (!ConnectionLimitFrame.TryRead(ref reader, type, out var limit)) return false;
                WriteConnectionLimit(json, limit);
                return true;
            default:
                Begin(json, "unknown");
                json.WriteNumber("frame_type_bytes", (byte)type);
                // Where it ends is not known: the rest of the packet is in it.
                _ = reader.TryReadBytes(reader.Remaining.Length, out _);
                return true;
        }
    }

    private static void WriteConnectionLimit(Utf8JsonWriter json, in ConnectionLimitFrame frame)
    {
        Begin(json, frame.Type switch
        {
            FrameType.MaxData => "max_data",
            FrameType.DataBlocked => "data_blocked",
            FrameType.MaxStreamsBidi or FrameType.MaxStreamsUni => "max_streams",
            _ => "streams_blocked",
        });
        if (frame.Type is not (FrameType.MaxData or FrameType.DataBlocked))
            json.WriteString("stream_type", frame.Type is FrameType.MaxStreamsBidi or FrameType.StreamsBlockedBidi ? "bidirectional" : "unidirectional");
        json.WriteNumber(frame.Type is FrameType.MaxData or FrameType.MaxStreamsBidi or FrameType.MaxStreamsUni ? "maximum" : "limit", frame.Limit);
    }

    private static void WriteAck(Utf8JsonWriter json, in AckFrame ack)
    {
        Begin(json, "ack");
        // In milliseconds; every Punchline has the same exponent.
        json.WriteNumber("ack_delay", (ack.Delay << TransportParameters.Default.AckDelayExponent) / 1_000.0);
        json.WriteStartArray("acked_ranges");
        foreach (var range in ack)
        {
            json.WriteStartArray();
            json.WriteNumberValue(range.Smallest);
            if (range.Largest != range.Smallest) json.WriteNumberValue(range.Largest);
            json.WriteEndArray();
        }
        json.WriteEndArray();
    }

    private static int CountPadding(ref SpanReader reader)
    {
        var run = reader.Remaining.IndexOfAnyExcept((byte)FrameType.Padding);
        var count = run < 0 ? reader.Remaining.Length : run;
        _ = reader.TryReadBytes(count, out _);
        return count;
    }

    private static void Begin(Utf8JsonWriter json, string type)
    {
        json.WriteStartObject();
        json.WriteString("frame_type", type);
    }

    private static void Begin(Utf8JsonWriter json, string type, StreamId stream)
    {
        Begin(json, type);
        json.WriteNumber("stream_id", stream.Value);
    }

    private static void WriteRaw(Utf8JsonWriter json, string property, int value)
    {
        json.WriteStartObject("raw");
        json.WriteNumber(property, value);
        json.WriteEndObject();
    }
}
