using Punchline.Tests.Harness;

namespace Punchline.Tests.Rooms;

/// <summary>A full room with real sockets: 64 nodes in this process, each with threads and a connection to the server of its own.</summary>
public sealed class FullRoomTests : IDisposable
{
    private const int Members = 64;

    private readonly string _state = Directory.CreateTempSubdirectory("punchline-full-room-").FullName;

    public void Dispose() => Directory.Delete(_state, recursive: true);

    [Fact]
    public async Task Sixty_four_meet_everybody_hears_everybody_once_and_the_next_one_is_told_why_not()
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
                // Its state directory keeps the room's key, which is derived once and not 64 times.
                nodes.Add(await PeerNode.StartAsync(new PeerNodeOptions { StateDirectory = _state }, limit.Token));
                rooms.Add(await JoinAsync(nodes[i], i, server, limit.Token));
            }
            var listening = rooms.Select((room, i) => ListenAsync(room, i, limit.Token)).ToList();
            foreach (var heard in await Task.WhenAll(listening)) Assert.Equal(Members - 1, heard);

            nodes.Add(await PeerNode.StartAsync(new PeerNodeOptions { StateDirectory = _state }, limit.Token));
            var refused = await Assert.ThrowsAsync<PunchlineException>(() => JoinAsync(nodes[^1], Members, server, limit.Token));
            Assert.Equal((PunchlineError.ServerRefused, "The server refused: The room is full. (room-full)"), (refused.Error, refused.Message));
        }
        finally
        {
            await Task.WhenAll(nodes.Select(node => node.DisposeAsync().AsTask()));
        }
    }

    private static async Task<Room> JoinAsync(PeerNode node, int number, LocalServer server, CancellationToken cancellationToken) => await node.JoinRoomAsync(
        new RoomOptions { Room = "full", Secret = "a secret of tests", DisplayName = $"{number}", Server = server.Address }, cancellationToken);

    // Says its number once all are there, and listens until all have; a second time would be one too many.
    private static async Task<int> ListenAsync(Room room, int number, CancellationToken cancellationToken)
    {
        var (connected, heard) = (0, new HashSet<string>(StringComparer.Ordinal));
        await foreach (var told in room.ReadEventsAsync(cancellationToken))
        {
            switch (told)
            {
                case RoomEvent.Connected:
                    if (++connected == Members - 1) await room.SendAsync($"{number}", cancellationToken);
                    break;
                case RoomEvent.Message message:
                    Assert.Equal(message.Name, message.Text);
                    Assert.True(heard.Add(message.Text), $"{number} heard {message.Text} twice.");
                    break;
                case RoomEvent.Disconnected or RoomEvent.Failed or RoomEvent.Left:
                    Assert.Fail($"{number} was told {told}.");
                    break;
            }
            if (heard.Count == Members - 1 && connected == Members - 1) break;
        }
        await room.WaitForDeliveryAsync(cancellationToken);
        return heard.Count;
    }
}
