namespace Punchline.Protocols.Dht;

/// <summary>A query of ours, to be written.</summary>
internal readonly ref struct KrpcQuery
{
    /// <summary>Room that any query needs: a put with the largest value, and some 200 bytes around it.</summary>
    public const int MaxLength = 1_280;

    public KrpcMethod Method { get; init; }

    public ReadOnlySpan<byte> Transaction { get; init; }

    /// <summary>Our own id.</summary>
    public NodeId Id { get; init; }

    public NodeId Target { get; init; }

    public ReadOnlySpan<byte> Token { get; init; }

    /// <summary>An announcement's port, for nodes that don't know <c>implied_port</c>, which is always said.</summary>
    public ushort Port { get; init; }

    /// <summary>A put's value, bencoded.</summary>
    public ReadOnlySpan<byte> Value { get; init; }

    public bool IsReadOnly { get; init; }

    public KrpcWant Want { get; init; }

    /// <summary>Writes the message and returns its length.</summary>
    public int Write(Span<byte> destination)
    {
        var writer = new BencodeWriter(destination);
        writer.BeginDictionary();
        writer.WriteBytes("a"u8);
        writer.BeginDictionary();
        writer.Write("id"u8, Id);
        if (Method == KrpcMethod.AnnouncePeer) writer.Write("implied_port"u8, 1);
        if (Method is KrpcMethod.GetPeers or KrpcMethod.AnnouncePeer) writer.Write("info_hash"u8, Target);
        if (Method == KrpcMethod.AnnouncePeer) writer.Write("port"u8, Port);
        if (Method is KrpcMethod.FindNode or KrpcMethod.Get) writer.Write("target"u8, Target);
        if (Method is KrpcMethod.AnnouncePeer or KrpcMethod.Put) writer.Write("token"u8, Token);
        if (Method == KrpcMethod.Put)
        {
            writer.WriteBytes("v"u8);
            writer.WriteEncoded(Value);
        }
        if (Want != KrpcWant.Unsaid)
        {
            writer.WriteBytes("want"u8);
            writer.BeginList();
            if (Want.HasFlag(KrpcWant.IPv4)) writer.WriteBytes("n4"u8);
            if (Want.HasFlag(KrpcWant.IPv6)) writer.WriteBytes("n6"u8);
            writer.End();
        }
        writer.End();
        writer.Write("q"u8, Method switch
        {
            KrpcMethod.Ping => "ping"u8,
            KrpcMethod.FindNode => "find_node"u8,
            KrpcMethod.GetPeers => "get_peers"u8,
            KrpcMethod.AnnouncePeer => "announce_peer"u8,
            KrpcMethod.Get => "get"u8,
            _ => "put"u8,
        });
        if (IsReadOnly) writer.Write("ro"u8, 1);
        writer.Write("t"u8, Transaction);
        writer.Write("y"u8, "q"u8);
        writer.End();
        return writer.Length;
    }
}
