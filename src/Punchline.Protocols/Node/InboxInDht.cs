using Punchline.Protocols.Coordination;
using Punchline.Protocols.Dht;
using Punchline.Protocols.Noise;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Rooms;
using Punchline.Protocols.Transport.Handshake;

namespace Punchline.Protocols.Node;

/// <summary>
/// An inbox whose topic in the DHT takes the server's place (PROTOCOL §2): caller and callee both stand under it, and ask the addresses there. What a server
/// would tell of the other side, this tells its owner, so that a call is the same call.
/// </summary>
internal abstract class InboxInDht : ISignalling, ITopic, ITopicOwner
{
    /// <summary>
    /// Between two searches of a callee: a caller behind another router waits as long at most, until the callee's router lets its hellos in.
    /// </summary>
    public static readonly TimeSpan MaxPollInterval = TimeSpan.FromSeconds(15);

    /// <summary>Between two signs of life of a caller that is not connected yet; with each it rings again.</summary>
    public static readonly TimeSpan BeatInterval = TimeSpan.FromSeconds(1);

    /// <summary>Of the other side, which is gone then: ten signs of life, of which a bad way loses every third with its answer.</summary>
    public static readonly TimeSpan SilenceLimit = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Hellos go on for longer than the other side may take until it looks, and are so few that with a caller's second start (<see cref="CallerInDht"/>) they are
    /// just what an address may get in a minute. A caller may come back to an address before long.
    /// </summary>
    public static readonly AskingPlan Plan = new(MaxAddresses: 64, OpenedHellos: 1, HelloSeconds: [0, 0.5, 2, 8, 18, 30], LeftAloneFor: TimeSpan.FromMinutes(3));

    private const int MaxOutgoing = 64;

    private readonly TopicSearch _search;
    private readonly Queue<(Endpoint Destination, byte[] Packet, byte TimeToLive)> _outgoing = new();

    protected InboxInDht(NodeServices services, DhtNode dht, IServerEnd owner, RoomKeys keys, InstanceId instance, ushort port, Timestamp now)
    {
        (Services, Owner, Keys, Instance) = (services, owner, keys, instance);
        Asker = new AddressAsker<AskedAddress>(services, Plan);
        _search = new TopicSearch(services, dht, keys, this, MaxPollInterval, port, now);
    }

    public bool IsServed => false;

    public bool IsLoopback => false;

    public int MaxSignalLength => CallPacket.MaxSignalLength;

    public Timestamp NextTimeout
    {
        get
        {
            if (_outgoing.Count > 0) return Timestamp.Zero;
            if (IsOver) return Timestamp.Never;
            var next = Timestamp.Min(Asker.NextTimeout, NextBeat);
            return IsLooking ? Timestamp.Min(next, _search.NextTimeout) : next;
        }
    }

    protected NodeServices Services { get; }

    protected IServerEnd Owner { get; }

    protected RoomKeys Keys { get; }

    /// <summary>Which process of ours it is about.</summary>
    protected InstanceId Instance { get; }

    protected AddressAsker<AskedAddress> Asker { get; }

    protected ulong Hint { get; private set; }

    /// <summary>We left.</summary>
    protected bool IsOver { get; private set; }

    /// <summary>The other side has to be found yet, or others may come.</summary>
    protected abstract bool IsLooking { get; }

    protected abstract Timestamp NextBeat { get; }

    /// <summary>What stands in our hellos and answers: the static key, or one of the call alone.</summary>
    protected abstract ReadOnlySpan<byte> ShownKey { get; }

    public void HandleTimeout(Timestamp now)
    {
        if (IsOver) return;
        if (IsLooking) _search.HandleTimeout(now);
        Beat(now);
        while (!IsOver && Asker.TryNext(now, out var address, out _, out var timeToLive))
        {
            if (timeToLive == 0) SendContact(ContactKind.Hello, address, [], now);
            else if (Services.ProbeBudget.TryTake(address, 1, isAnswer: false, now)) Enqueue(address, [PacketTypes.KeepAlive], timeToLive);
        }
    }

    public bool HandleEvent(DhtEvent dhtEvent, Timestamp now) => _search.HandleEvent(dhtEvent, now);

    public void HandlePacket(Endpoint source, ReadOnlySpan<byte> packet, Timestamp now)
    {
        if (IsOver || !ContactPacket.TryOpen(Keys, packet, out var contact)) return;
        // Behind a hello nobody has to be who is where it seems to come from.
        if (contact.Kind == ContactKind.Hello) HandleHello(source, contact, now);
        else if (Services.Cookies.Verify(source, contact.ReturnedCookie, now)) HandleProven(source, contact, packet, now);
    }

