using Punchline.Protocols.Transport;

namespace Punchline.Protocols.Node;

/// <summary>What a datagram is, by its first byte (PROTOCOL §4). Everything else is dropped.</summary>
internal static class PacketTypes
{
    public const byte FirstData = 0x80;
    public const byte LastData = 0x9f;

    /// <summary>One byte that keeps or makes a NAT mapping. Who sends it proves nothing by it.</summary>
    public const byte KeepAlive = PacketHeader.KeepAlive;
}
