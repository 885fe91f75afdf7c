using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Dht;

/// <summary>What a KRPC message is (BEP 5, "KRPC Protocol").</summary>
internal enum KrpcKind
{
    Query,
    Response,
    Error,
}

/// <summary>What a query asks for (BEP 5, BEP 44).</summary>
internal enum KrpcMethod
{
    /// <summary>A method that we don't know: answered with <see cref="KrpcErrorCode.MethodUnknown"/>.</summary>
    Unknown,
    Ping,
    FindNode,
    GetPeers,
    AnnouncePeer,
    Get,
    Put,
}

/// <summary>BEP 5's error codes, and those of BEP 44 that immutable items can cause.</summary>
internal enum KrpcErrorCode
{
    Generic = 201,
    Server = 202,
    Protocol = 203,
    MethodUnknown = 204,
    ValueTooBig = 205,
}

/// <summary>Which nodes a query wants to hear of (BEP 32's <c>want</c>).</summary>
[Flags]
internal enum KrpcWant
{
    /// <summary>Nothing said: those of the family that the query came by.</summary>
    Unsaid = 0,
    IPv4 = 1,
    IPv6 = 2,
}

/// <summary>A whole, well-formed KRPC message: a view of the datagram that it was read from.</summary>
/// <remarks><code>
/// query     d  1:a  d  2:id 20:…  arguments  e   1:q N:method         [2:ro i1e]  1:t N:…  1:y 1:q  e
/// response  d  2:ip 6:…   1:r  d  2:id 20:…  results  e                           1:t N:…  1:y 1:r  e
/// error     d  1:e  l  i CODE e  N:text  e                                        1:t N:…  1:y 1:e  e
/// </code>
/// Unknown keys are skipped. A method's arguments and a response's results are checked for their form here, so that whoever
/// has a message has no malformed field.
/// </remarks>
internal readonly ref struct KrpcMessage
{
    /// <summary>The longest message that is read: more than any node sends, whose answers fit an Ethernet packet.</summary>
    public const int MaxLength = 2_048;

    /// <summary>The longest transaction id that is echoed; BEP 5 says 2 bytes "should be enough".</summary>
    public const int MaxTransactionLength = 16;

    /// <summary>The longest token that is kept. Nodes in the wild have 4 to 20 bytes.</summary>
    public const int MaxTokenLength = 64;

    private readonly BencodeValue _body;

    private KrpcMessage(KrpcKind kind, ReadOnlySpan<byte> transaction, BencodeValue body)
    {
        Kind = kind;
        Transaction = transaction;
        _body = body;
    }

    public KrpcKind Kind { get; }

    public ReadOnlySpan<byte> Transaction { get; }

    /// <summary>A query's method.</summary>
    public KrpcMethod Method { get; private init; }

    /// <summary>The sender's id; an error has none.</summary>
    public NodeId Id { get; private init; }

    /// <summary>A query's <c>target</c> or <c>info_hash</c>.</summary>
    public NodeId Target { get; private init; }

    /// <summary>BEP 43: the sender does not answer queries, and must not be told to others.</summary>
    public bool IsReadOnly { get; private init; }

    /// <summary>BEP 42: where the sender of a response sees us; default where it does not say.</summary>
    public Endpoint External { get; private init; }

    public KrpcWant Want { get; private init; }

    /// <summary>An announcement's or a put's token, or a response's; empty where it has none.</summary>
    public ReadOnlySpan<byte> Token { get; private init; }

    /// <summary>An announcement's port; 0 for that which it came from (<c>implied_port</c>).</summary>
    public ushort Port { get; private init; }

    /// <summary>BEP 44's value as it is bencoded, in a put or a response to a get; empty where there is none.</summary>
    public ReadOnlySpan<byte> Value { get; private init; }

    /// <summary>BEP 44: the value is signed and can change.</summary>
    public bool IsMutable { get; private init; }

    /// <summary>A response's IPv4 nodes, 26 bytes each.</summary>
    public ReadOnlySpan<byte> Nodes { get; private init; }

    /// <summary>A response's IPv6 nodes, 38 bytes each.</summary>
    public ReadOnlySpan<byte> Nodes6 { get; private init; }

    /// <summary>A response's peers: strings of 6 or 18 bytes.</summary>
    public BencodeValue.ItemEnumerator Peers => _body.TryFind("values"u8, out var values) ? values.Items : default;

    /// <summary>An error's code.</summary>
    public long ErrorCode { get; private init; }

    public static bool TryRead(ReadOnlySpan<byte> datagram, out KrpcMessage message)
    {
        message = default;
        if (datagram.Length > MaxLength || !BencodeValue.TryRead(datagram, out var root) || root.Kind != BencodeKind.Dictionary) return false;
        if (!root.TryFindBytes("t"u8, out var transaction) || transaction.Length is 0 or > MaxTransactionLength) return false;
        if (!root.TryFindBytes("y"u8, out var kind) || kind.Length != 1) return false;
        return kind[0] switch
        {
            (byte)'q' => TryReadQuery(root, transaction, out message),
            (byte)'r' => TryReadResponse(root, transaction, out message),
            (byte)'e' => TryReadError(root, transaction, out message),
            _ => false,
        };
    }

    private static bool TryReadQuery(BencodeValue root, ReadOnlySpan<byte> transaction, out KrpcMessage message)
    {
        message = default;
        if (!root.TryFindBytes("q"u8, out var name) || !root.TryFind("a"u8, out var arguments)) return false;
        if (!TryFindId(arguments, "id"u8, out var id)) return false;
        var method = MethodOf(name);
        NodeId target = default;
        ReadOnlySpan<byte> token = default;
        BencodeValue value = default;
        long port = 0;
        var isWhole = method switch
        {
            KrpcMethod.FindNode or KrpcMethod.Get => TryFindId(arguments, "target"u8, out target),
            KrpcMethod.GetPeers => TryFindId(arguments, "info_hash"u8, out target),
            KrpcMethod.AnnouncePeer => TryFindId(arguments, "info_hash"u8, out target) && TryFindToken(arguments, out token) && TryFindPort(arguments, out port),
            KrpcMethod.Put => arguments.TryFind("v"u8, out value) && TryFindToken(arguments, out token),
            _ => true,
        };
        if (!isWhole) return false;
        message = new KrpcMessage(KrpcKind.Query, transaction, arguments)
        {
            Method = method,
            Id = id,
            Target = target,
            Token = token,
            Port = (ushort)port,
            Value = value.Encoding,
            IsMutable = arguments.TryFind("k"u8, out _),
            IsReadOnly = root.TryFindInteger("ro"u8, out var readOnly) && readOnly == 1,
            Want = ReadWant(arguments),
        };
        return true;
    }

    private static bool TryReadResponse(BencodeValue root, ReadOnlySpan<byte> transaction, out KrpcMessage message)
    {
        message = default;
        if (!root.TryFind("r"u8, out var results) || !TryFindId(results, "id"u8, out var id)) return false;
        if (!TryFindNodes(results, "nodes"u8, CompactAddress.IPv4NodeLength, out var nodes)) return false;
        if (!TryFindNodes(results, "nodes6"u8, CompactAddress.IPv6NodeLength, out var nodes6)) return false;
        ReadOnlySpan<byte> token = default;
        if (results.TryFind("token"u8, out _) && !TryFindToken(results, out token)) return false;
        if (results.TryFind("values"u8, out var values))
        {
            if (values.Kind != BencodeKind.List) return false;
            foreach (var peer in values.Items)
            {
                if (!peer.TryGetBytes(out var bytes) || bytes.Length is not (CompactAddress.IPv4Length or CompactAddress.IPv6Length)) return false;
            }
        }
        results.TryFind("v"u8, out var value);
        var external = default(Endpoint);
        if (root.TryFindBytes("ip"u8, out var ip)) CompactAddress.TryRead(ip, out external);
        message = new KrpcMessage(KrpcKind.Response, transaction, results)
        {
            Id = id,
            Nodes = nodes,
            Nodes6 = nodes6,
            Token = token,
            Value = value.Encoding,
            IsMutable = results.TryFind("k"u8, out _),
            External = external,
        };
        return true;
    }

    private static bool TryReadError(BencodeValue root, ReadOnlySpan<byte> transaction, out KrpcMessage message)
    {
        message = default;
        if (!root.TryFind("e"u8, out var error) || error.Kind != BencodeKind.List) return false;
        var items = error.Items;
        if (!items.MoveNext() || !items.Current.TryGetInteger(out var code)) return false;
        if (!items.MoveNext() || items.Current.Kind != BencodeKind.Bytes) return false;
        message = new KrpcMessage(KrpcKind.Error, transaction, error) { ErrorCode = code };
        return true;
    }

    private static KrpcMethod MethodOf(ReadOnlySpan<byte> name)
    {
        if (name.SequenceEqual("ping"u8)) return KrpcMethod.Ping;
        if (name.SequenceEqual("find_node"u8)) return KrpcMethod.FindNode;
        if (name.SequenceEqual("get_peers"u8)) return KrpcMethod.GetPeers;
        if (name.SequenceEqual("announce_peer"u8)) return KrpcMethod.AnnouncePeer;
        if (name.SequenceEqual("get"u8)) return KrpcMethod.Get;
        return name.SequenceEqual("put"u8) ? KrpcMethod.Put : KrpcMethod.Unknown;
    }

    private static bool TryFindId(BencodeValue dictionary, ReadOnlySpan<byte> key, out NodeId id)
    {
        id = default;
        return dictionary.TryFindBytes(key, out var bytes) && NodeId.TryRead(bytes, out id);
    }

    private static bool TryFindToken(BencodeValue dictionary, out ReadOnlySpan<byte> token) =>
        dictionary.TryFindBytes("token"u8, out token) && token.Length <= MaxTokenLength;

    // BEP 5: "If [implied_port] is present and non-zero, the port argument should be ignored".
    private static bool TryFindPort(BencodeValue arguments, out long port)
    {
        port = 0;
        if (arguments.TryFindInteger("implied_port"u8, out var implied) && implied != 0) return true;
        return arguments.TryFindInteger("port"u8, out port) && port is > 0 and <= ushort.MaxValue;
    }

    private static bool TryFindNodes(BencodeValue results, ReadOnlySpan<byte> key, int nodeLength, out ReadOnlySpan<byte> nodes)
    {
        nodes = default;
        return !results.TryFind(key, out var value) || (value.TryGetBytes(out nodes) && nodes.Length % nodeLength == 0);
    }

    private static KrpcWant ReadWant(BencodeValue arguments)
    {
        var want = KrpcWant.Unsaid;
        if (!arguments.TryFind("want"u8, out var list) || list.Kind != BencodeKind.List) return want;
        foreach (var item in list.Items)
        {
            if (!item.TryGetBytes(out var name)) continue;
            if (name.SequenceEqual("n4"u8)) want |= KrpcWant.IPv4;
            else if (name.SequenceEqual("n6"u8)) want |= KrpcWant.IPv6;
        }
        return want;
    }
}
