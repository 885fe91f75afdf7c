using System.Diagnostics.CodeAnalysis;
using Punchline.Protocols.Coordination;
using Punchline.Protocols.Dht;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Rooms;

namespace Punchline.Protocols.Node;

/// <summary>The DHT's node on the punching socket, where the owner wants one: where its answers say that we are, there peers reach us.</summary>
internal sealed partial class NodeCore
{
    // In the order of opening, so that a run replays.
    private readonly OrderedDictionary<int, ITopic> _topics = [];
    private DhtNode? _dht;
    private Timestamp _dhtPacedUntil = Timestamp.Zero;

    /// <summary>Null before <see cref="StartDht"/>. Commands only: its packets, timers and events are this node's.</summary>
    public DhtNode? Dht => _dht;

    private IEnumerable<Endpoint> SeenByDht => _dht is null ? [] : _dht.Networks.Where(network => network.External is { IsMappingDependent: false }).Select(network => network.External!.Value.Mapped);

    // A query that may not go yet is no reason to wake.
    private Timestamp DhtTimeout
    {
        get
        {
            var next = _dht is null ? Timestamp.Never : _dhtPacedUntil == Timestamp.Zero ? _dht.NextTimeout : _dhtPacedUntil;
            foreach (var topic in _topics.Values) next = Timestamp.Min(next, topic.NextTimeout);
            return next;
        }
    }

    /// <summary>Joins the DHT as a read-only node, with what an earlier run saved. Once.</summary>
    /// <param name="saved">By <see cref="DhtNode.Save"/>.</param>
    /// <param name="families">The networks that the punching socket can reach; those in which we have an address: <see cref="DhtNode.SetFamilies"/>.</param>
    /// <param name="now">The time.</param>
    public DhtNode StartDht(ReadOnlySpan<byte> saved, DhtFamilies families, Timestamp now)
    {
        if (_dht is not null) throw new InvalidOperationException("The DHT's node runs already.");
        _dht = new DhtNode(_services.Random, families);
        _dht.Load(saved, now);
        _services.Reflectors.Dht = _dht;
        return _dht;
    }

    /// <summary>What the wall clock shows now, from 1970 on, in UTC: the hour names the topics of rooms in the DHT. Before the first of them, and after sleep.</summary>
    public void SetUtc(TimeSpan sinceEpoch, Timestamp now) => _services.UtcAtZero = sinceEpoch - (now - Timestamp.Zero);

    /// <summary>Opens a room whose members find each other in the DHT, and returns its number.</summary>
    /// <param name="keys">The room's.</param>
    /// <param name="name">What the others see.</param>
    /// <param name="port">The punching socket's, for nodes of the DHT that don't take a packet's source.</param>
    /// <param name="now">The time.</param>
    /// <param name="allowed">Who may be connected to; null: everybody in the room.</param>
    /// <param name="use">What its connections carry; null: chat alone.</param>
    /// <exception cref="InvalidOperationException">There are <see cref="MaxRooms"/> rooms already, or the DHT's node does not run.</exception>
    public int OpenRoomInDht(RoomKeys keys, string name, ushort port, Timestamp now, IReadOnlySet<PeerId>? allowed = null, RoomUse? use = null)
    {
        var dht = _dht ?? throw new InvalidOperationException("The DHT's node does not run.");
        var number = TakeNumber();
        var self = new OwnIntroduction(_services, InstanceId.Generate(_services.Random), name);
        _rooms.Add(number, new RoomSession(_services, number, keys, self, room =>
        {
            var topic = new RoomInDht(_services, dht, room, self, port, now);
            _topics.Add(number, topic);
            return topic;
        })
        {
            Allowed = allowed,
            Use = use ?? RoomUse.Chat,
        });
        return number;
    }

