using Punchline.Protocols.Coordination;
using Punchline.Protocols.Node;
using Punchline.Protocols.Noise;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Rooms;
using Punchline.Protocols.Transport.Handshake;
using Punchline.Protocols.Traversal;
using Punchline.Simulation;

namespace Punchline.Protocols.Tests.Node;

/// <summary>
/// One node in a room where everything else is the test's: the server, the clock, the network, and members whose keys it
/// holds, so that it can write whatever they could.
/// </summary>
internal sealed class StagedRoom : IDisposable
{
    private const string Host = "server.example:8080";

    private readonly byte[] _buffer = new byte[2_048];
    private readonly int _room;
    private readonly IntroductionBlob _introduction;

    /// <param name="members">How many others are introduced.</param>
    /// <param name="responds">Whether the node has the highest id of all, and so answers; else it has the lowest, and initiates.</param>
    /// <param name="candidates">Where each member says that it is; by default an address of its own.</param>
    public StagedRoom(int members, bool responds, params IReadOnlyList<Candidate> candidates)
        : this(members, responds ? members : 0, candidates)
    {
    }

    /// <param name="members">How many others are introduced.</param>
    /// <param name="rank">How many of them have lower ids than the node: those it answers, to the others it initiates.</param>
    /// <param name="candidates">Where each member says that it is; by default an address of its own.</param>
    public StagedRoom(int members, int rank, params IReadOnlyList<Candidate> candidates)
        : this(observer: null, members, rank, candidates)
    {
    }

    /// <param name="observer">Of the node.</param>
    /// <param name="members">How many others are introduced.</param>
    /// <param name="rank">How many of them have lower ids than the node: those it answers, to the others it initiates.</param>
    /// <param name="candidates">Where each member says that it is; by default an address of its own.</param>
    public StagedRoom(INodeObserver? observer, int members, int rank, params IReadOnlyList<Candidate> candidates)
    {
        var identities = Enumerable.Range(0, members + 1).Select(_ => P256KeyPair.Generate(Random)).OrderBy(identity => identity.DeriveId()).ToList();
        Identity = identities[rank];
        identities.Remove(Identity);
        Node = new NodeCore(Identity, Random, observer);
        (_room, var join) = Enter(Keys);
        _introduction = new IntroductionBlob(join.Key, join.Instance, join.Generation, "node", []);
        Members = [.. identities.Select((identity, i) => new StagedMember(this, identity, i, candidates))];
        Tell(_room, Welcome(Members.Select(member => member.Entry)));
    }

    public SeededRandom Random { get; } = new(7);

    public RoomKeys Keys { get; } = new(new byte[RoomKeys.KeyLength]);

    public P256KeyPair Identity { get; }

    public NodeCore Node { get; }

    public IReadOnlyList<StagedMember> Members { get; }

    /// <summary>The server shows that it is there when it is asked; what else is said to it is lost.</summary>
    public bool AnswersHeartbeats { get; set; }

    public Timestamp Now { get; private set; } = Timestamp.FromMilliseconds(1_000);

    /// <summary>What the node told since it was last asked.</summary>
    public IReadOnlyList<NodeEvent> Events
    {
        get
        {
            var events = new List<NodeEvent>();
            while (Node.TryDequeueEvent(_room, Now, out var nodeEvent)) events.Add(nodeEvent);
            return events;
        }
    }

    public void Tell(ServerMessage message) => Tell(_room, message);

    /// <summary>The node enters one more room, whose members all say that they are at <paramref name="candidates"/>.</summary>
    public void EnterAnother(int members, params IReadOnlyList<Candidate> candidates)
    {
        var keys = new RoomKeys(Random.NextBytes(RoomKeys.KeyLength));
        var (room, _) = Enter(keys);
        Tell(room, Welcome(Enumerable.Range(0, members).Select(_ =>
        {
            using var identity = P256KeyPair.Generate(Random);
            var introduction = new IntroductionBlob(identity.PublicKey.ToArray(), InstanceId.Generate(Random), 1, "member", candidates);
            return new MemberEntry(introduction.Id, introduction.Instance, 1, Endpoint.Parse("198.51.100.10:0"), introduction.Seal(keys, Random));
        })));
    }

    /// <summary>Of the room, in the node.</summary>
    public int Number => _room;

    /// <summary>Another connection to the server stands, and the node asks to be let in on it.</summary>
    public JoinMessage Register() => Register(_room);

    /// <summary>Hands in a datagram, and gives back what the node sends now.</summary>
    public List<(Endpoint To, byte[] Bytes)> Deliver(Endpoint source, byte[] packet)
    {
        Node.HandleDatagram(source, packet, Now);
        return Drain();
    }

    /// <summary>What the node has to say at this moment, without its own probes where it is the responder.</summary>
    public List<(Endpoint To, byte[] Bytes)> Drain() => WithoutProbes(DrainAll());

    /// <summary>Lets time pass, and gives back what the node sent meanwhile, without its own probes where it is the responder.</summary>
    public List<(Endpoint To, byte[] Bytes)> Pass(TimeSpan duration) => WithoutProbes(PassAll(duration));

    /// <summary>Lets time pass, and gives back every packet that the node sent meanwhile.</summary>
    public List<StagedPacket> PassAll(TimeSpan duration)
    {
        var sent = DrainAll();
        var end = Now + duration;
        for (var turns = 0; Node.NextTimeout <= end; turns++)
        {
            Assert.True(turns < 100_000, "The node asks for the same moment again and again.");
            Now = Timestamp.Max(Now, Node.NextTimeout);
            Node.HandleTimeout(Now);
            sent.AddRange(DrainAll());
        }
        Now = end;
        return sent;
    }

