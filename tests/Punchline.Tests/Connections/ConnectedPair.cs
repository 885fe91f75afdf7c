using Punchline.Tests.Harness;

namespace Punchline.Tests.Connections;

/// <summary>Two nodes in a room on loopback, and both ends of their connection; shared by the tests of a class, each with streams of its own.</summary>
public sealed class ConnectedPair : IAsyncLifetime
{
    /// <summary>A protocol that both take.</summary>
    public const string Protocol = "test/1";

    /// <summary>More than both sides buffer of a stream that nobody reads: 1 MiB and 1 MiB at first, and some of what they grow to.</summary>
    public const int MoreThanFits = 64 << 20;

    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private LocalServer? _server;
    private PeerNode? _aliceNode;
    private PeerNode? _bobNode;

    public PeerConnection Alice { get; private set; } = null!;

    public PeerConnection Bob { get; private set; } = null!;

    public Room AliceRoom { get; private set; } = null!;

    public Room BobRoom { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        _server = await LocalServer.StartAsync(patience.Token);
        (_aliceNode, AliceRoom) = await JoinAsync("alice", patience.Token);
        (_bobNode, BobRoom) = await JoinAsync("bob", patience.Token);
        Alice = await AliceRoom.AcceptConnectionAsync(patience.Token);
        Bob = await BobRoom.ConnectAsync(_aliceNode.Id, patience.Token);
    }

    /// <summary>A stream that alice opened, at both ends.</summary>
    public async Task<(PeerStream Alice, PeerStream Bob)> OpenAsync(
        CancellationToken cancellationToken, PeerStreamDirection direction = PeerStreamDirection.Bidirectional)
    {
        var alice = await Alice.OpenStreamAsync(Protocol, direction, cancellationToken);
        return (alice, await Bob.AcceptStreamAsync(cancellationToken).AsTask().WaitAsync(Patience, cancellationToken));
    }

    /// <summary>As of many bytes, of which a failure need not show all.</summary>
    public static void AssertSame(byte[] expected, byte[] actual) => Assert.True(expected.AsSpan().SequenceEqual(actual), $"{actual.Length} bytes are not the {expected.Length} that were sent.");

    public async ValueTask DisposeAsync()
    {
        if (_aliceNode is not null) await _aliceNode.DisposeAsync();
        if (_bobNode is not null) await _bobNode.DisposeAsync();
        if (_server is not null) await _server.DisposeAsync();
    }

    private async Task<(PeerNode Node, Room Room)> JoinAsync(string name, CancellationToken cancellationToken)
    {
        var node = await PeerNode.StartAsync(new PeerNodeOptions(), cancellationToken);
        var room = await node.JoinRoomAsync(
            new RoomOptions { Room = "room", Secret = "a secret of tests", DisplayName = name, Server = _server!.Address, Protocols = [Protocol] }, cancellationToken);
        return (node, room);
    }
}