    /// <summary>Calls a peer whose inbox stands in the DHT; see <see cref="OpenCall"/>.</summary>
    /// <param name="peer">Whom.</param>
    /// <param name="name">What it sees.</param>
    /// <param name="port">The punching socket's, for nodes of the DHT that don't take a packet's source.</param>
    /// <param name="now">The time.</param>
    /// <param name="use">What the connection is to carry; null: chat alone.</param>
    /// <exception cref="InvalidOperationException">There are <see cref="MaxRooms"/> rooms already, or the DHT's node does not run.</exception>
    public int OpenCallInDht(PeerId peer, string name, ushort port, Timestamp now, RoomUse? use = null)
    {
        var dht = _dht ?? throw new InvalidOperationException("The DHT's node does not run.");
        var number = TakeNumber();
        _serverEnds.Add(number, new OutgoingCall(_services, number, peer, name, use ?? RoomUse.Chat, (call, keys, instance) =>
        {
            var topic = new CallerInDht(_services, dht, call, peer, keys, instance, port, now);
            _topics.Add(number, topic);
            return topic;
        }));
        return number;
    }

    /// <summary>Opens our inbox in the DHT: whoever knows our id finds our address there; see <see cref="OpenInbox"/>.</summary>
    /// <param name="name">What those see whose calls are taken.</param>
    /// <param name="port">The punching socket's, for nodes of the DHT that don't take a packet's source.</param>
    /// <param name="now">The time.</param>
    /// <param name="allowed">Who may ring; null: anyone.</param>
    /// <exception cref="InvalidOperationException">There are <see cref="MaxRooms"/> rooms already, or the DHT's node does not run.</exception>
    public int OpenInboxInDht(string name, ushort port, Timestamp now, IReadOnlySet<PeerId>? allowed = null)
    {
        var dht = _dht ?? throw new InvalidOperationException("The DHT's node does not run.");
        var number = TakeNumber();
        _serverEnds.Add(number, new InboxSession(_services, number, name, allowed, (inbox, keys, instance) =>
        {
            var topic = new HolderInDht(_services, dht, inbox, keys, instance, port, now);
            _topics.Add(number, topic);
            return topic;
        }));
        return number;
    }

    public bool TryDequeueDhtEvent(Timestamp now, [NotNullWhen(true)] out DhtEvent? dhtEvent)
    {
        dhtEvent = null;
        while (_dht is not null && _dht.TryDequeueEvent(out dhtEvent))
        {
            if (IsOfTopic(dhtEvent, now)) continue;
            if (dhtEvent is DhtEvent.ExternalSeen) UpdateReflexive(now);
            return true;
        }
        return false;
    }

    private bool IsOfTopic(DhtEvent dhtEvent, Timestamp now)
    {
        foreach (var topic in _topics.Values)
        {
            if (topic.HandleEvent(dhtEvent, now)) return true;
        }
        return false;
    }

    private void HandleDhtDatagram(Endpoint source, ReadOnlySpan<byte> datagram, Timestamp now) => _dht?.HandleDatagram(source, datagram, now);

    private void HandleDhtTimeout(Timestamp now)
    {
        _dht?.HandleTimeout(now);
        foreach (var topic in _topics.Values) topic.HandleTimeout(now);
    }

    // Behind all that goes to peers. A query may be a new entry in a router's table as a probe is, and they share what those may be.
    private bool TryDequeueDhtTransmit(Timestamp now, Span<byte> buffer, out Transmit transmit)
    {
        transmit = default;
        foreach (var topic in _topics.Values)
        {
            if (topic.TryDequeueTransmit(now, buffer, out transmit)) return true;
        }
        if (_dht is null) return false;
        _dht.SetSilent(_services.Search.IsUnderWay, now);
        _dhtPacedUntil = Timestamp.Zero;
        if (_services.ProbePacer.NextAllowed(now) is var allowed && allowed > now)
        {
            _dhtPacedUntil = allowed;
            return false;
        }
        if (!_dht.TryDequeueTransmit(now, buffer, out transmit)) return false;
        _services.ProbePacer.TryTake(now);
        NoteAsked(transmit.Destination);
        return true;
    }

    private void OpenTakenCalls()
    {
        foreach (var number in _topics.Keys)
        {
            if (_serverEnds.TryGetValue(number, out var end) && end is OutgoingCall { Room: { } taken }) _rooms.TryAdd(number, taken);
        }
    }

    private void HurryTopics(Timestamp now)
    {
        foreach (var topic in _topics.Values) topic.Hurry(now);
    }

    private void CloseTopic(int room)
    {
        if (_topics.Remove(room, out var topic)) topic.End();
    }
}
