using Punchline.Protocols.Noise;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport;
using Punchline.Protocols.Transport.ConnectionIds;
using Punchline.Protocols.Transport.Handshake;
using Punchline.Protocols.Transport.Paths;
using Punchline.Protocols.Transport.Streams;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Node;

/// <summary>What all sessions of a node share: its identity, its randomness, and the limits that hold for the whole process.</summary>
internal sealed class NodeServices
{
    /// <summary>Peers whose word on our address is remembered.</summary>
    public const int MaxObservers = 64;

    private readonly List<(PeerId Observer, Endpoint Address)> _observed = [];
    private NodeStatistics _counted;

    // PROTOCOL §5: 200 packets a second, burst 64, for the process.
    private const int ProbesPerSecond = 200;
    private const int ProbeBurst = 64;

    // PROTOCOL §12: 50 Diffie-Hellmans a second in all, spent by whoever sends us a genuine-looking message 1.
    private const int AgreementsPerSecond = 50;

    /// <summary>
    /// Agreements of the second that only those may have whose message 1 returned a cookie: five answers of three. Forged sources, of
    /// however many messages, leave them alone.
    /// </summary>
    public const int AgreementsForProven = 15;

    public NodeServices(P256KeyPair identity, IRandomSource random, INodeObserver? observer = null)
    {
        Identity = identity;
        Id = identity.DeriveId();
        Target = PortOffer.TargetOf(Id);
        PublicKey = identity.PublicKey.ToArray();
        Random = random;
        Observer = observer;
        Cookies = new AddressCookies(random);
        TcpReflexive = new TcpReflexive(Tcp, random);
        Span<byte> resetKey = stackalloc byte[StatelessResetKey.Length];
        identity.DeriveKey("punchline stateless reset"u8, resetKey);
        ResetKey = new StatelessResetKey(resetKey);
        Resets = new StatelessResetResponder(ResetKey, random);
        Routes = new SessionRoutes(ResetKey);
        SideSockets = new SideSockets(random);
        Keeper = new MappingKeeper(this, Lifetimes, isIPv4: true);
        IPv6Keeper = new MappingKeeper(this, Lifetimes, isIPv4: false);
    }

    public P256KeyPair Identity { get; }

    public PeerId Id { get; }

    /// <summary>How others' <see cref="PortOffer"/>s name us.</summary>
    public ulong Target { get; }

    public ReadOnlyMemory<byte> PublicKey { get; }

    public IRandomSource Random { get; }

    public INodeObserver? Observer { get; }

    public Pacer ProbePacer { get; } = new(ProbesPerSecond, ProbeBurst);

    public PunchQueue PunchQueue { get; } = new();

    public ProbeBudget ProbeBudget { get; } = new();

    /// <summary>What searches for ports may spend.</summary>
    public SearchBudget Search { get; } = new();

    /// <summary>What members may have us send to where only they say that others are.</summary>
    public HearsayBudget Hearsay { get; } = new();

    public OpenPaths OpenPaths { get; } = new();

    public Pacer AgreementPacer { get; } = new(AgreementsPerSecond, AgreementsPerSecond);

    /// <summary>What shows that somebody is where its message 1 came from.</summary>
    public AddressCookies Cookies { get; }

    /// <summary>The tokens of our connection ids: the same again in every process with this identity.</summary>
    public StatelessResetKey ResetKey { get; }

    /// <summary>Answers data packets for connections of an earlier process.</summary>
    public StatelessResetResponder Resets { get; }

    /// <summary>
    /// The number of the latest attempt towards anybody. It rises for the whole process, because a peer remembers the
    /// highest that it saw of us for longer than we may remember the peer.
    /// </summary>
    public ulong LastAttempt { get; set; }

    /// <summary>What is known of networks' lifetimes.</summary>
    public LifetimeMemory Lifetimes { get; } = new();

    /// <summary>Finds out how long our router keeps mappings.</summary>
    public MappingKeeper Keeper { get; }

