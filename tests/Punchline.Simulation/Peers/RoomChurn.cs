using System.Globalization;
using Punchline.Protocols.Node;
using Punchline.Protocols.Noise;
using Punchline.Protocols.Primitives;
using Punchline.Simulation.Nat;

namespace Punchline.Simulation.Peers;

/// <summary>
/// A room in which everything happens that can: members come, leave, die, start again, are superseded, lose their network or
/// their server, change their address, are too busy to listen; the server dies and comes back. What happens when is the seed's.
/// </summary>
internal sealed class RoomChurn : IDisposable
{
    private static readonly NatBehavior[] Networks =
        [NatBehavior.Open, NatBehavior.FullCone, NatBehavior.AddressRestricted, NatBehavior.PortRestricted, NatBehavior.PortRestricted];

    /// <summary>From one happening to the next, at most.</summary>
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(800);

    /// <summary>As long as a peer away from the server waits at least until it comes back.</summary>
    private static readonly TimeSpan SupersededLife = TimeSpan.FromSeconds(1);

    /// <summary>What everything takes, once nothing more happens: a connection dead for the idle time-out, and the longest pause to the server.</summary>
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(240);

    private readonly VirtualInternet _internet;
    private readonly IRandomSource _random;
    private readonly RoomScenario _room;
    private readonly List<Member> _members = [];
    private readonly List<RoomStay> _stays = [];
    // Of two stays: what the first had been told when the second began. Behind it, "connected" is about the second.
    private readonly Dictionary<(RoomStay Teller, RoomStay About), int> _marks = [];

    public RoomChurn(VirtualInternet internet, LinkConditions link)
    {
        _internet = internet;
        _random = internet.NewRandom();
        _room = new RoomScenario(internet, link);
        foreach (var network in Networks) _members.Add(new Member(network, P256KeyPair.Generate(_random)));
    }

    public IReadOnlyList<RoomStay> Stays => _stays;

    /// <summary>What happened, for whoever looks for the reason of a failure.</summary>
    public List<string> Log { get; } = [];

    public void Run(TimeSpan duration)
    {
        foreach (var member in _members) Start(member);
        _internet.RunFor(TimeSpan.FromSeconds(2));
        for (var end = _internet.Now + duration; _internet.Now < end;)
        {
            Happen(_members[_random.NextInt32(_members.Count)]);
            _internet.RunFor(LongestPause * _random.NextDouble());
            foreach (var stay in _stays.Where(stay => stay.IsPresent && stay.Peer.EventsOf<NodeEvent.ServerReplaced>().Any())) Leave(stay);
        }
    }

    /// <summary>Everything works again, everybody comes, and all that is under way arrives.</summary>
    public void Settle()
    {
        if (!_room.Server.IsAlive) _room.Server.Restart();
        foreach (var site in _room.Sites) site.Uplink.Set(isUp: true);
        foreach (var member in _members)
        {
            if (member.Current is not { IsPresent: true }) Start(member);
            member.Current!.Peer.TakesEvents = true;
        }
        // Each says something once it hears of the others, so that every connection shows whether it works.
        _internet.RunFor(Settling);
        foreach (var member in _members) Say(member.Current!);
        _internet.RunFor(TimeSpan.FromSeconds(30));
    }

    /// <exception cref="InvalidOperationException">A promise was broken; the message says which.</exception>
    public void Check()
    {
        foreach (var stay in _stays) stay.Check();
        foreach (var one in _stays.Where(stay => stay.IsPresent))
        {
            if (one.Peer.Undelivered != 0) throw new InvalidOperationException($"{one.Name} still has {one.Peer.Undelivered} messages.");
            foreach (var other in _stays.Where(stay => stay.IsPresent && stay != one))
            {
                if (!one.IsConnectedTo(other) && !one.HasGivenUp(other) && !other.HasGivenUp(one)) throw new InvalidOperationException($"{one.Name} is not connected to {other.Name} in the end:\n{one.ToldOf(other)}\nand the other:\n{other.ToldOf(one)}");
            }
        }
    }

    public void Dispose()
    {
        _room.Dispose();
        foreach (var member in _members) member.Identity.Dispose();
    }

