using Punchline.Protocols.PortMapping;
using Punchline.Protocols.Primitives;
using Punchline.Simulation;
using Punchline.Simulation.Gateways;

namespace Punchline.Protocols.Tests.PortMapping;

/// <summary>A port mapper and a gateway beside each other, in virtual time: what takes no time on a LAN takes none here.</summary>
internal sealed class MapperDriver
{
    public static readonly Endpoint GatewayAddress = Endpoint.Parse("192.168.1.1:0");
    public static readonly Endpoint Local = Endpoint.Parse("192.168.1.10:0");
    public const ushort InternalPort = 40_000;

    private readonly byte[] _buffer = new byte[PortMapper.MaxDatagram];

    public MapperDriver(GatewayBehavior behavior, ulong seed = 1)
    {
        Gateway = new FakeGateway(behavior, GatewayAddress, () => External.Address);
        Mapper = new PortMapper(new SeededRandom(seed));
        Mapper.Map(MappedTransport.Udp, InternalPort, Now);
    }

    public PortMapper Mapper { get; }

    public FakeGateway Gateway { get; }

    public Endpoint External { get; set; } = Endpoint.Parse("198.51.100.7:0");

    public Timestamp Now { get; private set; } = Timestamp.Zero + TimeSpan.FromSeconds(100);

    /// <summary>False: the gateway is off, or nothing gets to it.</summary>
    public bool IsReachable { get; set; } = true;

    /// <summary>What left, with its time.</summary>
    public List<(Timestamp At, Endpoint To, byte[] Bytes)> Sent { get; } = [];

    public List<(Timestamp At, GatewayHttpRequest Request)> Exchanges { get; } = [];

    public List<PortMapperEvent> Events { get; } = [];

    public void Start()
    {
        Mapper.SetGateway(GatewayAddress, Local, Now);
        Drain();
    }

    /// <summary>Goes from deadline to deadline.</summary>
    public void RunFor(TimeSpan duration)
    {
        var end = Now + duration;
        for (var steps = 0; Mapper.NextTimeout <= end; steps++)
        {
            Assert.True(steps < 10_000, "The mapper asks for time-outs without end.");
            Now = Timestamp.Max(Now, Mapper.NextTimeout);
            Mapper.HandleTimeout(Now);
            Drain();
        }
        Now = end;
    }

    public void Drain()
    {
        for (var progress = true; progress;)
        {
            progress = false;
            while (Mapper.TryDequeueTransmit(Now, _buffer, out var transmit))
            {
                progress = true;
                var bytes = _buffer.AsSpan(0, transmit.Length).ToArray();
                Sent.Add((Now, transmit.Destination, bytes));
                Assert.True(Sent.Count < 100_000, "The mapper sends without end.");
                if (IsReachable && Gateway.Answer(transmit.Destination.Port, Local, bytes, Now) is { } answer)
                    Mapper.HandleDatagram(GatewayAddress.WithPort(transmit.Destination.Port), answer, Now);
            }
            while (Mapper.TryDequeueHttp(out var request))
            {
                progress = true;
                Exchanges.Add((Now, request));
                Mapper.HandleHttpEnded(request.Id, IsReachable ? Gateway.AnswerHttp(request, Local, Now) : null, Now);
            }
        }
        while (Mapper.TryDequeueEvent(out var mapperEvent)) Events.Add(mapperEvent);
    }
}