    /// <summary>And how long what stands before IPv6 lets answers in.</summary>
    public MappingKeeper IPv6Keeper { get; }

    /// <summary>The one for paths to there.</summary>
    public MappingKeeper KeeperOf(Endpoint remote) => remote.IsIPv4 ? Keeper : IPv6Keeper;

    /// <summary>What made connections between pairs of networks.</summary>
    public WayMemory Ways { get; } = new();

    /// <summary>How often idle paths are used.</summary>
    public MappingKeepAlive MappingKeepAlive { get; } = new();

    /// <summary>What the receive windows of all connections may grow by.</summary>
    public ReceiveBudget ReceiveBudget { get; } = new();

    /// <summary>Of whom nothing is wanted, and who gets nothing: the owner limits them.</summary>
    public HashSet<PeerId> Blocked { get; } = [];

    /// <summary>Which session a packet is for.</summary>
    public SessionRoutes Routes { get; }

    /// <summary>Connections of which the application has something to hear, each once.</summary>
    public Queue<ApplicationConnection> ConnectionsWithNews { get; } = new();

    /// <summary>UDP sockets besides the main one.</summary>
    public SideSockets SideSockets { get; }

    /// <summary>What the wall clock shows at <see cref="Timestamp.Zero"/>, from 1970 on, in UTC. Only topics depend on it.</summary>
    public TimeSpan UtcAtZero { get; set; }

    /// <summary>The time since 1970, in UTC.</summary>
    public TimeSpan UtcAt(Timestamp now) => UtcAtZero + (now - Timestamp.Zero);

    /// <summary>Counts that no living connection or room has.</summary>
    public ref NodeStatistics Counted => ref _counted;

    /// <summary>The connections of the TCP port.</summary>
    public TcpLinks Tcp { get; } = new();

    /// <summary>Where the TCP port is seen from outside, by IPv4.</summary>
    public TcpReflexive TcpReflexive { get; }

    /// <summary>And by IPv6, where a server has said so.</summary>
    public Endpoint? TcpReflexiveIPv6 { get; set; }

    /// <summary>A server has seen the TCP port.</summary>
    public bool IsTcpSeen => TcpReflexive.Mapped is not null || TcpReflexiveIPv6 is not null;

    /// <summary>Whether an interface of ours has that address, with the TCP port.</summary>
    public bool IsOwnTcp(Endpoint seen) => HostAddresses.Any(host => host.Endpoint.WithPort(Tcp.Port) == seen);

    /// <summary>Our own interfaces.</summary>
    public IReadOnlyList<HostAddress> HostAddresses { get; set; } = [];

    /// <summary>A translator takes our packets to IPv4 addresses, although we have none ourselves.</summary>
    public bool HasNat64 { get; set; }

    /// <summary>What STUN servers saw of our socket, without duplicates.</summary>
    public List<Endpoint> Reflexive { get; } = [];

    /// <summary>What is known of our network, as far as IPv4 goes: IPv6's addresses are not shared, so its ports are left alone.</summary>
    public NetworkProfile Profile { get; set; } = NetworkProfile.Unknown;

    /// <summary>What is asked of STUN servers has been answered: an introduction need not wait for more.</summary>
    public bool IsReflexiveKnown => Reflexive.Count > 0 && !TcpReflexive.IsExpected;

    /// <summary>By UDP and TCP: peers behind the same router have the address in common, whatever the port.</summary>
    public IReadOnlyList<Endpoint> AllReflexive => TcpReflexive.Mapped is { } mapped ? [.. Reflexive, mapped] : Reflexive;

    /// <summary>NATs of our own on the way out.</summary>
    public OwnRouters OwnRouters { get; set; } = OwnRouters.Unknown;

    /// <summary>The router that said that it lets no UDP through, towards a STUN server; null where none did.</summary>
    public Endpoint? UdpRejectedBy { get; set; }

