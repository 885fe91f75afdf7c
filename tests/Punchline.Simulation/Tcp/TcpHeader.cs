using System.Buffers.Binary;

namespace Punchline.Simulation.Tcp;

/// <summary>RFC 9293 §3.1, those that matter here; the numbers are the header's.</summary>
[Flags]
internal enum TcpFlags : byte
{
    None = 0,
    Fin = 0x01,
    Syn = 0x02,
    Reset = 0x04,
    Acknowledgment = 0x10,
}

/// <summary>What a segment says besides its ports and data. Windows are not negotiated: <see cref="TcpSocket.Window"/> is both sides'.</summary>
internal readonly record struct TcpHeader(TcpFlags Flags, uint Sequence, uint Acknowledgment)
{
    /// <summary>Bytes of <see cref="Write"/>.</summary>
    public const int DigestLength = 9;

    public bool Has(TcpFlags flag) => (Flags & flag) != TcpFlags.None;

    /// <summary>For the digest by which the trace knows a segment.</summary>
    public void Write(Span<byte> destination)
    {
        destination[0] = (byte)Flags;
        BinaryPrimitives.WriteUInt32BigEndian(destination[1..], Sequence);
        BinaryPrimitives.WriteUInt32BigEndian(destination[5..], Acknowledgment);
    }
}