    public void Dispose()
    {
        Node.Dispose();
        Identity.Dispose();
        foreach (var member in Members) member.Identity.Dispose();
    }

    private static WelcomeMessage Welcome(IEnumerable<MemberEntry> members) => new(Endpoint.Parse("198.51.100.1:1"), 3_600, [.. members]);

    private (int Room, JoinMessage Join) Enter(RoomKeys keys)
    {
        var room = Node.OpenRoom(keys, "node");
        return (room, Register(room));
    }

    private JoinMessage Register(int room)
    {
        Node.HandleServerConnected(room, Host, [], isLoopback: false, Now);
        using var server = P256KeyPair.Generate(Random);
        Tell(room, new ChallengeMessage(new byte[32], server.PublicKey.ToArray(), []));
        Now += RoomAtServer.MaxJoinDelay;
        Node.HandleTimeout(Now);
        Assert.True(Node.TryDequeueServerMessage(out _, out var utf8));
        Assert.True(CoordinationJson.TryRead(utf8.Span, out ClientMessage? message));
        return Assert.IsType<JoinMessage>(message);
    }

    private void Tell(int room, ServerMessage message) => Node.HandleServerMessage(room, CoordinationJson.Write(message), Now);

    private List<StagedPacket> DrainAll()
    {
        var sent = new List<StagedPacket>();
        while (AnswersHeartbeats && Node.TryDequeueServerMessage(out var room, out var utf8))
        {
            if (CoordinationJson.TryRead(utf8.Span, out ClientMessage? message) && message is ClientHeartbeatMessage) Tell(room, new ServerHeartbeatMessage());
        }
        while (Node.TryDequeueTransmit(Now, _buffer, out var transmit)) sent.Add(new StagedPacket(Now, transmit.Destination, _buffer[..transmit.Length], transmit.TimeToLive));
        return sent;
    }

    private List<(Endpoint To, byte[] Bytes)> WithoutProbes(List<StagedPacket> packets) =>
        [.. packets.Where(packet => packet.Bytes[0] != 0xff && !(packet.Bytes[0] == 0xc0 && IsResponder)).Select(packet => (packet.To, packet.Bytes))];

    private bool IsResponder => Members.All(member => member.Id < Node.Id);

    /// <summary>A member that only sends what a test says.</summary>
    internal sealed class StagedMember
    {
        private readonly StagedRoom _room;
        private readonly IntroductionBlob _introduction;
        private ulong _connections;

        public StagedMember(StagedRoom room, P256KeyPair identity, int number, IReadOnlyList<Candidate> candidates)
        {
            _room = room;
            Identity = identity;
            Source = Endpoint.Parse($"198.51.100.{10 + number}:40000");
            _introduction = new IntroductionBlob(
                identity.PublicKey.ToArray(), InstanceId.Generate(room.Random), 1, $"member {number}",
                candidates.Count > 0 ? candidates : [new Candidate(CandidateKind.ServerReflexive, Source)]);
            _connections = (ulong)(number + 1) << 32;
        }

        public P256KeyPair Identity { get; }

        public PeerId Id => _introduction.Id;

        public Endpoint Source { get; }

        /// <summary>Where the server sees it.</summary>
        public static Endpoint SeenAt { get; } = Endpoint.Parse("198.51.100.10:0");

        public MemberEntry Entry => new(Id, _introduction.Instance, 1, SeenAt, _introduction.Seal(_room.Keys, _room.Random));

        /// <summary>News of the member: a later blob, with other addresses.</summary>
        public UpdatedMessage Move(uint generation, IReadOnlyList<Candidate> candidates)
        {
            var moved = _introduction with { Generation = generation, Candidates = candidates };
            return new UpdatedMessage(new MemberEntry(Id, moved.Instance, generation, Endpoint.Parse("198.51.100.10:0"), moved.Seal(_room.Keys, _room.Random)));
        }

        /// <summary>News of the member: it has opened ports.</summary>
        public UpdatedMessage Offer(uint generation, PortOffer offer)
        {
            var offering = _introduction with { Generation = generation, Offers = [offer] };
            return new UpdatedMessage(new MemberEntry(Id, offering.Instance, generation, SeenAt, offering.Seal(_room.Keys, _room.Random)));
        }

        public HandshakeContext Context => ContextBy(Identity);

        /// <summary>What this member has with the node, as far as the holder of another key can make it.</summary>
        public HandshakeContext ContextBy(P256KeyPair author)
        {
            var agreement = new byte[P256KeyPair.SharedSecretLength];
            Assert.True(author.TryAgree(_room.Identity.PublicKey, agreement));
            var (local, remote) = (_introduction.Peer, _room._introduction.Peer);
            return new HandshakeContext(
                author, local.Id, remote.Id, _room.Keys.DerivePairKey(local, remote, agreement),
                HandshakePrologue.Write(_room.Keys.Tag, _introduction, _room._introduction), _room.Keys.DeriveHint(local, remote), _room.Keys.DeriveHint(remote, local));
        }

        public InitiatorHandshake Begin(ulong attempt) => new(Context, attempt, ++_connections, _room.Random);

        public byte[] Message1(ulong attempt)
        {
            using var handshake = Begin(attempt);
            return handshake.Message1.ToArray();
        }
    }
}

/// <summary>A packet that the node sent.</summary>
/// <param name="At">When.</param>
/// <param name="To">Where to.</param>
/// <param name="Bytes">What.</param>
/// <param name="TimeToLive">1 to 255, or 0 for the system's default.</param>
internal sealed record StagedPacket(Timestamp At, Endpoint To, byte[] Bytes, byte TimeToLive);
