using Punchline.Protocols.Primitives;
using Punchline.Simulation.Tcp;

namespace Punchline.Simulation;

/// <summary>A computer with an address of each family that its site has: in that site's LAN, or public and directly at the core of the internet.</summary>
internal sealed class Machine
{
    /// <summary>Sockets bound at once: far above what a peer uses, so that a leak is found.</summary>
    public const int MaxSockets = 1024;

    private readonly List<SimulatedSocket> _sockets = [];
    private readonly Lazy<TcpStack> _tcp;

    internal Machine(string name, IReadOnlyList<UInt128> addresses, Site? site, Uplink? uplink, Func<Machine, TcpStack> createTcp)
    {
        _tcp = new Lazy<TcpStack>(() => createTcp(this));
        Name = name;
        Addresses = addresses;
        Site = site;
        Uplink = uplink;
    }

    public string Name { get; }

    /// <summary>IPv4 before IPv6.</summary>
    public IReadOnlyList<UInt128> Addresses { get; private set; }

    public UInt128 Address => Addresses[0];

    /// <summary>Null for a machine at the core.</summary>
    public Site? Site { get; private set; }

    /// <summary>Null for a machine in a site, which has the site's.</summary>
    public Uplink? Uplink { get; }

    /// <summary>In the order of binding, which is the order of draining.</summary>
    public IReadOnlyList<SimulatedSocket> Sockets => _sockets;

    public TcpStack Tcp => _tcp.Value;

    public Endpoint At(ushort port) => new(Address, port);

    /// <summary>Where a packet to there leaves from; null where the machine has no such family.</summary>
    public Endpoint? SourceTowards(Endpoint destination, ushort port)
    {
        foreach (var address in Addresses)
        {
            var source = new Endpoint(address, port);
            if (source.IsIPv4 == destination.IsIPv4) return source;
        }
        return null;
    }

    /// <summary>Runs a core behind a local port, until the socket is closed.</summary>
    /// <exception cref="InvalidOperationException">The port is in use, or too many are.</exception>
    public SimulatedSocket Bind(ushort port, ISimulatedHost host)
    {
        if (FindSocket(port) is not null) throw new InvalidOperationException($"{Name}: port {port} is in use.");
        if (_sockets.Count == MaxSockets) throw new InvalidOperationException($"{Name}: more than {MaxSockets} sockets.");
        var socket = new SimulatedSocket(this, port, host);
        _sockets.Add(socket);
        return socket;
    }

    internal void MoveTo(Site site, IReadOnlyList<UInt128> addresses) => (Site, Addresses) = (site, addresses);

    internal SimulatedSocket? FindSocket(ushort port) => _sockets.Find(socket => socket.Port == port);

    internal void Remove(SimulatedSocket socket) => _sockets.Remove(socket);
}

/// <summary>A core bound to one local port.</summary>
internal sealed class SimulatedSocket(Machine machine, ushort port, ISimulatedHost host)
{
    public Machine Machine { get; } = machine;

    public ushort Port { get; } = port;

    public Endpoint LocalEndpoint => Machine.At(Port);

    internal ISimulatedHost Host { get; } = host;

    /// <summary>The deadline that an event is queued for.</summary>
    internal Timestamp Armed { get; set; } = Timestamp.Never;

    internal Timestamp LastWake { get; set; }

    internal int WakesAtThatInstant { get; set; }

    internal bool IsClosed { get; private set; }

    /// <summary>The process is gone: nothing is handed over or sent any more, and nobody is told.</summary>
    public void Close()
    {
        IsClosed = true;
        Machine.Remove(this);
    }
}
