using Punchline.Protocols.Noise;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Rooms;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Coordination;

// How connections become members, and members leave.
internal sealed partial class CoordinationServer
{
    private void HandleJoin(PendingConnection pending, JoinMessage join, Timestamp now)
    {
        var proven = new ProvenJoin
        {
            Host = pending.Host,
            Nonce = pending.Nonce,
            Tag = pending.Tag,
            CertificateKeyHash = _certificateKeyHash,
            PeerKey = join.Key,
            ServerKey = pending.Ephemeral.PublicKey,
            Instance = join.Instance,
            Generation = join.Generation,
            Blob = join.Blob,
        };
        if (!ProofOfKey.Verify(pending.Ephemeral, proven, join.Mac))
        {
            RefusePending(pending, CoordinationErrorCode.BadProof, "The proof of key does not hold for this server, host and room.");
            return;
        }
        var id = PeerIdDerivation.Derive(P256KeyPair.Suite, join.Key);
        var place = (pending.Kind, Base32.Encode(pending.Tag));
        var room = _rooms.GetValueOrDefault(place);
        var known = room?.Find(id);
        // No list of inboxes is needed: an id's is the one whose tag derives from it.
        var isHolder = pending.Kind == PlaceKind.Inbox && RoomKeys.OfInbox(id).Tag.AsSpan().SequenceEqual(pending.Tag);
        if (known is null)
        {
            if (pending.Kind == PlaceKind.Inbox && !isHolder)
            {
                if (room?.Holder is null)
                {
                    RefusePending(pending, CoordinationErrorCode.Offline, "The peer is not at this server.");
                    return;
                }
                // The holder has a place of its own.
                if (room.Members.Count > CoordinationLimits.MaxCallersPerInbox)
                {
                    RefusePending(pending, CoordinationErrorCode.RoomFull, "The inbox has all the callers that it can have.");
                    return;
                }
            }
            else if (!isHolder && room?.Members.Count == CoordinationLimits.MaxMembersPerRoom)
            {
                RefusePending(pending, CoordinationErrorCode.RoomFull, "The room is full.");
                return;
            }
            if (room is null && RoomCount == _capacity.MaxRooms)
            {
                RefusePending(pending, CoordinationErrorCode.ServerFull, "The server has no room for more rooms.");
                return;
            }
            if (MemberCount == _capacity.MaxMembers)
            {
                RefusePending(pending, CoordinationErrorCode.ServerFull, "The server has no room for more members.");
                return;
            }
        }

        Forget(pending);
        if (known is not null && known.Instance == join.Instance)
        {
            Rejoin(known, pending, join, now);
            return;
        }
        if (room is null) _rooms.Add(place, room = new Room(place));
        if (known is not null) Supersede(known);
        var member = new Member(room, id, join.Instance)
        {
            Connection = pending.Connection,
            Address = pending.From,
            Generation = join.Generation,
            Blob = join.Blob,
            ExpiresAt = now + CoordinationLimits.SilenceLimit,
        };
        if (pending.Kind == PlaceKind.Inbox)
        {
            member.SignalPacer = isHolder
                ? new Pacer(CoordinationLimits.HolderSignalsPerSecond, CoordinationLimits.HolderSignalBurst)
                : new Pacer(CoordinationLimits.CallerSignalsPerSecond, CoordinationLimits.CallerSignalBurst);
        }
        if (isHolder) room.Holder = member;
        _joined.Add(pending.Connection, member);
        _membersBySilence.AddLast(member.Node);
        room.Members.Add(member);
        Welcome(member);
        Broadcast(member, new JoinedMessage(member.ToEntry()));
        _events.Enqueue(new CoordinationServerEvent.Joined(pending.Connection, id, pending.From));
    }

    /// <summary>PROTOCOL §2: same id and instance replaces silently. The others hear only of what changed.</summary>
    private void Rejoin(Member member, PendingConnection pending, JoinMessage join, Timestamp now)
    {
        CloseConnection(member);
        var moved = member.Address.WithPort(0) != pending.From.WithPort(0);
        // The MAC is fresh, so a lower generation is no replay; yet the higher one is what the others have.
        var changed = join.Generation > member.Generation;
        member.Connection = pending.Connection;
        member.Address = pending.From;
        if (changed)
        {
            member.Generation = join.Generation;
            member.Blob = join.Blob;
        }
        _joined.Add(pending.Connection, member);
        ShowLife(member, now);
        Welcome(member);
        if (moved || changed) Broadcast(member, new UpdatedMessage(member.ToEntry()));
        _events.Enqueue(new CoordinationServerEvent.Rejoined(pending.Connection, member.Id, pending.From));
    }

