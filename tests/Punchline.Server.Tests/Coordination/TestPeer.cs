using System.Diagnostics;
using Punchline.Engine;
using Punchline.Protocols.Coordination;
using Punchline.Protocols.Noise;
using Punchline.Protocols.Primitives;
using Punchline.Sockets;

namespace Punchline.Server.Tests.Coordination;

/// <summary>The real channel and the real client core, driven by whoever asks for the next event.</summary>
internal sealed class TestPeer : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly long _started = Stopwatch.GetTimestamp();
    private readonly CoordinationClient _client;

    private TestPeer(CoordinationChannel channel, P256KeyPair key, ReadOnlySpan<byte> tag)
    {
        Channel = channel;
        Id = key.DeriveId();
        _client = new CoordinationClient(
            key, InstanceId.Generate(SystemRandomSource.Instance), channel.Host, tag, channel.CertificateKeyHash.Span, Now);
    }

    public CoordinationChannel Channel { get; }

    public PeerId Id { get; }

    private Timestamp Now => new(Stopwatch.GetElapsedTime(_started).Ticks);

    public static async Task<TestPeer> ConnectAsync(string server, byte[] tag, IKnownServers? knownServers = null)
    {
        Assert.True(ServerAddress.TryParse(server, out var address, out _));
        var channel = await CoordinationChannel.ConnectAsync(
            address, CoordinationUrl.PathOf(tag), knownServers ?? new NoKnownServers(), trustFirst: false, new Nat64(), TestContext.Current.CancellationToken);
        return new TestPeer(channel, P256KeyPair.Generate(SystemRandomSource.Instance), tag);
    }

    public static async Task<TestPeer> JoinAsync(string server, byte[] tag)
    {
        var peer = await ConnectAsync(server, tag);
        await peer.NextAsync<CoordinationClientEvent.Challenged>();
        await peer.ProvideBlobAsync(1, "sealed"u8.ToArray());
        return peer;
    }

    public Task ProvideBlobAsync(uint generation, byte[] blob)
    {
        _client.ProvideBlob(generation, blob, Now);
        return SendAllAsync();
    }

    public Task LeaveAsync()
    {
        _client.Leave(Now);
        return SendAllAsync();
    }

    /// <summary>The next event, which has to be a <typeparamref name="TEvent"/>.</summary>
    public async Task<TEvent> NextAsync<TEvent>()
        where TEvent : CoordinationClientEvent
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Patience);
        while (true)
        {
            if (_client.TryDequeueEvent(out var clientEvent)) return Assert.IsType<TEvent>(clientEvent);
            var utf8 = await Channel.ReceiveAsync(limit.Token);
            Assert.True(utf8.HasValue, "The connection closed.");
            _client.HandleMessage(utf8.Value.Span, Now);
            await SendAllAsync();
        }
    }

    public ValueTask DisposeAsync() => Channel.DisposeAsync();

    private async Task SendAllAsync()
    {
        while (_client.TryDequeueMessage(out var utf8)) await Channel.SendAsync(utf8, TestContext.Current.CancellationToken);
    }
}

internal sealed class NoKnownServers : IKnownServers
{
    public KnownServer? Find(string authority) => null;

    public void Remember(KnownServer server)
    {
    }
}
