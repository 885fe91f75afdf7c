using Punchline.Protocols.Coordination;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Stun;
using Punchline.Simulation.Tcp;

namespace Punchline.Simulation.Peers;

/// <summary>
/// The coordination server's core and STUN on two ports, as a machine of the virtual internet. Its WebSockets are
/// <see cref="ReliableChannel"/>s.
/// </summary>
internal sealed class SimulatedServer : IDisposable
{
    public const ushort Port = 8080;
    public const string Host = "server.example:8080";

    private readonly VirtualInternet _internet;
    private readonly Machine _machine;
    private CoordinationServer _core;
    private readonly Dictionary<long, ReliableChannel> _channels = [];
    private readonly Dictionary<long, string> _names = [];
    private readonly StunPort[] _stun;
    private readonly Machine? _alternate;
    private StunVantage? _vantage;
    private long _lastConnection;

    /// <param name="internet">Where it lives.</param>
    /// <param name="link">Its link.</param>
    /// <param name="hasIPv6">It has an IPv6 address as well, with STUN.</param>
    /// <param name="hasAlternate">It has a second address, and answers STUN there as well; the four endpoints for each other (RFC 5780).</param>
    public SimulatedServer(VirtualInternet internet, LinkConditions? link = null, bool hasIPv6 = false, bool hasAlternate = false)
    {
        _internet = internet;
        _machine = internet.AddServer("server", link, hasIPv6);
        _core = new CoordinationServer(internet.NewRandom());
        _stun = [.. Enumerable.Range(0, hasAlternate ? StunVantage.Count : 2).Select(index => new StunPort(this, index))];
        _machine.Bind(Port, _stun[0]);
        _machine.Bind(Port + 1, _stun[1]);
        _machine.Tcp.Listen(Port, ServeStun);
        StunEndpoints = [.. _machine.Addresses.SelectMany(address => new[] { new Endpoint(address, Port), new Endpoint(address, Port + 1) })];
        if (!hasAlternate) return;
        var alternate = internet.AddServer("server-alternate", link);
        for (ushort port = Port; port <= Port + 1; port++) alternate.Bind(port, _stun[StunVantage.AlternateAddress + port - Port]);
        alternate.Tcp.Listen(Port, ServeStun);
        _alternate = alternate;
        _vantage = new StunVantage(new Endpoint(_machine.Address, Port), alternate.At(Port + 1));
        StunEndpoints = [.. StunEndpoints, alternate.At(Port), alternate.At(Port + 1)];
    }

    public IReadOnlyList<Endpoint> StunEndpoints { get; }

    public bool IsAlive { get; private set; } = true;

    /// <summary>How its STUN misleads; set before anybody asks.</summary>
    public StunLie Lie { get; set; }

    /// <summary>Called with every message that comes in, before the core has it, and with every one that goes out.</summary>
    public Action<string, ReadOnlyMemory<byte>>? Overheard { get; set; }

    /// <summary>What it holds from its next start on; null is <see cref="CoordinationLimits"/>.</summary>
    public CoordinationCapacity? Capacity { get; set; }

    /// <summary>A WebSocket of a member in the room or inbox of this tag; null once the server is dead.</summary>
    public ChannelEnd? Connect(string who, Endpoint from, ReadOnlySpan<byte> tag, TimeSpan delay, PlaceKind kind = PlaceKind.Room)
    {
        if (!IsAlive) return null;
        var connection = ++_lastConnection;
        var channel = _internet.OpenChannel(who, "server", delay);
        _channels.Add(connection, channel);
        channel.Second.Received = utf8 =>
        {
            Overheard?.Invoke($"from {who}", utf8);
            _core.HandleMessage(connection, utf8.Span, _internet.Now);
        };
        _names.Add(connection, who);
        channel.Second.Broken = () => _core.HandleDisconnected(connection);
        _core.HandleConnected(connection, from, Host, tag, StunEndpoints, _internet.Now, kind);
        return channel.First;
    }

    /// <summary>Another process on the same machine, which knows nobody.</summary>
    public void Restart()
    {
        Kill();
        _core = new CoordinationServer(_internet.NewRandom(), capacity: Capacity);
        IsAlive = true;
    }

