using Punchline.Protocols.Noise;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport;
using Punchline.Protocols.Transport.Handshake;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Node;

/// <summary>What all sessions of a node share: its identity, its randomness, and the limits that hold for the whole process.</summary>
internal sealed class NodeServices(P256KeyPair identity, IRandomSource random)
{
    // PROTOCOL §5: 200 packets a second, burst 64, for the process.
    private const int ProbesPerSecond = 200;
    private const int ProbeBurst = 64;

    // PROTOCOL §12: 50 Diffie-Hellmans a second in all, spent by whoever sends us a genuine-looking message 1.
    private const int AgreementsPerSecond = 50;

    public P256KeyPair Identity { get; } = identity;

    public PeerId Id { get; } = identity.DeriveId();

    public ReadOnlyMemory<byte> PublicKey { get; } = identity.PublicKey.ToArray();

    public IRandomSource Random { get; } = random;

    public Pacer ProbePacer { get; } = new(ProbesPerSecond, ProbeBurst);

    public PunchQueue PunchQueue { get; } = new();

    public ProbeBudget ProbeBudget { get; } = new();

    public OpenPaths OpenPaths { get; } = new();

    public Pacer AgreementPacer { get; } = new(AgreementsPerSecond, AgreementsPerSecond);

    /// <summary>What shows that somebody is where its message 1 came from.</summary>
    public AddressCookies Cookies { get; } = new(random);

    /// <summary>
    /// The number of the latest attempt towards anybody. It rises for the whole process, because a peer remembers the
    /// highest that it saw of us for longer than we may remember the peer.
    /// </summary>
    public ulong LastAttempt { get; set; }

    /// <summary>Which session a packet is for.</summary>
    public SessionRoutes Routes { get; } = new();

    /// <summary>Our own interfaces.</summary>
    public IReadOnlyList<HostAddress> HostAddresses { get; set; } = [];

    /// <summary>What STUN servers saw of our socket, without duplicates.</summary>
    public List<Endpoint> Reflexive { get; } = [];

    /// <summary>The shortest round trip to a STUN server that one request measured.</summary>
    public TimeSpan? ServerRoundTrip { get; set; }

    /// <summary>Our side of every connection's transport parameters, encoded anew with another grease value each.</summary>
    public byte[] EncodeParameters()
    {
        Span<byte> buffer = stackalloc byte[TransportParameters.MaxEncodedLength];
        var writer = new SpanWriter(buffer);
        // Small enough that the grease parameter's number stays within four bytes.
        TransportParameters.Default.Write(ref writer, (ulong)Random.NextInt32(1 << 20));
        return writer.Written.ToArray();
    }
}

/// <summary>Finds the session that a packet belongs to, by what stands in clear at its beginning.</summary>
internal sealed class SessionRoutes
{
    private readonly Dictionary<ulong, PeerSession> _byHint = [];
    private readonly Dictionary<ulong, PeerSession> _byConnectionId = [];

    /// <summary>Hints and connection ids held: none are left when all sessions have ended.</summary>
    public int Count => _byHint.Count + _byConnectionId.Count;

    public PeerSession? FindHint(ulong hint) => _byHint.GetValueOrDefault(hint);

    public PeerSession? FindConnection(ulong connectionId) => _byConnectionId.GetValueOrDefault(connectionId);

    public void AddHint(ulong hint, PeerSession session) => _byHint[hint] = session;

    public void RemoveHint(ulong hint) => _byHint.Remove(hint);

    /// <summary>A connection id for packets to this session, random and not in use.</summary>
    public ulong AddConnection(PeerSession session, IRandomSource random)
    {
        ulong connectionId;
        do
        {
            connectionId = random.NextUInt64();
        }
        while (!_byConnectionId.TryAdd(connectionId, session));
        return connectionId;
    }

    public void RemoveConnection(ulong connectionId) => _byConnectionId.Remove(connectionId);
}