    private void Happen(Member member)
    {
        if (member.Current is not { IsPresent: true } stay)
        {
            // It may stay away for a while.
            if (_random.NextInt32(8) == 0) Start(member);
            return;
        }
        var site = SiteOf(stay);
        switch (_random.NextInt32(100))
        {
            case < 70:
                Say(stay);
                break;
            case < 74:
                Note($"{stay.Name} leaves");
                Leave(stay);
                break;
            case < 78:
                Note($"{stay.Name} dies");
                Die(stay);
                break;
            case < 79:
                Note($"{stay.Name} is superseded");
                Start(member);
                // The server tells it so, if it hears the server; else somebody ends it, before it comes back and does the same.
                _internet.Schedule(_internet.Now + SupersededLife, () => Die(stay));
                break;
            case < 81:
                var outage = TimeSpan.FromSeconds(40) * _random.NextDouble();
                Note($"{stay.Name} is offline for {outage}");
                site.Uplink.Set(isUp: false);
                // TCP would have come through a short one.
                if (outage > TimeSpan.FromSeconds(10)) stay.Peer.CutServer();
                _internet.Schedule(_internet.Now + outage, () => site.Uplink.Set(isUp: true));
                break;
            case < 83:
                Note($"{stay.Name} has another address");
                if (site.Nat.Behavior.Translates) _internet.Rebind(site);
                break;
            case < 87:
                var absence = TimeSpan.FromSeconds(20) * _random.NextDouble();
                Note($"{stay.Name} is busy for {absence}");
                stay.Peer.TakesEvents = false;
                _internet.Schedule(_internet.Now + absence, () => stay.Peer.TakesEvents = true);
                break;
            case < 89:
                Note("the server dies");
                _room.Server.Kill();
                break;
            case < 92:
                Note("the server starts");
                _room.Server.Restart();
                break;
            case < 94:
                Note($"{stay.Name} hears nothing from the server");
                stay.Peer.CutServer();
                break;
            default:
                for (var i = 0; i < 20; i++) Say(stay);
                break;
        }
    }

    private void Start(Member member)
    {
        // The process that left is still there, and enters again; one that died is not.
        var peer = member.Current is { IsPresent: false, Peer: { IsAlive: true } last } && !last.IsClosing && _random.NextInt32(2) == 0 ? last : null;
        if (peer is null)
        {
            peer = _room.AddPeer(member.Network, member.Identity);
            peer.ComesBack = true;
        }
        else
        {
            peer.CloseRoom();
            peer.OpenRoomAgain();
        }
        var stay = new RoomStay(string.Create(CultureInfo.InvariantCulture, $"{peer.Name}.{_stays.Count}"), peer);
        Note($"{stay.Name} joins");
        foreach (var other in _stays) _marks[(other, stay)] = other.Mark;
        _stays.Add(stay);
        member.Current = stay;
        _room.Join(peer);
    }

    private static void Leave(RoomStay stay)
    {
        stay.Peer.Leave();
        stay.End();
    }

    private static void Die(RoomStay stay)
    {
        if (!stay.IsPresent) return;
        stay.Peer.Kill();
        stay.End();
    }

    // Whoever the sender was told is connected, and is meant, not an earlier process of the same peer.
    private void Say(RoomStay stay)
    {
        var listeners = _stays.Where(other => other.IsPresent && other != stay && other.Id != stay.Id && stay.Knows(other)
            && stay.Peer.TakesEvents && stay.WasConnectedBehind(_marks.GetValueOrDefault((stay, other)), other)
            && other.WasConnectedBehind(0, stay) && IsAlone(other)).ToList();
        stay.Say(listeners);
    }

    // While another process of the same peer is still there, a connection may be that one's.
    private bool IsAlone(RoomStay stay) => !_stays.Any(other => other != stay && other.Id == stay.Id && other.IsPresent);

    private Site SiteOf(RoomStay stay) => _room.Sites[_room.Peers.ToList().IndexOf(stay.Peer)];

    private void Note(string text) => Log.Add($"{_internet.Now} {text}");

    private sealed class Member(NatBehavior network, P256KeyPair identity)
    {
        public NatBehavior Network { get; } = network;

        public P256KeyPair Identity { get; } = identity;

        /// <summary>Its latest stay.</summary>
        public RoomStay? Current { get; set; }
    }
}