    /// <summary>As by SIGKILL: all connections break, no port answers.</summary>
    public void Kill()
    {
        IsAlive = false;
        _machine.Tcp.ResetAll();
        foreach (var channel in _channels.Values) channel.Break();
        _channels.Clear();
    }

    public void Dispose() => Kill();

    // One request at a time, as members ask: each comes whole.
    private void ServeStun(TcpSocket socket) => socket.Received = bytes =>
    {
        Span<byte> response = stackalloc byte[StunResponder.MaxResponseLength];
        if (IsAlive && StunResponder.TryRespond(bytes.Span, socket.Remote, response, out var length)) socket.Write(response[..length]);
    };

    private void Flush()
    {
        while (_core.TryDequeueSend(out var connection, out var utf8))
        {
            if (!_channels.TryGetValue(connection, out var channel)) continue;
            Overheard?.Invoke($"to {_names[connection]}", utf8);
            channel.Second.Send(utf8.Span);
        }
        while (_core.TryDequeueClose(out var connection))
        {
            // Behind what was sent just before it.
            if (_channels.Remove(connection, out var channel)) _internet.Schedule(_internet.Now + channel.Delay, channel.Break);
        }
    }

    // Numbered as a vantage's endpoints; the first drives the core.
    private sealed class StunPort(SimulatedServer server, int index) : ISimulatedHost
    {
        private static readonly TimeSpan RefreshInterval = TimeSpan.FromSeconds(5);

        private readonly Queue<(Endpoint To, byte[] Response)> _responses = new();

        private readonly List<Endpoint> _seen = [];
        private readonly HashSet<Endpoint> _answeredElsewhere = [];
        private Timestamp _nextRefresh = Timestamp.Never;

        public Timestamp NextTimeout => Timestamp.Min(index == 0 && server.IsAlive ? server._core.NextTimeout : Timestamp.Never, _nextRefresh);

        public void HandleDatagram(Endpoint source, ReadOnlySpan<byte> datagram, Timestamp now)
        {
            if (!server.IsAlive) return;
            Span<byte> response = stackalloc byte[StunResponder.MaxVantageResponseLength];
            var from = index;
            // The vantage is IPv4's, as that of a real server is of one family.
            var isAnswered = server._vantage is { } vantage && source.IsIPv4
                ? StunResponder.TryRespond(datagram, source, vantage, index, response, out var length, out from, out var destination)
                : StunResponder.TryRespond(datagram, source, response, out length, out destination);
            if (!isAnswered) return;
            var isElsewhere = destination != source;
            switch (server.Lie)
            {
                case StunLie.Silent when isElsewhere && !_answeredElsewhere.Add(source):
                    return;
                case StunLie.Unknowing:
                    destination = source;
                    break;
                case StunLie.Garbage when isElsewhere:
                    response[..length].Clear();
                    break;
                case StunLie.Refresh:
                    _nextRefresh = Timestamp.Min(_nextRefresh, now + RefreshInterval);
                    break;
            }
            if (!_seen.Contains(destination)) _seen.Add(destination);
            (from == index ? this : server._stun[from])._responses.Enqueue((destination, response[..length].ToArray()));
            // The other machine's ports are asked for what they have to send.
            if (from / StunVantage.AlternateAddress != index / StunVantage.AlternateAddress)
                server._internet.ScheduleAt((from < StunVantage.AlternateAddress ? server._machine : server._alternate!).Name, now, () => { });
        }

        public void HandleTimeout(Timestamp now)
        {
            if (index == 0 && server.IsAlive) server._core.HandleTimeout(now);
            if (now < _nextRefresh) return;
            _nextRefresh = now + RefreshInterval;
            // Answers to nothing, which look like answers.
            foreach (var seen in _seen) _responses.Enqueue((seen, new StunWriter(new byte[StunMessage.HeaderLength], StunClass.SuccessResponse, StunMethod.Binding, default).Written.ToArray()));
        }

        public bool TryDequeueTransmit(Timestamp now, Span<byte> buffer, out Transmit transmit)
        {
            if (index == 0) server.Flush();
            transmit = default;
            if (!_responses.TryDequeue(out var response)) return false;
            response.Response.CopyTo(buffer);
            transmit = new Transmit(response.To, response.Response.Length);
            return true;
        }
    }
}
