using Punchline.Protocols.Primitives;
using Punchline.Protocols.Rooms;

namespace Punchline.Protocols.Transport.Handshake;

/// <summary>
/// What both sides must agree on before the first message, so that nobody in between can change it (PROTOCOL §6):
/// <code>
/// "punchline" | wire version | suite | tag's length | tag | for the lower id, then the higher: count, versions, count, suites
/// </code>
/// </summary>
internal static class HandshakePrologue
{
    public static byte[] Write(ReadOnlySpan<byte> tag, IntroductionBlob one, IntroductionBlob other)
    {
        Span<byte> buffer = stackalloc byte[9 + 3 + byte.MaxValue + (4 * (1 + IntroductionBlob.MaxListLength))];
        var writer = new SpanWriter(buffer);
        writer.WriteBytes("punchline"u8);
        writer.WriteByte(HandshakePacket.Version);
        writer.WriteByte(Noise.P256KeyPair.Suite);
        writer.WriteByte((byte)tag.Length);
        writer.WriteBytes(tag);
        var (lower, higher) = one.Id < other.Id ? (one, other) : (other, one);
        WriteLists(ref writer, lower);
        WriteLists(ref writer, higher);
        return writer.Written.ToArray();
    }

    private static void WriteLists(ref SpanWriter writer, IntroductionBlob blob)
    {
        writer.WriteByte((byte)blob.Versions.Length);
        writer.WriteBytes(blob.Versions.Span);
        writer.WriteByte((byte)blob.Suites.Length);
        writer.WriteBytes(blob.Suites.Span);
    }
}
