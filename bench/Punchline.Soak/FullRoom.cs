using System.Diagnostics;
using System.Globalization;
using System.Net;

namespace Punchline.Soak;

/// <summary>
/// A full room on loopback: 64 nodes in this process, the server in its own. Everybody has to hear everybody once, and the
/// next to come why there is no place.
/// </summary>
internal sealed class FullRoom(string tool, string state)
{
    private const int Members = 64;

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    /// <returns>The exit code.</returns>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Limit);
        using var server = StartServer();
        var nodes = new List<PeerNode>();
        try
        {
            var address = await ReadAddressAsync(server, limit.Token);
            var clock = Stopwatch.StartNew();
            var rooms = new List<Room>();
            for (var i = 0; i < Members; i++) rooms.Add(await JoinAsync(nodes, address, limit.Token));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Members} joined in {clock.Elapsed.TotalSeconds:0.0} s."));
            await foreach (var done in Task.WhenEach(rooms.Select((room, i) => ListenAsync(room, i, limit.Token))).WithCancellation(limit.Token)) await done;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Everybody had heard everybody once, and knew that all had heard it, after {clock.Elapsed.TotalSeconds:0.0} s."));
            try
            {
                await JoinAsync(nodes, address, limit.Token);
                Console.WriteLine("One more was let in.");
                return 1;
            }
            catch (PunchlineException exception) when (exception.Error == PunchlineError.ServerRefused)
            {
                Console.WriteLine($"One more: {exception.Message}");
                return 0;
            }
        }
        finally
        {
            await Task.WhenAll(nodes.Select(node => node.DisposeAsync().AsTask()));
            server.Kill();
            await server.WaitForExitAsync(CancellationToken.None);
        }
    }

    private Process StartServer()
    {
        var start = new ProcessStartInfo(tool, ["serve", "0", "--listen", "127.0.0.1", "--state", state]) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        var server = Process.Start(start)!;
        server.ErrorDataReceived += (_, _) => { };
        server.BeginErrorReadLine(); // or it would stop at a full pipe
        return server;
    }

    private static async Task<string> ReadAddressAsync(Process server, CancellationToken cancellationToken)
    {
        const string Mark = "--server ";
        while (await server.StandardOutput.ReadLineAsync(cancellationToken) is { } line)
        {
            if (line.IndexOf(Mark, StringComparison.Ordinal) is >= 0 and var at) return line[(at + Mark.Length)..].Split(' ')[0];
        }
        throw new InvalidOperationException("The server did not start.");
    }

    // Each is a host of its own, as what goes to one address is limited. The state directory keeps the room's key, which is derived once.
    private async Task<Room> JoinAsync(List<PeerNode> nodes, string server, CancellationToken cancellationToken)
    {
        var number = nodes.Count;
        nodes.Add(await PeerNode.StartAsync(
            new PeerNodeOptions { StateDirectory = state, LocalEndPoint = new IPEndPoint(new IPAddress([127, 0, 1, (byte)(number + 1)]), 0) }, cancellationToken));
        return await nodes[^1].JoinRoomAsync(
            new RoomOptions { Room = "full", Secret = "a secret of the full room", DisplayName = $"{number}", Server = server }, cancellationToken);
    }

    private static async Task ListenAsync(Room room, int number, CancellationToken cancellationToken)
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
                    if (!heard.Add(message.Text)) throw new InvalidOperationException($"{number} heard {message.Text} twice.");
                    break;
                case RoomEvent.Failed or RoomEvent.Left:
                    throw new InvalidOperationException($"{number} was told {told}.");
            }
            if (heard.Count == Members - 1 && connected.Count == Members - 1) break;
        }
        await room.WaitForDeliveryAsync(cancellationToken);
    }
}
