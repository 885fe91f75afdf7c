using Punchline.Protocols.PortMapping;
using Punchline.Protocols.Primitives;
using Punchline.Simulation;
using Punchline.Simulation.Gateways;

namespace Punchline.Protocols.Tests.PortMapping;

/// <summary>Whatever a gateway sends: nothing throws, nothing grows, and what goes out stays within bounds. <c>PUNCHLINE_SEED</c> replays one run.</summary>
public sealed class HostileGatewayTests
{
    private const int Runs = 300;
    private const int StepsPerRun = 400;

    // A run lasts 400 steps of a minute and a half on average, ten hours: with 30 s between refusals, and a search in ten minutes.
    private const int MostPackets = 4_000;
    private const int MostExchanges = 4_000;

    [Fact]
    public void Nothing_that_a_gateway_sends_throws_or_grows_or_makes_us_send_without_end()
    {
        foreach (var seed in SimulationSeeds.Take(Runs))
        {
            try
            {
                Run(seed);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                throw new SimulationFailedException($"{e.Message}\n  replay: {SimulationSeeds.Variable}={seed} dotnet test --project tests/Punchline.Protocols.Tests --filter-class \"*HostileGateway*\"", e);
            }
        }
    }

    // Documents that cost a reader much where it costs anything: read in linear time, or not at all.
    [Theory]
    [InlineData("<")]
    [InlineData("<a")]
    [InlineData("<a b='")]
    [InlineData("<a>")]
    [InlineData("<!--")]
    [InlineData("<service><serviceType>")]
    [InlineData("<service/>")]
    [InlineData("&#")]
    [InlineData("<controlURL>&amp;")]
    [InlineData("<![CDATA[")]
    public void Documents_of_the_largest_size_are_read_through(string piece)
    {
        var document = new byte[UpnpDescription.MaxLength];
        var bytes = System.Text.Encoding.ASCII.GetBytes(piece);
        for (var i = 0; i < document.Length; i++) document[i] = bytes[i % bytes.Length];
        Assert.Empty(UpnpDescription.ReadServices(document, new GatewayUrl(MapperDriver.GatewayAddress.WithPort(5000), "/")));
        UpnpAnswer.TryRead(document, out _);
    }

    private static void Run(ulong seed)
    {
        var random = new SeededRandom(seed);
        var gateway = new FakeGateway(GatewayBehavior.OfAll, MapperDriver.GatewayAddress, () => Endpoint.Parse("198.51.100.7:0").Address);
        var mapper = new PortMapper(random);
        var now = Timestamp.Zero;
        mapper.Map(MappedTransport.Udp, 40_000, now);
        mapper.Map(MappedTransport.Tcp, 40_000, now);
        mapper.SetGateway(MapperDriver.GatewayAddress, MapperDriver.Local, now);
        var buffer = new byte[PortMapper.MaxDatagram];
        var (packets, exchanges, events) = (0, 0, 0);
        var answers = new List<(ushort Port, byte[] Bytes)>();
        for (var step = 0; step < StepsPerRun; step++)
        {
            while (mapper.TryDequeueTransmit(now, buffer, out var transmit))
            {
                packets++;
                Assert.True(transmit.Destination.Address == MapperDriver.GatewayAddress.Address || transmit.Destination == SsdpMessage.Multicast);
                if (gateway.Answer(transmit.Destination.Port, MapperDriver.Local, buffer.AsSpan(0, transmit.Length), now) is { } answer) answers.Add((transmit.Destination.Port, answer));
            }
            while (mapper.TryDequeueHttp(out var request))
            {
                exchanges++;
                Assert.Equal(MapperDriver.GatewayAddress.Address, request.Url.Server.Address);
                mapper.HandleHttpEnded(request.Id, Spoil(random, gateway.AnswerHttp(request, MapperDriver.Local, now)), now);
            }
            while (mapper.TryDequeueEvent(out _)) events++;
            foreach (var (port, bytes) in answers) mapper.HandleDatagram(MapperDriver.GatewayAddress.WithPort(port), Spoil(random, bytes), now);
            // Old answers come again, some of them.
            if (random.NextInt32(3) != 0) answers.Clear();
            if (answers.Count > 16) answers.RemoveRange(0, answers.Count - 16);
            switch (random.NextInt32(6))
            {
                case 0:
                    now += TimeSpan.FromMinutes(random.NextInt32(10));
                    break;
                case 1:
                    gateway.Restart(now);
                    mapper.Refresh(now);
                    break;
                default:
                    // To the next deadline, where it is not far.
                    now = Timestamp.Max(now, Timestamp.Min(mapper.NextTimeout, now + TimeSpan.FromMinutes(10)));
                    break;
            }
            mapper.HandleTimeout(now);
        }
        Assert.InRange(packets, 1, MostPackets);
        Assert.InRange(exchanges, 0, MostExchanges);
        Assert.InRange(events, 0, 2 * StepsPerRun);

        // However it was: the end comes, and with it silence.
        mapper.Close(now);
        for (var i = 0; i < 100 && !mapper.IsOver; i++)
        {
            while (mapper.TryDequeueTransmit(now, buffer, out _)) { }
            while (mapper.TryDequeueHttp(out var request)) mapper.HandleHttpEnded(request.Id, null, now);
            now = Timestamp.Min(mapper.NextTimeout, now + TimeSpan.FromSeconds(10));
            mapper.HandleTimeout(now);
        }
        Assert.True(mapper.IsOver);
        while (mapper.TryDequeueTransmit(now, buffer, out _)) { }
        Assert.Equal(Timestamp.Never, mapper.NextTimeout);
    }

    private static byte[] Spoil(SeededRandom random, byte[] answer)
    {
        var spoilt = (byte[])answer.Clone();
        switch (random.NextInt32(6))
        {
            case 0:
                return random.NextBytes(random.NextInt32(1_500));
            case 1:
                return spoilt[..random.NextInt32(spoilt.Length + 1)];
            case 2:
                return [.. spoilt, .. random.NextBytes(random.NextInt32(2_000))];
            case 3 or 4:
                for (var flips = 1 + random.NextInt32(4); flips > 0; flips--) spoilt[random.NextInt32(spoilt.Length)] = random.NextBytes(1)[0];
                return spoilt;
            default:
                return spoilt;
        }
    }

    private static GatewayHttpAnswer? Spoil(SeededRandom random, GatewayHttpAnswer? answer) => random.NextInt32(5) switch
    {
        0 => null,
        1 => new GatewayHttpAnswer(random.NextInt32(600), answer?.Body ?? default),
        2 => answer is null ? null : answer with { Body = Spoil(random, answer.Body.IsEmpty ? [0] : answer.Body.ToArray()) },
        _ => answer,
    };
}
