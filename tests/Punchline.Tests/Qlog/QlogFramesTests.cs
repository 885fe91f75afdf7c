using System.Buffers;
using System.Text;
using System.Text.Json;
using Punchline.Engine.Qlog;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport;
using Punchline.Protocols.Transport.ConnectionIds;
using Punchline.Protocols.Transport.Frames;
using Punchline.Protocols.Traversal;

namespace Punchline.Tests.Qlog;

/// <summary>Names and fields as draft-ietf-quic-qlog-quic-events lists them.</summary>
public sealed class QlogFramesTests
{
    // The draft's frame types that have fields which are not optional.
    private static readonly StreamId Stream = new(8);

    [Fact]
    public void Each_frame_has_the_drafts_name_and_fields()
    {
        var buffer = new byte[512];
        var writer = new SpanWriter(buffer);
        writer.WriteZeros(3);
        writer.WriteByte((byte)FrameType.Ping);
        AckFrame.TryWrite(ref writer, [new PacketRange(9, 10), new PacketRange(4, 4)], delay: 250);
        new ResetStreamFrame(Stream, 7, 1_000).Write(ref writer);
        new StopSendingFrame(Stream, 7).Write(ref writer);
        StreamFrame.WriteHeader(ref writer, Stream, 100, 5, isFinal: true);
        writer.WriteBytes("hello"u8);
        foreach (var type in (FrameType[])[FrameType.MaxData, FrameType.DataBlocked, FrameType.MaxStreamsBidi, FrameType.MaxStreamsUni, FrameType.StreamsBlockedBidi, FrameType.StreamsBlockedUni])
            new ConnectionLimitFrame(type, 5).Write(ref writer);
        new StreamLimitFrame(FrameType.MaxStreamData, Stream, 6).Write(ref writer);
        new StreamLimitFrame(FrameType.StreamDataBlocked, Stream, 6).Write(ref writer);
        new NewConnectionIdFrame(3, 1, 0xabcdef, ResetToken.Read(new byte[16])).Write(ref writer);
        new RetireConnectionIdFrame(2).Write(ref writer);
        new PathFrame(FrameType.PathChallenge, 0x0123456789abcdef).Write(ref writer);
        new PathFrame(FrameType.PathResponse, 0x0123456789abcdef).Write(ref writer);
        new CandidatesFrame(3, [new(CandidateKind.Host, Endpoint.Parse("192.0.2.1:4000"))]).Write(ref writer);
        new ObservedAddressFrame(1, Endpoint.Parse("192.0.2.1:4000")).Write(ref writer);
        DatagramFrame.WriteHeader(ref writer, 5);
        writer.WriteBytes("hello"u8);
        new ConnectionCloseFrame(isApplication: false, (ulong)TransportError.FlowControlError, (ulong)FrameType.Stream, "too much"u8).Write(ref writer);
        new ConnectionCloseFrame(isApplication: true, 42, 0, "done"u8).Write(ref writer);

        Assert.Equal(
            [
                """{"frame_type":"padding","raw":{"payload_length":3}}""",
                """{"frame_type":"ping"}""",
                """{"frame_type":"ack","ack_delay":2,"acked_ranges":[[9,10],[4]]}""",
                """{"frame_type":"reset_stream","stream_id":8,"error":"unknown","error_code":7,"final_size":1000}""",
                """{"frame_type":"stop_sending","stream_id":8,"error":"unknown","error_code":7}""",
                """{"frame_type":"stream","stream_id":8,"offset":100,"fin":true,"raw":{"length":5}}""",
                """{"frame_type":"max_data","maximum":5}""",
                """{"frame_type":"data_blocked","limit":5}""",
                """{"frame_type":"max_streams","stream_type":"bidirectional","maximum":5}""",
                """{"frame_type":"max_streams","stream_type":"unidirectional","maximum":5}""",
                """{"frame_type":"streams_blocked","stream_type":"bidirectional","limit":5}""",
                """{"frame_type":"streams_blocked","stream_type":"unidirectional","limit":5}""",
                """{"frame_type":"max_stream_data","stream_id":8,"maximum":6}""",
                """{"frame_type":"stream_data_blocked","stream_id":8,"limit":6}""",
                """{"frame_type":"new_connection_id","sequence_number":3,"retire_prior_to":1,"connection_id":"0000000000abcdef"}""",
                """{"frame_type":"retire_connection_id","sequence_number":2}""",
                """{"frame_type":"path_challenge"}""",
                """{"frame_type":"path_response"}""",
                """{"frame_type":"punchline:candidates","generation":3,"candidates":["192.0.2.1:4000"]}""",
                """{"frame_type":"punchline:observed_address","sequence_number":1,"address":"192.0.2.1:4000"}""",
                """{"frame_type":"datagram","raw":{"length":5}}""",
                """{"frame_type":"connection_close","error_space":"transport","error":"flow_control_error","trigger_frame_type":8}""",
                """{"frame_type":"connection_close","error_space":"application","error":"unknown","error_code":42}""",
            ],
            Describe(writer.Written));
    }

    [Fact] // Whoever adds a frame is reminded of this log.
    public void Every_frame_of_ours_is_known()
    {
        foreach (var type in Enum.GetValues<FrameType>())
        {
            // Enough of zeros for any frame; what does not parse so is not unknown either.
            byte[] frame = [(byte)type, .. new byte[64]];
            Assert.DoesNotContain(Describe(frame), text => text.Contains("unknown\",\"frame_type", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void What_is_not_known_takes_the_rest_and_what_is_cut_off_ends_the_list()
    {
        Assert.Equal(["""{"frame_type":"ping"}""", """{"frame_type":"unknown","frame_type_bytes":254}"""], Describe([1, 0xfe, 1, 1]));
        Assert.Equal(["""{"frame_type":"ping"}"""], Describe([1, (byte)FrameType.MaxStreamData, 8]));
    }

    [Fact]
    public void All_transport_errors_are_named_as_in_the_draft()
    {
        // "TransportError", and the key update's of RFC 9001 beside those of RFC 9000.
        string[] names =
        [
            "no_error", "internal_error", "connection_refused", "flow_control_error", "stream_limit_error", "stream_state_error", "final_size_error",
            "frame_encoding_error", "transport_parameter_error", "connection_id_limit_error", "protocol_violation", "invalid_token", "application_error",
            "crypto_buffer_exceeded", "key_update_error", "aead_limit_reached", "no_viable_path",
        ];
        foreach (var error in Enum.GetValues<TransportError>())
        {
            var buffer = new byte[64];
            var writer = new SpanWriter(buffer);
            new ConnectionCloseFrame(isApplication: false, (ulong)error, 0, []).Write(ref writer);
            using var json = JsonDocument.Parse(Assert.Single(Describe(writer.Written)));
            Assert.Contains(json.RootElement.GetProperty("error").GetString()!, names);
        }
    }

    private static List<string> Describe(ReadOnlySpan<byte> frames)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        QlogFrames.Write(json, frames);
        json.WriteEndObject();
        json.Flush();
        using var document = JsonDocument.Parse(Encoding.UTF8.GetString(buffer.WrittenSpan));
        return [.. document.RootElement.GetProperty("frames").EnumerateArray().Select(frame => frame.GetRawText())];
    }
}
