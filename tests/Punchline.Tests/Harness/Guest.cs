using System.Net;

namespace Punchline.Tests.Harness;

/// <summary>A node in a room, whose events a test asks for one by one.</summary>
internal sealed class Guest : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly IAsyncEnumerator<RoomEvent> _events;
    private readonly CancellationTokenSource _cancellation;

    private Guest(PeerNode node, Room room, CancellationToken cancellationToken)
    {
        Node = node;
        Room = room;
        _cancellation = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _events = room.ReadEventsAsync(_cancellation.Token).GetAsyncEnumerator(_cancellation.Token);
    }

    public PeerNode Node { get; }

    public Room Room { get; }

    // Without multicast DNS, by which guests of other tests with the same room and secret would come in.
    public static async Task<Guest> JoinAsync(
        LocalServer server, string name, CancellationToken cancellationToken, IReadOnlyCollection<PeerId>? allowedPeers = null, string? qlogDirectory = null, IPEndPoint? local = null)
    {
        var node = await PeerNode.StartAsync(new PeerNodeOptions { LocalEndPoint = local, QlogDirectory = qlogDirectory, DisableMulticastDns = true }, cancellationToken);
        var room = await node.JoinRoomAsync(
            new RoomOptions { Room = "room", Secret = "a secret of tests", DisplayName = name, Server = server.Address, AllowedPeers = allowedPeers }, cancellationToken);
        var guest = new Guest(node, room, cancellationToken);
        Assert.Equal(ServerState.Connected, (await guest.NextAsync<RoomEvent.ServerChanged>()).State);
        return guest;
    }

    /// <summary>The next event of this kind; others before it are passed over.</summary>
    public async Task<T> NextAsync<T>()
        where T : RoomEvent
    {
        _cancellation.CancelAfter(Patience);
        while (await _events.MoveNextAsync())
        {
            if (_events.Current is T wanted) return wanted;
        }
        throw new InvalidOperationException($"The room ended before a {typeof(T).Name} came.");
    }

    /// <summary>All events up to the next of this kind, which is the last of them.</summary>
    public async Task<List<RoomEvent>> ReadUntilAsync<T>()
        where T : RoomEvent
    {
        _cancellation.CancelAfter(Patience);
        var events = new List<RoomEvent>();
        while (await _events.MoveNextAsync())
        {
            events.Add(_events.Current);
            if (_events.Current is T) return events;
        }
        throw new InvalidOperationException($"The room ended before a {typeof(T).Name} came.");
    }

    public async ValueTask DisposeAsync()
    {
        await Node.DisposeAsync();
        await _events.DisposeAsync();
        _cancellation.Dispose();
    }
}
