using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Dht;

/// <summary>A response of ours, to be written.</summary>
internal readonly ref struct KrpcAnswer
{
    /// <summary>
    /// The longest answer fits an Ethernet packet over IPv6, 1,500 − 40 − 8 bytes. With an item's value of 1,000, 8 IPv6 nodes (304) and 119 bytes
    /// around them it has 1,423; that is why the other family's nodes are left out beside a value.
    /// </summary>
    public const int MaxLength = 1_452;

    public ReadOnlySpan<byte> Transaction { get; init; }

    /// <summary>Our own id.</summary>
    public NodeId Id { get; init; }

    /// <summary>Whom it goes to: BEP 42 has its address in every response.</summary>
    public Endpoint Destination { get; init; }

    /// <summary>IPv4 nodes, 26 bytes each.</summary>
    public ReadOnlySpan<byte> Nodes { get; init; }

    /// <summary>IPv6 nodes, 38 bytes each.</summary>
    public ReadOnlySpan<byte> Nodes6 { get; init; }

    public ReadOnlySpan<byte> Token { get; init; }

    /// <summary>An item's value, bencoded.</summary>
    public ReadOnlySpan<byte> Value { get; init; }

    /// <summary>Peers, all of the destination's family.</summary>
    public ReadOnlySpan<Endpoint> Peers { get; init; }

    /// <summary>Writes the message and returns its length.</summary>
    public int Write(Span<byte> destination)
    {
        Span<byte> compact = stackalloc byte[CompactAddress.IPv6Length];
        var writer = new BencodeWriter(destination);
        writer.BeginDictionary();
        writer.Write("ip"u8, compact[..CompactAddress.Write(Destination, compact)]);
        writer.WriteBytes("r"u8);
        writer.BeginDictionary();
        writer.Write("id"u8, Id);
        if (!Nodes.IsEmpty) writer.Write("nodes"u8, Nodes);
        if (!Nodes6.IsEmpty) writer.Write("nodes6"u8, Nodes6);
        if (!Token.IsEmpty) writer.Write("token"u8, Token);
        if (!Value.IsEmpty)
        {
            writer.WriteBytes("v"u8);
            writer.WriteEncoded(Value);
        }
        if (!Peers.IsEmpty)
        {
            writer.WriteBytes("values"u8);
            writer.BeginList();
            foreach (var peer in Peers) writer.WriteBytes(compact[..CompactAddress.Write(peer, compact)]);
            writer.End();
        }
        writer.End();
        writer.Write("t"u8, Transaction);
        writer.Write("y"u8, "r"u8);
        writer.End();
        return writer.Length;
    }

    /// <summary>Writes an error in place of a response, and returns its length.</summary>
    public static int WriteError(ReadOnlySpan<byte> transaction, KrpcErrorCode code, Span<byte> destination)
    {
        var writer = new BencodeWriter(destination);
        writer.BeginDictionary();
        writer.WriteBytes("e"u8);
        writer.BeginList();
        writer.WriteInteger((int)code);
        writer.WriteBytes(code switch
        {
            KrpcErrorCode.Server => "Server Error"u8,
            KrpcErrorCode.Protocol => "Protocol Error"u8,
            KrpcErrorCode.MethodUnknown => "Method Unknown"u8,
            KrpcErrorCode.ValueTooBig => "Message (v field) too big."u8,
            _ => "Generic Error"u8,
        });
        writer.End();
        writer.Write("t"u8, transaction);
        writer.Write("y"u8, "e"u8);
        writer.End();
        return writer.Length;
    }
}