    /// <summary>PROTOCOL §2: the older instance is told, and does not come back. For the others the id never left.</summary>
    private void Supersede(Member older)
    {
        if (older.Connection is { } connection) Send(connection, new ReplacedMessage());
        CloseConnection(older);
        older.Room.Members.Remove(older);
        _membersBySilence.Remove(older.Node);
        _events.Enqueue(new CoordinationServerEvent.Replaced(older.Id));
    }

    private void Remove(Member member, MemberLeftReason reason)
    {
        CloseConnection(member);
        Broadcast(member, new LeftMessage(member.Id, reason == MemberLeftReason.Timeout ? LeftMessage.TimeoutReason : LeftMessage.LeftReason));
        member.Room.Members.Remove(member);
        if (member.Room.Holder == member) member.Room.Holder = null;
        if (member.Room.Members.Count == 0) _rooms.Remove(member.Room.Place);
        _membersBySilence.Remove(member.Node);
        _events.Enqueue(new CoordinationServerEvent.Left(member.Id, reason));
    }

    private void CloseConnection(Member member)
    {
        if (member.Connection is not { } connection) return;
        _joined.Remove(connection);
        _closes.Enqueue(connection);
        member.Connection = null;
    }

    private void Welcome(Member member)
    {
        var others = new List<MemberEntry>(member.Room.Members.Count);
        foreach (var other in member.Room.Members)
        {
            if (AreIntroduced(member, other)) others.Add(other.ToEntry());
        }
        Send(member.Connection!.Value, new WelcomeMessage(member.Address, (int)CoordinationLimits.HeartbeatInterval.TotalSeconds, [.. others]));
    }

    // In a room all to all, in an inbox the holder and a caller: callers never hear of each other.
    private static bool AreIntroduced(Member one, Member other) =>
        one != other && (one.Room.Place.Kind == PlaceKind.Room || one == one.Room.Holder || other == one.Room.Holder);

    /// <summary>A connection whose peer has yet to prove its key.</summary>
    private sealed class PendingConnection(
        long connection, Endpoint from, string host, PlaceKind kind, byte[] tag, byte[] nonce, P256KeyPair ephemeral, Timestamp joinBy)
    {
        public long Connection { get; } = connection;

        public Endpoint From { get; } = from;

        public string Host { get; } = host;

        public PlaceKind Kind { get; } = kind;

        public byte[] Tag { get; } = tag;

        public byte[] Nonce { get; } = nonce;

        public P256KeyPair Ephemeral { get; } = ephemeral;

        public Timestamp JoinBy { get; } = joinBy;

        public LinkedListNode<PendingConnection>? Node { get; set; }
    }

    private sealed class Room((PlaceKind Kind, string Tag) place)
    {
        public (PlaceKind Kind, string Tag) Place { get; } = place;

        /// <summary>In the order of joining; at most <see cref="CoordinationLimits.MaxMembersPerRoom"/>, so that a search may walk it.</summary>
        public List<Member> Members { get; } = [];

        /// <summary>Whose inbox it is, while that peer is there; null in a room.</summary>
        public Member? Holder { get; set; }

        public Member? Find(PeerId id) => Members.Find(member => member.Id == id);
    }

    private sealed class Member
    {
        private static readonly Endpoint NoAddress = Endpoint.FromIPv4(0, 0);

        public Member(Room room, PeerId id, InstanceId instance)
        {
            Room = room;
            Id = id;
            Instance = instance;
            Node = new LinkedListNode<Member>(this);
        }

        public Room Room { get; }

        public PeerId Id { get; }

        public InstanceId Instance { get; }

        /// <summary>Its place in the list by silence.</summary>
        public LinkedListNode<Member> Node { get; }

        /// <summary>Null while it is away within its 15 s of grace.</summary>
        public long? Connection { get; set; }

        public required Endpoint Address { get; set; }

        public required uint Generation { get; set; }

        public required byte[] Blob { get; set; }

        public required Timestamp ExpiresAt { get; set; }

        /// <summary>Of its signals; null in a room, which has none.</summary>
        public Pacer? SignalPacer { get; set; }

        // The port is the TCP connection's: nobody else's business. In an inbox that is the address as well: whoever shows its
        // own does so by a signal.
        public MemberEntry ToEntry() => new(Id, Instance, Generation, Room.Place.Kind == PlaceKind.Room ? Address.WithPort(0) : NoAddress, Blob);
    }
}
