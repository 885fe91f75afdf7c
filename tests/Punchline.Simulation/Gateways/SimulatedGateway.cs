using Punchline.Protocols.Node;
using Punchline.Protocols.PortMapping;
using Punchline.Protocols.Primitives;

namespace Punchline.Simulation.Gateways;

/// <summary>A site's router that maps ports: a <see cref="FakeGateway"/> at the LAN's .1, whose mappings the router's NAT obeys.</summary>
internal sealed class SimulatedGateway
{
    private readonly VirtualInternet _internet;

    public SimulatedGateway(VirtualInternet internet, Site site, GatewayBehavior behavior)
    {
        _internet = internet;
        var host = internet.AddRouterHost(site);
        Gateway = new FakeGateway(behavior, host.At(0), () => site.ExternalAddress);
        site.Nat.PortMappings = (port, now) => Gateway.Find(MappedTransport.Udp, port, now)?.Inside;
        site.TcpNat.PortMappings = (port, now) => Gateway.Find(MappedTransport.Tcp, port, now)?.Inside;
        host.Bind(PcpMapResponse.ServerPort, new ServerPort(Gateway, PcpMapResponse.ServerPort));
        host.Bind(SsdpMessage.Port, new ServerPort(Gateway, SsdpMessage.Port));
    }

    public FakeGateway Gateway { get; }

    public int Mappings => Gateway.CountMappings(_internet.Now);

    private sealed class ServerPort(FakeGateway gateway, ushort port) : ISimulatedHost
    {
        private readonly Queue<(Endpoint To, byte[] Answer)> _answers = new();

        public Timestamp NextTimeout => Timestamp.Never;

        public void HandleDatagram(Endpoint source, ReadOnlySpan<byte> datagram, Timestamp now)
        {
            if (gateway.Answer(port, source, datagram, now) is { } answer) _answers.Enqueue((source, answer));
        }

        public void HandleTimeout(Timestamp now)
        {
            // It only answers.
        }

        public bool TryDequeueTransmit(Timestamp now, Span<byte> buffer, out Transmit transmit)
        {
            transmit = default;
            if (!_answers.TryDequeue(out var next)) return false;
            next.Answer.CopyTo(buffer);
            transmit = new Transmit(next.To, next.Answer.Length);
            return true;
        }
    }
}

/// <summary>A peer's socket towards its gateway, and HTTP with it, as the engine has them.</summary>
internal sealed class GatewayEnd(VirtualInternet internet, NodeCore node, SimulatedGateway gateway, Machine machine) : ISimulatedHost
{
    // A TCP handshake, the request, and the answer.
    private static readonly TimeSpan HttpDelay = 4 * VirtualInternet.LanDelay;

    // The node's own port has the node's timer.
    public Timestamp NextTimeout => Timestamp.Never;

    public void HandleDatagram(Endpoint source, ReadOnlySpan<byte> datagram, Timestamp now) => node.HandleGatewayDatagram(source, datagram, now);

    public void HandleTimeout(Timestamp now)
    {
        // See above.
    }

    public bool TryDequeueTransmit(Timestamp now, Span<byte> buffer, out Transmit transmit)
    {
        if (node.TryTakeGatewaySearch()) node.SetGateway(gateway.Gateway.Address, machine.At(0), now);
        while (node.TryDequeueGatewayHttp(out var request))
        {
            internet.Schedule(now + HttpDelay, () =>
                node.HandleGatewayHttpEnded(request.Id, gateway.Gateway.AnswerHttp(request, machine.At(0), internet.Now), internet.Now));
        }
        return node.TryDequeueGatewayTransmit(now, buffer, out transmit);
    }
}
