using System.Diagnostics.Metrics;
using System.Net;
using System.Threading.Channels;
using Microsoft.Extensions.Logging.Abstractions;
using Punchline.Protocols.Coordination;
using Punchline.Server.Stun;
using Punchline.Server.Tests.Stun;

namespace Punchline.Server.Tests.Coordination;

public sealed class ServerMetricsTests
{
    private static readonly byte[] Tag = [.. Enumerable.Repeat((byte)7, 32)];

    [Fact]
    public async Task What_is_there_is_observed_and_refusals_are_counted_by_code()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var host = await CoordinationHost.StartAsync(new CoordinationServerOptions { Port = 0, MaxConnectionsPerAddress = 3 }, cancellationToken: cancellation);
        await using var stun = StunServer.Start(IPAddress.Loopback, 0, NullLogger.Instance);
        host.Stun = stun;
        using var reading = new Reading(host);
        Assert.Equal((0, 0, 0, 0), reading.Observe());

        var server = $"127.0.0.1:{host.Port}#{host.Pin}";
        await using var alice = await TestPeer.JoinAsync(server, Tag);
        await alice.NextAsync<CoordinationClientEvent.Welcomed>();
        await using var bob = await TestPeer.JoinAsync(server, Tag);
        await bob.NextAsync<CoordinationClientEvent.Welcomed>();
        using (var client = new StunClientSocket(IPAddress.Loopback, TimeSpan.FromSeconds(2))) Assert.Single(client.Query(stun.Endpoints[0]));
        Assert.Equal((1, 2, 2, 1), reading.Observe());

        await using (var stranger = await TestPeer.ConnectAsync(server, Tag))
        {
            await stranger.Channel.SendAsync("no JSON"u8.ToArray(), cancellation);
            while (await stranger.Channel.ReceiveAsync(cancellation) is not null)
            {
            }
        }
        // Counted when the lock is free again, which may be after the close is out.
        Assert.Equal(CoordinationErrorCode.BadMessage, await reading.NextRefusalAsync(cancellation));
    }

    [Fact]
    public async Task A_connection_too_many_is_counted()
    {
        await using var host = await CoordinationHost.StartAsync(
            new CoordinationServerOptions { Port = 0, MaxConnectionsPerAddress = 1 }, cancellationToken: TestContext.Current.CancellationToken);
        using var reading = new Reading(host);
        var server = $"127.0.0.1:{host.Port}#{host.Pin}";
        await using var alice = await TestPeer.ConnectAsync(server, Tag);
        await Assert.ThrowsAnyAsync<Exception>(() => TestPeer.ConnectAsync(server, Tag));
        Assert.Equal(ServerMetrics.AddressLimit, await reading.NextRefusalAsync(TestContext.Current.CancellationToken));
    }

    /// <summary>One host's meter: others run beside it.</summary>
    private sealed class Reading : IDisposable
    {
        private readonly MeterListener _listener = new();
        private readonly Dictionary<string, long> _values = [];
        private readonly Channel<string> _refusals = Channel.CreateUnbounded<string>();

        public Reading(CoordinationHost host)
        {
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name == ServerMetrics.Name && instrument.Meter.Scope == host) listener.EnableMeasurementEvents(instrument);
            };
            _listener.SetMeasurementEventCallback<int>((instrument, value, _, _) => _values[instrument.Name] = value);
            _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
            {
                if (instrument.IsObservable) _values[instrument.Name] = value;
                else _refusals.Writer.TryWrite((string)tags[0].Value!);
            });
            _listener.Start();
        }

        public ValueTask<string> NextRefusalAsync(CancellationToken cancellationToken) => _refusals.Reader.ReadAsync(cancellationToken);

        public (long Rooms, long Members, long Connections, long Stun) Observe()
        {
            _listener.RecordObservableInstruments();
            return (
                _values["punchline.server.active_rooms"], _values["punchline.server.active_members"],
                _values["punchline.server.active_connections"], _values["punchline.server.stun.requests"]);
        }

        public void Dispose() => _listener.Dispose();
    }
}
