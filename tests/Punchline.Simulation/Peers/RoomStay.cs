using System.Globalization;
using Punchline.Protocols.Node;

namespace Punchline.Simulation.Peers;

/// <summary>
/// One process's stay in a room, from joining it to leaving it or to its death: what it was told, what it said, and what
/// follows from both by the room's promises.
/// </summary>
/// <param name="name">Unlike every other stay's; its messages begin with it.</param>
/// <param name="peer">The process.</param>
internal sealed class RoomStay(string name, SimulatedPeer peer)
{
    private readonly IReadOnlyList<NodeEvent> _events = peer.Events;
    private readonly List<Expectation> _expectations = [];
    private int _said;

    public string Name => name;

    public SimulatedPeer Peer => peer;

    public PeerId Id => peer.Id;

    /// <summary>Until it leaves, dies or is superseded.</summary>
    public bool IsPresent { get; private set; } = true;

    /// <summary>The last thing that it heard of the other is that it is connected.</summary>
    public bool IsConnectedTo(RoomStay other) => StateOf(other.Id) == Presence.Connected;

    /// <summary>The last thing that it heard of the other is that no way to it was found: then it does not try by itself.</summary>
    public bool HasGivenUp(RoomStay other) => _events.LastOrDefault(e => e switch
    {
        NodeEvent.Connected connected => connected.Peer == other.Id,
        NodeEvent.MemberJoined joined => joined.Peer == other.Id,
        NodeEvent.Failed failed => failed.Peer == other.Id,
        _ => false,
    }) is NodeEvent.Failed;

    public bool Knows(RoomStay other) => StateOf(other.Id) != Presence.Absent;

    /// <summary>Where in its events it is now; later it can say whether something came behind it.</summary>
    public int Mark => _events.Count;

    public bool WasConnectedBehind(int mark, RoomStay other) => _events.Skip(mark).Any(e => e is NodeEvent.Connected connected && connected.Peer == other.Id);

    /// <summary>Says something to all. Those of <paramref name="listeners"/> have to get it if they are here at the end, and so is this one.</summary>
    public void Say(IEnumerable<RoomStay> listeners)
    {
        var number = _said + 1;
        if (!peer.Send(string.Create(CultureInfo.InvariantCulture, $"{name}/{number}"))) throw new InvalidOperationException($"{name} cannot send.");
        _said = number;
        foreach (var listener in listeners) _expectations.Add(new Expectation(listener, number));
    }

    public void End() => IsPresent = false;

    /// <summary>What it was told of another, for whoever looks for the reason of a failure.</summary>
    public string ToldOf(RoomStay other) => string.Join('\n', _events.Where(e => e.ToString().Contains(other.Id.ToString(), StringComparison.Ordinal)));

    /// <summary>Everything that must hold of it by itself, and with those who were here with it.</summary>
    /// <exception cref="InvalidOperationException">It does not; the message says what was wrong, and where.</exception>
    public void Check()
    {
        CheckOrder();
        CheckTexts();
        if (!IsPresent) return;
        foreach (var expected in _expectations.Where(expected => expected.Listener.IsPresent && !HasGivenUp(expected.Listener)))
        {
            if (!expected.Listener.Heard(name, expected.Number))
                throw new InvalidOperationException($"{expected.Listener.Name} was never shown {name}/{expected.Number} of {_said}.");
        }
    }

    private bool Heard(string sender, int number) =>
        _events.Any(e => e is NodeEvent.MessageReceived message && string.Equals(message.Text, string.Create(CultureInfo.InvariantCulture, $"{sender}/{number}"), StringComparison.Ordinal));

    private Presence StateOf(PeerId id)
    {
        for (var i = _events.Count - 1; i >= 0; i--)
        {
            switch (_events[i])
            {
                case NodeEvent.Connected e when e.Peer == id: return Presence.Connected;
                case NodeEvent.Disconnected e when e.Peer == id: return Presence.Joined;
                case NodeEvent.MemberJoined e when e.Peer == id: return Presence.Joined;
                case NodeEvent.MemberLeft e when e.Peer == id: return Presence.Absent;
            }
        }
        return Presence.Absent;
    }

    // joined, (connected, messages and deliveries…, disconnected)…, left.
    private void CheckOrder()
    {
        var states = new Dictionary<PeerId, Presence>();
        var delivered = new HashSet<(PeerId, ulong)>();
        for (var i = 0; i < _events.Count; i++)
        {
            var (of, from, to) = _events[i] switch
            {
                NodeEvent.MemberJoined e => (e.Peer, Presence.Absent, Presence.Joined),
                NodeEvent.Connected e => (e.Peer, Presence.Joined, Presence.Connected),
                NodeEvent.MessageReceived e => (e.Peer, Presence.Connected, Presence.Connected),
                NodeEvent.MessageDelivered e => (e.Peer, Presence.Connected, Presence.Connected),
                NodeEvent.PathChanged e => (e.Peer, Presence.Connected, Presence.Connected),
                NodeEvent.Disconnected e => (e.Peer, Presence.Connected, Presence.Joined),
                NodeEvent.Failed e => (e.Peer, Presence.Joined, Presence.Joined),
                NodeEvent.MemberLeft e => (e.Peer, Presence.Joined, Presence.Absent),
                _ => (default(PeerId?), Presence.Absent, Presence.Absent),
            };
            if (of is not { } id) continue;
            if (states.GetValueOrDefault(id) != from)
                throw new InvalidOperationException($"{name} was told {_events[i]} where the member was {states.GetValueOrDefault(id)} (its event {i}).");
            states[id] = to;
            if (_events[i] is NodeEvent.MessageDelivered { } ack && !delivered.Add((ack.Peer, ack.Sequence)))
                throw new InvalidOperationException($"{name} was told twice that {ack.Sequence} arrived at {ack.Peer}.");
        }
    }

    private void CheckTexts()
    {
        var last = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var message in _events.OfType<NodeEvent.MessageReceived>())
        {
            var slash = message.Text.IndexOf('/', StringComparison.Ordinal);
            var (sender, number) = (message.Text[..slash], int.Parse(message.Text[(slash + 1)..], CultureInfo.InvariantCulture));
            if (number <= last.GetValueOrDefault(sender))
                throw new InvalidOperationException($"{name} was shown {message.Text} behind {sender}/{last[sender]}.");
            last[sender] = number;
        }
    }

    private enum Presence
    {
        Absent,
        Joined,
        Connected,
    }

    private readonly record struct Expectation(RoomStay Listener, int Number);
}
