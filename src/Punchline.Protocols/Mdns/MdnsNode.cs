using System.Diagnostics.CodeAnalysis;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Mdns;

/// <summary>
/// Multicast DNS (RFC 6762) as far as finding the members of our rooms on our links needs it: a responder for one service (RFC 6763), of which each
/// room is an instance, and a querier for the same. Its driver has sockets in the groups of the links, and hands in what comes by these alone.
/// </summary>
/// <remarks>
/// What is left out, each where RFC 6762 lets it be: questions that want their answer by unicast get it by multicast (§5.4), and we ask none, for on a port that others
/// share a unicast answer may reach another (§15.1); one-shot queries of resolvers that know no multicast DNS (§6.7) are not answered; nor is it said what types
/// our names have not (§6.1), for nobody asks for others.
/// </remarks>
internal sealed partial class MdnsNode
{
    /// <summary>Rooms that are published. The next are not.</summary>
    public const int MaxRooms = 16;

    /// <summary>Links that take part: a socket may be in 20 groups (Linux, igmp_max_memberships).</summary>
    public const int MaxNetworks = 16;

    /// <summary>Messages that are read, a second: a busy LAN has some dozens. The next are dropped unread.</summary>
    public const int MaxMessagesPerSecond = 200;

    private const int MessageBurst = 400;

    // All that one turn of the timer makes: a message each room, network and family.
    private const int MaxOutgoing = MaxRooms * MaxNetworks * 2;

    private readonly IRandomSource _random;
    private readonly List<MdnsInstance> _instances = [];
    private readonly Queue<Outgoing> _outgoing = new();
    private readonly Queue<MdnsSighting> _events = new();
    private readonly Pacer _messages = new(MaxMessagesPerSecond, MessageBurst);
    private IReadOnlyList<MdnsNetwork> _networks = [];

    public MdnsNode(IRandomSource random) => _random = random;

    private enum Purpose
    {
        Query,
        Probe,
        Records,
        Goodbye,
    }

    public Timestamp NextTimeout
    {
        get
        {
            var next = Timestamp.Min(_nextQuery, NextAnswer);
            foreach (var instance in _instances) next = Timestamp.Min(next, instance.NextStep);
            return next;
        }
    }

    /// <summary>
    /// The links that there are, the best first; at most <see cref="MaxNetworks"/> are taken. Where they are others than before, every room takes another name, so that who sees
    /// both networks cannot tell that it is the same process (RFC 6762 §8 wants names to be probed anew in any case).
    /// </summary>
    public void SetNetworks(IReadOnlyList<MdnsNetwork> networks, Timestamp now)
    {
        networks = [.. networks.Where(network => network.Addresses.Count > 0).Take(MaxNetworks)];
        if (networks.SequenceEqual(_networks)) return;
        foreach (var instance in _instances) SayGoodbye(instance);
        _networks = networks;
        _sightings.Clear();
        foreach (var instance in _instances) Start(instance, now);
    }

    /// <summary>Lets the members of a room on our links find us, and looks for them.</summary>
    /// <param name="room">What the node calls it.</param>
    /// <param name="key">Its key for this.</param>
    /// <param name="now">The time.</param>
    public void Publish(int room, ReadOnlySpan<byte> key, Timestamp now)
    {
        if (_instances.Count == MaxRooms || _instances.Exists(known => known.Room == room)) return;
        var instance = new MdnsInstance(room, key.ToArray());
        _instances.Add(instance);
        // They may be this room's.
        _sightings.RemoveAll(sighting => sighting.Room is null);
        Start(instance, now);
    }

    /// <summary>What a room is called on our links now; empty where it is not.</summary>
    public ReadOnlyMemory<byte> LabelOf(int room) => _instances.Find(known => known.Room == room)?.Label ?? default;

    /// <summary>Says goodbye in a room's name, and looks for its members no more.</summary>
    public void Withdraw(int room)
    {
        if (_instances.Find(known => known.Room == room) is not { } instance) return;
        SayGoodbye(instance);
        _instances.Remove(instance);
        _answers.RemoveAll(answer => answer.Instance == instance);
        _sightings.RemoveAll(sighting => sighting.Room == room);
        if (_instances.Count == 0) _nextQuery = Timestamp.Never;
    }

