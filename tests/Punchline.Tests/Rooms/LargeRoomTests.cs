using System.Net;
using Punchline.Tests.Harness;

namespace Punchline.Tests.Rooms;

/// <summary>Not beside other tests, of which some measure what this process holds.</summary>
[CollectionDefinition(nameof(LargeRoomTests), DisableParallelization = true)]
public sealed class LargeRoomCollection;

/// <summary>
/// A large room with real sockets: nodes in this process, each with threads and a connection to the server of its own. A full
/// one is the simulation's, and <c>bench/Punchline.Soak -- --full-room</c>: on a busy machine its handshakes take longer than they may.
/// </summary>
[Collection(nameof(LargeRoomTests))]
public sealed class LargeRoomTests : IDisposable
{
    private const int Members = 24;

    private readonly string _state = Directory.CreateTempSubdirectory("punchline-large-room-").FullName;

    public void Dispose() => Directory.Delete(_state, recursive: true);

    [Fact]
    public async Task Twenty_four_meet_and_everybody_hears_everybody_once()
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(60));
        await using var server = await LocalServer.StartAsync(limit.Token);
        var nodes = new List<PeerNode>();
        try
        {
            var rooms = new List<Room>();
            for (var i = 0; i < Members; i++)
            {
                nodes.Add(await StartAsync(i, limit.Token));
                rooms.Add(await JoinAsync(nodes[i], i, server, limit.Token));
            }
            var listening = rooms.Select((room, i) => ListenAsync(room, i, limit.Token)).ToList();
            // The first that fails says why.
            await foreach (var done in Task.WhenEach(listening).WithCancellation(limit.Token)) Assert.Equal(Members - 1, await done);
        }
        finally
        {
            await Task.WhenAll(nodes.Select(node => node.DisposeAsync().AsTask()));
        }
    }

    // Each is a host of its own, as what goes to one address is limited; a Mac has 127.0.0.1 only. Their state directory keeps the
    // room's key, which is derived once and not 24 times.
    private ValueTask<PeerNode> StartAsync(int number, CancellationToken cancellationToken) => PeerNode.StartAsync(
        new PeerNodeOptions
        {
            StateDirectory = _state,
            LocalEndPoint = OperatingSystem.IsMacOS() ? null : new IPEndPoint(new IPAddress([127, 0, 1, (byte)(number + 1)]), 0),
        },
        cancellationToken);

    private static async Task<Room> JoinAsync(PeerNode node, int number, LocalServer server, CancellationToken cancellationToken) => await node.JoinRoomAsync(
        new RoomOptions { Room = "large", Secret = "a secret of tests", DisplayName = $"{number}", Server = server.Address, LocalDiscovery = false }, cancellationToken);

    // Says its number once all are there, and listens until all have; a second time would be one too many.
    private static async Task<int> ListenAsync(Room room, int number, CancellationToken cancellationToken)
    {
        var (connected, heard) = (new HashSet<PeerId>(), new HashSet<string>(StringComparer.Ordinal));
        await foreach (var told in room.ReadEventsAsync(cancellationToken))
        {
            switch (told)
            {
                case RoomEvent.Connected of:
                    if (connected.Add(of.Peer) && connected.Count == Members - 1) await room.SendAsync($"{number}", cancellationToken);
                    break;
                case RoomEvent.Message message:
                    Assert.Equal(message.Name, message.Text);
                    Assert.True(heard.Add(message.Text), $"{number} heard {message.Text} twice.");
                    break;
                // On a busy machine two handshakes may cross, and the second replaces the first.
                case RoomEvent.Failed or RoomEvent.Left:
                    Assert.Fail($"{number} was told {told}.");
                    break;
            }
            if (heard.Count == Members - 1 && connected.Count == Members - 1) break;
        }
        await room.WaitForDeliveryAsync(cancellationToken);
        return heard.Count;
    }
}
