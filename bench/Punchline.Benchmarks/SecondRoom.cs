using System.Globalization;

namespace Punchline.Benchmarks;

/// <summary>
/// Two running peers, connected in one room already, open a second one again and again: how long from learning of the other there until the
/// handshake's end? A program of the library: run it as <c>second-room wait SERVER</c> in one network, then as
/// <c>second-room open SERVER</c> in another.
/// </summary>
internal static class SecondRoom
{
    private const int Rounds = 20;
    private const string Meeting = "second-room";
    private const string Secret = "not-a-secret-of-consequence";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public static async Task<int> RunAsync(string[] arguments)
    {
        if (arguments is not ["wait" or "open", var server])
        {
            await Console.Error.WriteLineAsync("Usage: second-room wait|open HOST:PORT#PIN, first wait, then open.");
            return 2;
        }
        var opens = arguments[0] == "open";
        await using var node = await PeerNode.StartAsync(new PeerNodeOptions());
        await using var first = await JoinAsync(node, server, Meeting);
        await using var events = first.ReadEventsAsync().GetAsyncEnumerator();
        var connected = await NextAsync<RoomEvent.Connected>(events);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"first room: {connected.Elapsed.TotalMilliseconds:F1} ms, round trip {connected.RoundTrip.TotalMilliseconds:F1} ms, {connected.Path.Remote}"));

        var elapsed = new List<double>();
        for (var round = 0; round < Rounds; round++)
        {
            // Who waits is in the room when the other comes, as in life; so is, in every other round, who opens.
            var isFirst = opens == (round % 2 == 0);
            if (!isFirst) await NextAsync<RoomEvent.Message>(events);
            await using var room = await JoinAsync(node, server, $"{Meeting}-{round}");
            if (isFirst) await first.SendAsync("come");
            await using var roomEvents = room.ReadEventsAsync().GetAsyncEnumerator();
            elapsed.Add((await NextAsync<RoomEvent.Connected>(roomEvents)).Elapsed.TotalMilliseconds);
            // Nobody leaves before both have it.
            await first.SendAsync("done");
            await NextAsync<RoomEvent.Message>(events);
        }
        elapsed.Sort();
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"second room, {Rounds} times: median {Median(elapsed):F1} ms, from {elapsed[0]:F1} to {elapsed[^1]:F1} ms"));
        await first.WaitForDeliveryAsync();
        return 0;
    }

    internal static double Median(List<double> sorted) => (sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2;

    private static ValueTask<Room> JoinAsync(PeerNode node, string server, string room) =>
        node.JoinRoomAsync(new RoomOptions { Server = server, Room = room, Secret = Secret, DisplayName = "bench", TrustFirst = true });

    private static async Task<T> NextAsync<T>(IAsyncEnumerator<RoomEvent> events)
        where T : RoomEvent
    {
        while (await events.MoveNextAsync().AsTask().WaitAsync(Patience))
        {
            if (events.Current is T wanted) return wanted;
            if (events.Current is RoomEvent.Failed failed) throw new InvalidOperationException($"{failed.Cause}: {failed.Detail}");
        }
        throw new InvalidOperationException("The room ended.");
    }
}
