using System.Security.Cryptography;
using Punchline.Protocols.Coordination;
using Punchline.Protocols.Noise;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Rooms;
using Punchline.Protocols.Transport.Handshake;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Node;

/// <summary>
/// The addresses under a room's topic, or heard on a link, of which anybody may have written any: each is asked whether a member is there, and to a member goes
/// what a server would have told it, so that the room's own way of meeting begins (PROTOCOL §2).
/// </summary>
/// <remarks>Of those who ask us nothing is remembered before they have returned our cookie, that is, before they are where they seem to be.</remarks>
internal sealed class TopicContacts(NodeServices services, RoomSession room, OwnIntroduction self) : IContactHandler
{
    /// <summary>
    /// Of addresses, four searches' worth. Hellos go on for longer than the other side may take until it looks under the topic
    /// (<see cref="RoomInDht.MaxPollInterval"/>): until then its router keeps ours out, and each of ours keeps our own router open for it.
    /// </summary>
    public static readonly AskingPlan Plan = new(
        MaxAddresses: 128, OpenedHellos: 2, HelloSeconds: [0, 0.25, 0.75, 1.75, 3.75, 7.75, 15, 25, 40, 55, 70], LeftAloneFor: TimeSpan.FromMinutes(10));

    /// <summary>Packets that wait to be sent; as many introductions as a room has members.</summary>
    private const int MaxOutgoing = 64;

    /// <summary>A cookie of another's is good for a minute at least (<see cref="AddressCookies.KeyLifetime"/>).</summary>
    private static readonly TimeSpan CookieAge = TimeSpan.FromSeconds(50);

    private readonly AddressAsker<Contact> _asker = new(services, Plan);
    private readonly Dictionary<PeerId, byte[]> _agreements = [];
    private readonly Queue<(Endpoint Destination, byte[] Packet, byte TimeToLive)> _outgoing = new();

    /// <summary>Of the present hour: what we say stands under it, where no other is known to be the other's.</summary>
    public ulong Hint { get; set; }

    public Timestamp NextTimeout => _outgoing.Count > 0 ? Timestamp.Zero : _asker.NextTimeout;

    /// <summary>An address stands under the topic. True: it is asked, and was not before.</summary>
    /// <param name="address">Where somebody may be.</param>
    /// <param name="now">The time, or when it is to be asked.</param>
    /// <param name="hint">By which that one knows what is its own; null: <see cref="Hint"/>.</param>
    public bool Add(Endpoint address, Timestamp now, ulong? hint = null)
    {
        if (room.HasConnectionAt(address) || !_asker.TryAdd(address, now, out var contact)) return false;
        contact.Hint = hint;
        return true;
    }

    public void HandleTimeout(Timestamp now)
    {
        while (_asker.TryNext(now, out var address, out var contact, out var openerTimeToLive))
        {
            if (room.HasConnectionAt(address) || (contact.Peer is { } peer && room.IsConnectedTo(peer))) contact.Rest(Timestamp.Zero);
            else if (openerTimeToLive == 0) Send(ContactKind.Hello, address, contact.Hint ?? Hint, [], now);
            else if (services.ProbeBudget.TryTakeHello(address, 1, now)) Enqueue(address, [PacketTypes.KeepAlive], openerTimeToLive);
        }
    }

    /// <summary>A contact packet with one of the room's hints, on our main socket.</summary>
    public void HandlePacket(Endpoint source, ReadOnlySpan<byte> packet, Timestamp now)
    {
        if (!ContactPacket.TryReadHint(packet, out var hint) || !ContactPacket.TryOpen(room.Keys, packet, out var contact)) return;
        var peer = PeerIdDerivation.Derive(P256KeyPair.Suite, contact.PublicKey);
        if (peer == services.Id || !room.IsAllowed(peer)) return;
        if (contact.Kind == ContactKind.Hello)
        {
            Send(ContactKind.Answer, source, hint, contact.Cookie, now);
            return;
        }
        // From where our cookie went, as it seems, or from somebody who sees what we send there.
        if (!services.Cookies.Verify(source, contact.ReturnedCookie, now)) return;
        if (contact.Kind == ContactKind.Answer && !_asker.TryGet(source, out _)) return;
        services.ProbeBudget.Restore(source);
        if (contact.Kind == ContactKind.Answer) Introduce(source, peer, contact, now);
        else HandleIntroduction(source, peer, hint, contact, packet, now);
    }