    /// <summary>A datagram that came to a group.</summary>
    /// <param name="network">By which interface.</param>
    /// <param name="source">Where from.</param>
    /// <param name="datagram">Its bytes.</param>
    /// <param name="now">The time.</param>
    public void HandleDatagram(int network, Endpoint source, ReadOnlySpan<byte> datagram, Timestamp now)
    {
        // RFC 6762 §6 and §11: whoever takes part sends from this port, and is on the link.
        if (_instances.Count == 0 || source.Port != MdnsService.Port || _networks.FirstOrDefault(known => known.Number == network) is not { } link) return;
        if (!link.IsOnLink(source) || !_messages.TryTake(now) || !DnsMessage.TryRead(datagram, out var message)) return;
        if (message.IsResponse)
        {
            HandleConflicts(message.Answers, now);
            HandleConflicts(message.Additionals, now);
            HandleInstances(link, message.Answers, message.Additionals, now);
        }
        else
        {
            HandleQuestions(link, message, now);
            // Who is still probing is there all the same.
            HandleInstances(link, message.Authorities, [], now);
        }
    }

    public void HandleTimeout(Timestamp now)
    {
        foreach (var instance in _instances)
        {
            if (now < instance.NextStep) continue;
            var isProbe = instance.TakeStep(now);
            Send(isProbe ? Purpose.Probe : Purpose.Records, instance.Names);
        }
        SendAnswers(now);
        if (now >= _nextQuery) SendQuery(now);
    }

    /// <summary>A message to a group; the buffer has room for <see cref="MdnsService.MaxSent"/> bytes.</summary>
    public bool TryDequeueTransmit(Timestamp now, Span<byte> buffer, out MdnsTransmit transmit)
    {
        transmit = default;
        if (!_outgoing.TryDequeue(out var next)) return false;
        var writer = new DnsMessageWriter(buffer, isResponse: next.Purpose is Purpose.Records or Purpose.Goodbye);
        switch (next.Purpose)
        {
            case Purpose.Query:
                WriteQuery(ref writer, now);
                break;
            case Purpose.Probe:
                next.Names!.WriteProbe(ref writer, next.Network);
                break;
            default:
                next.Names!.WriteRecords(ref writer, next.Network, isGoodbye: next.Purpose == Purpose.Goodbye);
                break;
        }
        transmit = new MdnsTransmit(next.Network.Number, next.Group, writer.Length);
        return true;
    }

    public bool TryDequeueEvent([NotNullWhen(true)] out MdnsSighting? sighting) => _events.TryDequeue(out sighting);

    private void Start(MdnsInstance instance, Timestamp now)
    {
        _answers.RemoveAll(answer => answer.Instance == instance);
        if (_networks.Count == 0)
        {
            instance.Rest();
            _nextQuery = Timestamp.Never;
            return;
        }
        instance.Start(_random, now);
        BeginQuerying(now);
    }

    private void SayGoodbye(MdnsInstance instance)
    {
        if (instance.IsProbing) return;
        Send(Purpose.Goodbye, instance.Names);
        instance.Rest();
    }

    private void Send(Purpose purpose, MdnsNames? names)
    {
        foreach (var network in _networks) Send(purpose, names, network);
    }

    // RFC 6762 §20: on a link of both families, by both.
    private void Send(Purpose purpose, MdnsNames? names, MdnsNetwork network)
    {
        if (network.Has(ipv4: true)) Enqueue(MdnsService.IPv4Group);
        if (network.Has(ipv4: false)) Enqueue(MdnsService.IPv6Group);

        void Enqueue(Endpoint group)
        {
            if (_outgoing.Count < MaxOutgoing) _outgoing.Enqueue(new Outgoing(purpose, names, network, group));
        }
    }

    private readonly record struct Outgoing(Purpose Purpose, MdnsNames? Names, MdnsNetwork Network, Endpoint Group);
}