    /// <summary>And none of them has answered by UDP.</summary>
    public bool RejectsUdp => UdpRejectedBy is not null && Reflexive.Count == 0;

    /// <summary>What our gateway maps to our socket, as far as that leads to the internet.</summary>
    public Endpoint? Mapped { get; set; }

    /// <summary>What it maps to our TCP port, likewise.</summary>
    public Endpoint? MappedTcp { get; set; }

    /// <summary>What it maps between itself and the NAT behind which it is: of use to peers that are behind that one as well.</summary>
    public Endpoint? Middle { get; set; }

    /// <summary>
    /// Where connected peers say that our packets come from, the latest of each: vantages beside STUN's (PROTOCOL §8), and each only as
    /// honest as its peer. The oldest goes first.
    /// </summary>
    public IReadOnlyList<(PeerId Observer, Endpoint Address)> Observed => _observed;

    /// <summary>
    /// What two peers saw, or, as long as no STUN server answers, one: only that is told to others, or one member could
    /// have us name to all what is not ours.
    /// </summary>
    public IEnumerable<Endpoint> VouchedAddresses => _observed
        .GroupBy(seen => seen.Address)
        .Where(seen => (seen.Count() > 1 || Reflexive.Count == 0) && !Reflexive.Contains(seen.Key) && !HostAddresses.Any(host => host.Endpoint == seen.Key))
        .Select(seen => seen.Key);

    /// <summary>Our router's address, as STUN or else the members see it, with some port of its.</summary>
    public Endpoint? ExternalIPv4 => Reflexive.Concat(VouchedAddresses).Where(seen => seen.IsIPv4).Select(seen => (Endpoint?)seen).FirstOrDefault();

    /// <summary>
    /// What of our addresses is of use to a peer. What a router gives every destination its own of is not: one shows the address. That is
    /// IPv4's, as <see cref="Profile"/> is; IPv6's stay.
    /// </summary>
    public IEnumerable<Endpoint> OfUse(IEnumerable<Endpoint> seen) =>
        Profile.IsSymmetric ? seen.DistinctBy(endpoint => endpoint.IsIPv4 ? default : endpoint) : seen;

    /// <summary>A path is silent: STUN servers are to be asked, and the coordination servers whether they are there.</summary>
    public bool IsLookWanted { get; set; }

    /// <summary>What may be told to others has changed by what a peer saw.</summary>
    public bool IsObservedNews { get; set; }

    /// <summary>Who tells side sockets where they are seen.</summary>
    public Reflectors Reflectors { get; } = new();

    /// <summary>There are STUN servers, whose silence says something.</summary>
    public bool AsksStun { get; set; }

    /// <summary>The shortest round trip to a STUN server that one request measured.</summary>
    public TimeSpan? ServerRoundTrip { get; set; }

    /// <summary>A connected peer told where it sees us.</summary>
    public void NoteObserved(PeerId observer, Endpoint address)
    {
        var before = VouchedAddresses.ToArray();
        _observed.RemoveAll(seen => seen.Observer == observer);
        if (_observed.Count == MaxObservers) _observed.RemoveAt(0);
        _observed.Add((observer, address));
        IsObservedNews |= !VouchedAddresses.SequenceEqual(before);
    }

    /// <summary>Our side of a connection's transport parameters, with another grease value each.</summary>
    /// <param name="connectionId">Ours, of the handshake; its reset token is one of the parameters.</param>
    public byte[] EncodeParameters(ulong connectionId)
    {
        Span<byte> buffer = stackalloc byte[TransportParameters.MaxEncodedLength];
        var writer = new SpanWriter(buffer);
        // Small enough that the grease parameter takes two bytes, for which message 2 has room: its id is 27 or 58.
        (TransportParameters.Default with { StatelessResetToken = ResetKey.CreateToken(connectionId) }).Write(ref writer, (ulong)Random.NextInt32(2));
        return writer.Written.ToArray();
    }
}