    /// <summary>What we say of ourselves has changed: those hear of it to whom there is no connection yet.</summary>
    public void Announce(Timestamp now)
    {
        self.Renew(allowLoopback: false);
        foreach (var (address, contact) in _asker.Addresses)
        {
            if (contact.Peer is { } peer && now - contact.CookieFrom < CookieAge && !room.IsConnectedTo(peer)) SendIntroduction(address, peer, contact.Cookie, now);
        }
    }

    public bool TryDequeueTransmit(Span<byte> buffer, out Transmit transmit)
    {
        transmit = default;
        if (!_outgoing.TryDequeue(out var next)) return false;
        next.Packet.CopyTo(buffer);
        transmit = new Transmit(next.Destination, next.Packet.Length, next.TimeToLive);
        return true;
    }

    // As long as what it answers, or a first packet: either counts to its destination.
    private void Send(ContactKind kind, Endpoint destination, ulong hint, ReadOnlySpan<byte> returned, Timestamp now)
    {
        if (_outgoing.Count == MaxOutgoing) return;
        var budget = services.ProbeBudget;
        if (!(kind == ContactKind.Hello ? budget.TryTakeHello(destination, ContactPacket.Length, now) : budget.TryTake(destination, ContactPacket.Length, isAnswer: true, now))) return;
        Span<byte> cookie = stackalloc byte[AddressCookies.Length];
        services.Cookies.Write(destination, now, cookie);
        Enqueue(destination, ContactPacket.Write(kind, room.Keys, hint, services.PublicKey.Span, cookie, returned, services.Random));
    }

    private void Enqueue(Endpoint destination, byte[] packet, byte timeToLive = 0)
    {
        if (_outgoing.Count == MaxOutgoing) return;
        services.Counted.Probes++;
        _outgoing.Enqueue((destination, packet, timeToLive));
    }

    private void Introduce(Endpoint source, PeerId peer, in ContactPacket contact, Timestamp now)
    {
        if (!_asker.TryGet(source, out var known) || !TryAgree(peer, contact.PublicKey, now)) return;
        known.Meet(peer, contact.Cookie, now);
        if (!room.IsConnectedTo(peer)) SendIntroduction(source, peer, known.Cookie, now);
    }

    private void HandleIntroduction(Endpoint source, PeerId peer, ulong hint, in ContactPacket contact, ReadOnlySpan<byte> packet, Timestamp now)
    {
        if (!TryAgree(peer, contact.PublicKey, now)) return;
        Span<byte> pairKey = stackalloc byte[RoomKeys.KeyLength];
        room.Keys.DeriveContactPairKey(peer, services.Id, _agreements[peer], pairKey);
        if (!ContactPacket.TryOpenBlob(pairKey, packet, out var introduction) || introduction.Id != peer) return;
        if (!_asker.TryRemember(source, now, out var known)) return;
        var isNew = known.Peer != peer || known.Introduced != introduction.Instance || known.Generation != introduction.Generation;
        known.Meet(peer, contact.Cookie, now);
        known.Hint = hint;
        (known.Introduced, known.Generation) = (introduction.Instance, introduction.Generation);
        // It has our introduction once it is connected; until then each of its own may say that it has not.
        if (!room.IsConnectedTo(peer) && now - known.LastIntroduced >= MinIntroductionInterval(isNew)) SendIntroduction(source, peer, known.Cookie, now);
        known.Rest(Timestamp.Zero);
        room.IntroduceDirectly(introduction with { Candidates = WithSource(introduction.Candidates, source), SeenAt = source }, now);
        room.Connect(peer, now);
    }

