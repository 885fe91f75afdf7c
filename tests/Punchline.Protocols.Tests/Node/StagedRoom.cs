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
    public StagedRoom(int members, bool responds)
    {
        var identities = Enumerable.Range(0, members + 1).Select(_ => P256KeyPair.Generate(Random)).OrderBy(identity => identity.DeriveId()).ToList();
        Identity = identities[responds ? ^1 : 0];
        identities.Remove(Identity);
        Node = new NodeCore(Identity, Random);
        _room = Node.OpenRoom(Keys, "node");
        Node.HandleServerConnected(_room, Host, [], isLoopback: false, Now);
        Tell(new ChallengeMessage(new byte[32], identities[0].PublicKey.ToArray(), []));
        Now += RoomAtServer.MaxJoinDelay;
        Node.HandleTimeout(Now);
        Assert.True(Node.TryDequeueServerMessage(out _, out var utf8));
        Assert.True(CoordinationJson.TryRead(utf8.Span, out ClientMessage? message));
        var join = Assert.IsType<JoinMessage>(message);
        _introduction = new IntroductionBlob(join.Key, join.Instance, join.Generation, "node", []);
        Members = [.. identities.Select((identity, i) => new StagedMember(this, identity, i))];
        Tell(new WelcomeMessage(Endpoint.Parse("198.51.100.1:1"), 3_600, [.. Members.Select(member => member.Entry)]));
    }

    public SeededRandom Random { get; } = new(7);

    public RoomKeys Keys { get; } = new(new byte[RoomKeys.KeyLength]);

    public P256KeyPair Identity { get; }

    public NodeCore Node { get; }

    public IReadOnlyList<StagedMember> Members { get; }

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

    public void Tell(ServerMessage message) => Node.HandleServerMessage(_room, CoordinationJson.Write(message), Now);

    /// <summary>Hands in a datagram, and gives back what the node sends now.</summary>
    public List<(Endpoint To, byte[] Bytes)> Deliver(Endpoint source, byte[] packet)
    {
        Node.HandleDatagram(source, packet, Now);
        return Drain();
    }

    /// <summary>What the node has to say at this moment, without its own probes where it is the responder.</summary>
    public List<(Endpoint To, byte[] Bytes)> Drain()
    {
        var sent = new List<(Endpoint, byte[])>();
        while (Node.TryDequeueTransmit(Now, _buffer, out var transmit)) sent.Add((transmit.Destination, _buffer[..transmit.Length]));
        sent.RemoveAll(packet => packet.Item2[0] is 0xff || (packet.Item2[0] is 0xc0 && IsResponder));
        return sent;
    }

    /// <summary>Lets time pass, and gives back what the node sent meanwhile.</summary>
    public List<(Endpoint To, byte[] Bytes)> Pass(TimeSpan duration)
    {
        var sent = Drain();
        var end = Now + duration;
        for (var turns = 0; Node.NextTimeout <= end; turns++)
        {
            Assert.True(turns < 100_000, "The node asks for the same moment again and again.");
            Now = Timestamp.Max(Now, Node.NextTimeout);
            Node.HandleTimeout(Now);
            sent.AddRange(Drain());
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

    private bool IsResponder => Members.All(member => member.Id < Node.Id);

    /// <summary>A member that only sends what a test says.</summary>
    internal sealed class StagedMember
    {
        private readonly StagedRoom _room;
        private readonly IntroductionBlob _introduction;
        private ulong _connections;

        public StagedMember(StagedRoom room, P256KeyPair identity, int number)
        {
            _room = room;
            Identity = identity;
            Source = Endpoint.Parse($"198.51.100.{10 + number}:40000");
            _introduction = new IntroductionBlob(
                identity.PublicKey.ToArray(), InstanceId.Generate(room.Random), 1, $"member {number}", [new Candidate(CandidateKind.ServerReflexive, Source)]);
            _connections = (ulong)(number + 1) << 32;
        }

        public P256KeyPair Identity { get; }

        public PeerId Id => _introduction.Id;

        public Endpoint Source { get; }

        public MemberEntry Entry => new(Id, _introduction.Instance, 1, Endpoint.Parse("198.51.100.10:0"), _introduction.Seal(_room.Keys, _room.Random));

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