    public void HandleSignal(Endpoint source, ReadOnlySpan<byte> signal, Timestamp now)
    {
        if (!IsOver && FindAt(source) is { } peer) Owner.HandleServerEvent(new CoordinationClientEvent.Signalled(peer, signal.ToArray()), now);
    }

    public virtual void HandleFound(Endpoint address, Timestamp now)
    {
        if (FindAt(address) is null) Asker.TryAdd(address, now, out _);
    }

    public abstract void HandleAsked(in DhtView view, Timestamp now);

    public void HandleSilent(Timestamp now) => Owner.HandleDhtSilent();

    public void HandleHour(ulong hint) => Hint = hint;

    public void Hurry(Timestamp now) => _search.Hurry(now);

    public void Signal(PeerId to, ReadOnlySpan<byte> data)
    {
        if (WhereIs(to) is { } address && data.Length <= MaxSignalLength) Enqueue(address, CallPacket.WriteSignal(Hint, data));
    }

    // Whoever hears the answer has it from us.
    public uint? RequestEcho() => null;

    public abstract Endpoint? WhereIs(PeerId peer);

    public void Leave(Timestamp now) => End();

    public virtual void End()
    {
        if (IsOver) return;
        IsOver = true;
        Asker.Clear();
        _search.End();
    }

    public bool TryDequeueTransmit(Timestamp now, Span<byte> buffer, out Transmit transmit)
    {
        transmit = default;
        if (!_outgoing.TryDequeue(out var next)) return false;
        next.Packet.CopyTo(buffer);
        transmit = new Transmit(next.Destination, next.Packet.Length, next.TimeToLive);
        return true;
    }

    protected abstract void Beat(Timestamp now);

    protected abstract void HandleHello(Endpoint source, in ContactPacket contact, Timestamp now);

    /// <summary>An answer or an introduction from where our cookie went, as it seems, or from somebody who sees what we send there.</summary>
    protected abstract void HandleProven(Endpoint source, in ContactPacket contact, ReadOnlySpan<byte> packet, Timestamp now);

    /// <summary>Who is at an address, and has proved it.</summary>
    protected abstract PeerId? FindAt(Endpoint source);

    protected static PeerId IdOf(ReadOnlySpan<byte> publicKey) => PeerIdDerivation.Derive(P256KeyPair.Suite, publicKey);

    // As long as what it answers, or a first packet: either counts to its destination.
    protected void SendContact(ContactKind kind, Endpoint destination, ReadOnlySpan<byte> returned, Timestamp now)
    {
        if (!Services.ProbeBudget.TryTake(destination, ContactPacket.Length, kind == ContactKind.Answer, now)) return;
        Span<byte> cookie = stackalloc byte[AddressCookies.Length];
        Services.Cookies.Write(destination, now, cookie);
        Enqueue(destination, ContactPacket.Write(kind, Keys, Hint, ShownKey, cookie, returned, Services.Random));
    }

    /// <summary>Ours, to whom has returned a cookie: who we are, and in which process, and no address.</summary>
    protected byte[] WriteIntroduction(Endpoint destination, ReadOnlySpan<byte> returned, ReadOnlySpan<byte> pairKey, Timestamp now)
    {
        Span<byte> plaintext = stackalloc byte[IntroductionBlob.MaxLength];
        var writer = new SpanWriter(plaintext);
        OwnIntroduction.WithoutAddresses(Services, Instance, 1).Write(ref writer);
        Span<byte> cookie = stackalloc byte[AddressCookies.Length];
        Services.Cookies.Write(destination, now, cookie);
        return ContactPacket.WriteIntroduction(Keys, Hint, ShownKey, cookie, returned, pairKey, writer.Written, Services.Random);
    }

    protected void Enqueue(Endpoint destination, byte[] packet, byte timeToLive = 0)
    {
        if (_outgoing.Count == MaxOutgoing) return;
        Services.Counted.Probes++;
        _outgoing.Enqueue((destination, packet, timeToLive));
    }

    /// <summary>The other side, as a server would introduce it.</summary>
    protected void Tell(IntroductionBlob introduction, Endpoint address, bool isNew, Timestamp now)
    {
        var entry = new MemberEntry(introduction.Id, introduction.Instance, introduction.Generation, address, introduction.Seal(Keys, Services.Random));
        Owner.HandleServerEvent(isNew ? new CoordinationClientEvent.MemberJoined(entry) : new CoordinationClientEvent.MemberUpdated(entry), now);
    }

    protected void TellGone(PeerId peer, Timestamp now) => Owner.HandleServerEvent(new CoordinationClientEvent.MemberLeft(peer, MemberLeftReason.Timeout), now);
}