    private static TimeSpan MinIntroductionInterval(bool isNew) => isNew ? TimeSpan.Zero : TimeSpan.FromMilliseconds(100);

    // Where it just spoke from both routers let us through, whatever it knows of its own address.
    private static IReadOnlyList<Candidate> WithSource(IReadOnlyList<Candidate> candidates, Endpoint source) =>
        candidates.Any(candidate => candidate.Endpoint == source && candidate.Carrier == Carrier.Udp)
            ? candidates
            : [new Candidate(CandidateKind.ServerReflexive, source), .. candidates.Take(Candidate.MaxPerPeer - 1)];

    private void SendIntroduction(Endpoint destination, PeerId peer, ReadOnlySpan<byte> returned, Timestamp now)
    {
        if (_outgoing.Count == MaxOutgoing || !_agreements.TryGetValue(peer, out var agreement) || !_asker.TryGet(destination, out var contact)) return;
        contact.LastIntroduced = now;
        if (self.Generation == 0) self.Renew(allowLoopback: false);
        var introduction = self.Create(allowLoopback: false);
        Span<byte> plaintext = stackalloc byte[IntroductionBlob.MaxLength];
        var length = Write(introduction, plaintext);
        // Offers are for whom there is another way already: 30 candidates fit without them.
        if (length > ContactPacket.MaxBlobLength) length = Write(introduction with { Offers = [] }, plaintext);
        Span<byte> cookie = stackalloc byte[AddressCookies.Length];
        services.Cookies.Write(destination, now, cookie);
        Span<byte> pairKey = stackalloc byte[RoomKeys.KeyLength];
        room.Keys.DeriveContactPairKey(services.Id, peer, agreement, pairKey);
        var packet = ContactPacket.WriteIntroduction(
            room.Keys, contact.Hint ?? Hint, services.PublicKey.Span, cookie, returned, pairKey, plaintext[..length], services.Random);
        CryptographicOperations.ZeroMemory(pairKey);
        _outgoing.Enqueue((destination, packet, 0));
    }

    private static int Write(IntroductionBlob introduction, Span<byte> plaintext)
    {
        var writer = new SpanWriter(plaintext);
        introduction.Write(ref writer);
        return writer.Length;
    }

    // One Diffie-Hellman a member. A member with ever new keys spends what those share who have returned no cookie to a message 1.
    private bool TryAgree(PeerId peer, ReadOnlySpan<byte> publicKey, Timestamp now)
    {
        if (_agreements.ContainsKey(peer)) return true;
        if (!services.AgreementPacer.TryTake(now, reserve: NodeServices.AgreementsForProven)) return false;
        var agreement = new byte[P256KeyPair.SharedSecretLength];
        if (!services.Identity.TryAgree(publicKey, agreement)) return false;
        if (_agreements.Count == Plan.MaxAddresses) _agreements.Clear();
        _agreements.Add(peer, agreement);
        return true;
    }

    /// <summary>An address, and who is there.</summary>
    private sealed class Contact : AskedAddress
    {
        /// <summary>By which it knows what is its own; null: that of the hour.</summary>
        public ulong? Hint { get; set; }

        /// <summary>Who is there, as it says.</summary>
        public PeerId? Peer { get; private set; }

        /// <summary>To be returned to it.</summary>
        public byte[] Cookie { get; private set; } = [];

        public Timestamp CookieFrom { get; private set; }

        public Timestamp LastIntroduced { get; set; }

        public InstanceId Introduced { get; set; }

        public uint Generation { get; set; }

        public void Meet(PeerId peer, ReadOnlySpan<byte> cookie, Timestamp now) => (Peer, Cookie, CookieFrom) = (peer, cookie.ToArray(), now);
    }
}
