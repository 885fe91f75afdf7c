using System.Diagnostics.CodeAnalysis;
using Punchline.Protocols.PortMapping;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Node;

// The gateway in front of us, and the ports that it maps to ours. Its protocols have a socket of their own, so all of this goes beside
// HandleDatagram and TryDequeueTransmit.
internal sealed partial class NodeCore
{
    private readonly PortMapper _portMapper;
    private bool _mayMapPorts;
    private bool _searchesGateway;
    private bool _asksBeyond;

    /// <summary>What the gateway speaks, says and maps.</summary>
    public PortMapperStatus Gateway => _portMapper.Status;

    /// <summary>
    /// Whether the gateway itself is behind another NAT, which its mappings do not get through: its external address is private, or none
    /// that STUN servers see. Null: not known.
    /// </summary>
    public bool? IsBehindSecondNat => SecondNat.Judge(_portMapper.Status.ExternalAddress, _services.AllReflexive);

    /// <summary>After <see cref="ClosePortMappings"/>: the gateway has nothing of ours any more.</summary>
    public bool ArePortMappingsClosed => _portMapper is { IsClosing: true, IsOver: true };

    /// <summary>
    /// Has the gateway map our UDP port from now on, and IPv4's TCP port if there is one: who has no UDP comes in by that. The gateway is looked for (<see cref="TryTakeGatewaySearch"/>) with the first STUN server, or
    /// node of the DHT, that is asked beyond this machine: who meets others on this machine alone needs no router.
    /// </summary>
    /// <param name="port">Of the punching socket.</param>
    /// <param name="now">The time.</param>
    public void MapPort(ushort port, Timestamp now)
    {
        _mayMapPorts = true;
        _portMapper.Map(MappedTransport.Udp, port, now);
        if (_services.Tcp.HasIPv4) _portMapper.Map(MappedTransport.Tcp, _services.Tcp.Port, now);
        if (_asksBeyond) _searchesGateway = true;
    }

    /// <summary>
    /// Ports that somebody chose, 0 for those that nobody did: the router may forward them, and peers are told so unless it is known that it does not. Before anything else.
    /// </summary>
    public void SetForwardedPorts(ushort udp, ushort tcp) => (_forward.UdpPort, _forward.TcpPort) = (udp, tcp);

    /// <summary>Once, when <see cref="SetGateway"/> is to be told, and from then on whenever the gateway changes.</summary>
    public bool TryTakeGatewaySearch()
    {
        var searches = _searchesGateway;
        _searchesGateway = false;
        return searches;
    }

    /// <summary>The router that leads to the internet, and our address towards it; null: there is none.</summary>
    public void SetGateway(Endpoint? gateway, Endpoint local, Timestamp now)
    {
        _portMapper.SetGateway(gateway, local, now);
        DrainPortMapper(now);
    }

    /// <summary>Deletes all mappings: the end of the node.</summary>
    public void ClosePortMappings(Timestamp now) => _portMapper.Close(now);

    /// <summary>A datagram on the gateway's socket.</summary>
    public void HandleGatewayDatagram(Endpoint source, ReadOnlySpan<byte> datagram, Timestamp now)
    {
        _portMapper.HandleDatagram(source, datagram, now);
        DrainPortMapper(now);
    }

    /// <summary>An exchange with the gateway ended; null where nothing came, or not within the limits.</summary>
    public void HandleGatewayHttpEnded(int id, GatewayHttpAnswer? answer, Timestamp now)
    {
        _portMapper.HandleHttpEnded(id, answer, now);
        DrainPortMapper(now);
    }

    /// <summary>A datagram for the gateway's socket; the buffer has room for <see cref="PortMapper.MaxDatagram"/> bytes.</summary>
    public bool TryDequeueGatewayTransmit(Timestamp now, Span<byte> buffer, out Transmit transmit) => _portMapper.TryDequeueTransmit(now, buffer, out transmit);

    /// <summary>An exchange with the gateway that is to be done.</summary>
    public bool TryDequeueGatewayHttp([NotNullWhen(true)] out GatewayHttpRequest? request) => _portMapper.TryDequeueHttp(out request);

    private void NoteAsked(Endpoint destination)
    {
        if (_asksBeyond || AddressScope.IsLoopback(destination)) return;
        _asksBeyond = true;
        if (_mayMapPorts) _searchesGateway = true;
    }

    private void DrainPortMapper(Timestamp now)
    {
        // The status has what they say.
        var isNews = false;
        while (_portMapper.TryDequeueEvent(out _)) isNews = true;
        ProceedExamination(now);
        if (!isNews) return;
        if (JudgeMapped()) HandleCandidatesChanged(now);
    }

    private void HandleForwardNews(Timestamp now)
    {
        if (_forward.TakeNews() && JudgeMapped()) HandleCandidatesChanged(now);
    }

    // A mapping of a router behind another NAT leads nowhere but to peers between the two: where its address is private, they are told of it as such. What
    // is forwarded was forwarded by whoever knows the way.
    private bool JudgeMapped()
    {
        var (udp, tcp, middle) = (_portMapper.Status.Udp, _portMapper.Status.Tcp, default(Endpoint?));
        CountLayers();
        if (IsBehindSecondNat is true) (udp, tcp, middle) = (null, null, udp is { } inside && AddressScope.IsPrivate(inside) ? udp : null);
        (udp, tcp) = (udp ?? _forward.Udp, tcp ?? _forward.Tcp);
        if (udp == _services.Mapped && tcp == _services.MappedTcp && middle == _services.Middle) return false;
        (_services.Mapped, _services.MappedTcp, _services.Middle) = (udp, tcp, middle);
        return true;
    }
}
