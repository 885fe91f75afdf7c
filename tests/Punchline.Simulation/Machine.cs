using Punchline.Protocols.Primitives;

namespace Punchline.Simulation;

/// <summary>A computer with one address: in a site's LAN, or public and directly at the core of the internet.</summary>
internal sealed class Machine
{
    /// <summary>Sockets bound at once: far above what a peer uses, so that a leak is found.</summary>
    public const int MaxSockets = 1024;

    private readonly List<SimulatedSocket> _sockets = [];

    internal Machine(string name, UInt128 address, Site? site, Uplink? uplink)
    {
        Name = name;
        Address = address;
        Site = site;
        Uplink = uplink;
    }

    public string Name { get; }

    public UInt128 Address { get; private set; }

    /// <summary>Null for a machine at the core.</summary>
    public Site? Site { get; private set; }

    /// <summary>Null for a machine in a site, which has the site's.</summary>
    public Uplink? Uplink { get; }

    /// <summary>In the order of binding, which is the order of draining.</summary>
    public IReadOnlyList<SimulatedSocket> Sockets => _sockets;

    public Endpoint At(ushort port) => new(Address, port);

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

    internal void MoveTo(Site site, UInt128 address) => (Site, Address) = (site, address);

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
