using System.Net.WebSockets;
using System.Text;
using Punchline;

// A WebSocket between two machines that know nothing but a room's name and its secret: no server, no address, no port opened by hand.
//
//     dotnet run --project samples/WebSocketEcho -- serve ROOM SECRET
//     dotnet run --project samples/WebSocketEcho -- say ROOM SECRET TEXT…
//
// Both find each other through the BitTorrent DHT; .NET's own WebSocket runs on a stream of the punched connection. PUNCHLINE_BOOTSTRAP names other nodes of the DHT to begin with.
const string Protocol = "websocket-echo/1";
const int BufferLength = 4_096;

if (args is not (["serve", _, _] or ["say", _, _, _, ..]))
{
    Console.Error.WriteLine("serve ROOM SECRET, or say ROOM SECRET TEXT…");
    return 2;
}

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    stop.Cancel();
};

try
{
    await using var node = await PeerNode.StartAsync(
        new PeerNodeOptions { DhtBootstrapHosts = Environment.GetEnvironmentVariable("PUNCHLINE_BOOTSTRAP")?.Split(' ') }, stop.Token);
    await using var room = await node.JoinRoomAsync(
        new RoomOptions { Room = args[1], Secret = args[2], DisplayName = args[0], UseDht = true, Protocols = [Protocol] }, stop.Token);
    Console.WriteLine($"In the room {args[1]} as {node.Id}.");
    if (args[0] == "serve") await ServeAsync(room, stop.Token);
    else await SayAsync(room, args[3..], stop.Token);
    return 0;
}
catch (OperationCanceledException) when (stop.IsCancellationRequested)
{
    return 0;
}
catch (PunchlineException exception)
{
    Console.Error.WriteLine(exception.Message);
    return 1;
}

static async Task ServeAsync(Room room, CancellationToken cancellationToken)
{
    while (true)
    {
        var connection = await room.AcceptConnectionAsync(cancellationToken);
        _ = ServePeerAsync(connection, cancellationToken);
    }
}

static async Task ServePeerAsync(PeerConnection connection, CancellationToken cancellationToken)
{
    Console.WriteLine($"{connection.Peer} is connected, at {connection.Path.Remote}.");
    try
    {
        while (true) _ = EchoAsync(await connection.AcceptStreamAsync(cancellationToken), cancellationToken);
    }
    catch (Exception exception) when (exception is PunchlineException or OperationCanceledException)
    {
        Console.WriteLine($"{connection.Peer} is gone: {exception.Message}");
    }
}

static async Task EchoAsync(PeerStream stream, CancellationToken cancellationToken)
{
    await using var _ = stream;
    using var socket = WebSocket.CreateFromStream(stream, new WebSocketCreationOptions { IsServer = true });
    var buffer = new byte[BufferLength];
    try
    {
        while (await socket.ReceiveAsync(buffer.AsMemory(), cancellationToken) is { MessageType: not WebSocketMessageType.Close } received)
            await socket.SendAsync(buffer.AsMemory(0, received.Count), received.MessageType, received.EndOfMessage, cancellationToken);
        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, cancellationToken);
    }
    catch (Exception exception) when (exception is WebSocketException or PunchlineException or OperationCanceledException)
    {
        // The other side is gone, or we are.
    }
}

static async Task SayAsync(Room room, string[] texts, CancellationToken cancellationToken)
{
    await using var connection = await FindServerAsync(room, cancellationToken);
    await using var stream = await connection.OpenStreamAsync(Protocol, cancellationToken: cancellationToken);
    using var socket = WebSocket.CreateFromStream(stream, new WebSocketCreationOptions { IsServer = false });
    var buffer = new byte[BufferLength];
    foreach (var text in texts)
    {
        await socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, endOfMessage: true, cancellationToken);
        var echo = new StringBuilder();
        ValueWebSocketReceiveResult received;
        do
        {
            received = await socket.ReceiveAsync(buffer.AsMemory(), cancellationToken);
            echo.Append(Encoding.UTF8.GetString(buffer, 0, received.Count));
        }
        while (!received.EndOfMessage);
        Console.WriteLine($"{connection.Path.Remote} says: {echo}");
    }
    await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, cancellationToken);
}

// Other clients are members, too.
static async Task<PeerConnection> FindServerAsync(Room room, CancellationToken cancellationToken)
{
    await foreach (var roomEvent in room.ReadEventsAsync(cancellationToken))
    {
        if (roomEvent is RoomEvent.DhtSearched searched) Console.WriteLine($"{searched.KnownNodes} nodes of the DHT, {searched.FoundAddresses} addresses under the topic.");
        if (roomEvent is RoomEvent.Failed failed) Console.WriteLine($"{failed.Detail} {failed.Advice}");
        if (roomEvent is RoomEvent.Connected { Name: "serve" } server) return await room.ConnectAsync(server.Peer, cancellationToken);
    }
    throw new OperationCanceledException("The room was left.");
}
