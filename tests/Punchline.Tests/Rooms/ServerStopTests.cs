using Punchline.Tests.Harness;

namespace Punchline.Tests.Rooms;

public sealed class ServerStopTests
{
    [Fact]
    public async Task A_server_that_stops_is_lost_and_found_again_and_nobody_left_meanwhile()
    {
        var cancellation = TestContext.Current.CancellationToken;
        var directory = Directory.CreateTempSubdirectory("punchline-");
        try
        {
            var first = await LocalServer.StartAsync(cancellation, stateDirectory: directory.FullName);
            await using var alice = await Guest.JoinAsync(first, "alice", cancellation);
            await using var bob = await Guest.JoinAsync(first, "bob", cancellation);
            await alice.NextAsync<RoomEvent.Connected>();
            await bob.NextAsync<RoomEvent.Connected>();

            await first.DisposeAsync();
            AssertStates([ServerState.Lost], await alice.ReadUntilAsync<RoomEvent.ServerChanged>());
            AssertStates([ServerState.Lost], await bob.ReadUntilAsync<RoomEvent.ServerChanged>());

            await using var second = await LocalServer.StartAsync(cancellation, first.Port, directory.FullName);
            AssertStates([ServerState.Connected], await alice.ReadUntilAsync<RoomEvent.ServerChanged>());
            AssertStates([ServerState.Connected], await bob.ReadUntilAsync<RoomEvent.ServerChanged>());

            await alice.Room.SendAsync("as if nothing had been", cancellation);
            var events = await bob.ReadUntilAsync<RoomEvent.Message>();
            Assert.Equal("as if nothing had been", Assert.IsType<RoomEvent.Message>(events[^1]).Text);
            AssertStates([], events);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    // Paths and round trips may be news at any time.
    private static void AssertStates(ServerState[] expected, List<RoomEvent> events)
    {
        Assert.Equal(expected, events.OfType<RoomEvent.ServerChanged>().Select(changed => changed.State));
        Assert.DoesNotContain(events, one => one is RoomEvent.Left or RoomEvent.Disconnected or RoomEvent.Joined or RoomEvent.Connected);
    }
}
