using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Node;

/// <summary>
/// Learns what our network does with ports. How mappings depend on their destination, the main socket's STUN answers say. Only where they
/// do, or may, a few side sockets ask as well, for what counts then is how the router chooses the next port.
/// </summary>
internal sealed class NetworkProfiler(NodeServices services) : ISideSocketOwner
{
    /// <summary>Side sockets that ask: with a server's two ports, 12 new mappings of a router that has one for each destination.</summary>
    public const int SampleSockets = 6;

    /// <summary>Until what has not answered does not count: three requests.</summary>
    public static readonly TimeSpan SampleTime = TimeSpan.FromMilliseconds(700);

    // With whom each asks, in the order of asking.
    private readonly OrderedDictionary<SideSocket, IReadOnlyList<Reflector>> _sockets = [];
    private IReadOnlyList<MappingObservation> _ofMain = [];
    private bool _isSampled;
    private bool _hasAsked;
    private bool _hasMoved;

    public Timestamp NextTimeout { get; private set; } = Timestamp.Never;

    /// <summary>The main socket was seen by one more server, or elsewhere.</summary>
    /// <param name="ofMain">What STUN servers saw.</param>
    /// <param name="differsByNode">Nodes of the DHT see it at a port each.</param>
    /// <param name="now">The time.</param>
    public void HandleObservations(IReadOnlyList<MappingObservation> ofMain, bool differsByNode, Timestamp now)
    {
        _ofMain = ofMain;
        var mapping = MappingObservations.ClassifyMapping(ofMain);
        // Whatever STUN servers at one address could tell: the nodes have many.
        var isOnlyOfNodes = differsByNode && ofMain.Count == 0;
        if (isOnlyOfNodes) mapping = _hasMoved ? MappingBehavior.EndpointIndependent : MappingBehavior.AddressDependent;
        if (mapping == services.Profile.Mapping) return;
        // A network that behaves otherwise in this may do so in all.
        services.Profile = services.Profile with { Mapping = mapping };
        if (IsPreserved) services.Profile = services.Profile with { Allocation = PortAllocation.Preserved };
        if (!_isSampled && (services.Profile.IsSymmetric || services.Profile.MayBeSymmetric)) Sample(now);
    }

    /// <summary>We are in another network: all begins anew.</summary>
    public void Restart()
    {
        Close();
        _isSampled = _hasMoved = false;
        services.Profile = NetworkProfile.Unknown;
    }

    /// <summary>True where the profile changed.</summary>
    public bool HandleTimeout(Timestamp now)
    {
        if (now < NextTimeout) return false;
        return Conclude();
    }

    public void HandleSideSocket(SideSocket socket, Timestamp now)
    {
        if (socket.State == SideSocketState.Closed) _sockets.Remove(socket);
        if (!_hasAsked)
        {
            if (_sockets.Keys.Any(opened => opened.State != SideSocketState.Open)) return;
            _hasAsked = true;
            foreach (var (opened, reflectors) in _sockets)
            {
                foreach (var reflector in reflectors) services.SideSockets.Query(opened, reflector, now);
            }
        }
        else if (_sockets.All(asked => asked.Key.Observations.Count == asked.Value.Count))
        {
            NextTimeout = now;
        }
    }

    private bool IsPreserved => services.HostAddresses.Count > 0 && _ofMain.Count > 0
        && _ofMain.All(seen => seen.Mapped.Port == services.HostAddresses[0].Endpoint.Port);

    private void Sample(Timestamp now)
    {
        _isSampled = true;
        _hasAsked = false;
        for (var i = 0; i < SampleSockets; i++)
        {
            if (services.SideSockets.TryOpen(this, out var socket)) _sockets.Add(socket, services.Reflectors.TakeForSample());
        }
        NextTimeout = now + SampleTime;
    }

    private bool Conclude()
    {
        // The order in which they were asked is the order in which the router made the mappings.
        List<MappingObservation> inOrder =
            [.. _sockets.SelectMany(asked => asked.Value.Join(asked.Key.Observations, reflector => reflector.Endpoint, seen => seen.Server, (_, seen) => seen))];
        // Nodes that differ on the main socket's port may have seen it move: of a fresh socket, which nobody could spoil yet, those who were asked by it agree.
        var asked = _sockets.Keys.Where(socket => socket.Observations.Count > 1).ToList();
        _hasMoved = _ofMain.Count == 0 && 2 * asked.Count(socket => socket.Reflexive.Count == 1) > asked.Count;
        Close();
        var profile = MappingObservations.ClassifyAllocation(_hasMoved ? MappingBehavior.EndpointIndependent : services.Profile.Mapping, inOrder) with { TcpMapping = services.Profile.TcpMapping };
        // Where nobody says how the router chooses, any of all ports is true of each.
        if (profile is { IsSymmetric: true, Allocation: PortAllocation.Unknown }) profile = profile with { Allocation = PortAllocation.Random };
        if (profile == services.Profile) return false;
        services.Profile = profile;
        return true;
    }

    private void Close()
    {
        foreach (var socket in _sockets.Keys) services.SideSockets.Close(socket);
        _sockets.Clear();
        NextTimeout = Timestamp.Never;
    }
}
