using Punchline.Cli.Session;

namespace Punchline.Cli.Chat;

/// <summary>What a chat needs of a <see cref="Room"/>.</summary>
internal interface IChatRoom
{
    IAsyncEnumerable<RoomEvent> ReadEventsAsync();

    /// <returns>The message's number, which <see cref="RoomEvent.Delivered"/> names.</returns>
    ValueTask<ulong> SendAsync(string text, CancellationToken cancellationToken);

    ValueTask WaitForDeliveryAsync(CancellationToken cancellationToken);

    ValueTask LeaveAsync();

    /// <summary>What the connections that stand now have counted.</summary>
    IEnumerable<ConnectionMeasurement> Measure();
}

/// <summary>The room that others are in.</summary>
internal sealed class JoinedRoom(Room room) : IChatRoom
{
    public IAsyncEnumerable<RoomEvent> ReadEventsAsync() => room.ReadEventsAsync(CancellationToken.None);

    public ValueTask<ulong> SendAsync(string text, CancellationToken cancellationToken) => room.SendAsync(text, cancellationToken);

    public ValueTask WaitForDeliveryAsync(CancellationToken cancellationToken) => room.WaitForDeliveryAsync(cancellationToken);

    public ValueTask LeaveAsync() => room.LeaveAsync(CancellationToken.None);

    public IEnumerable<ConnectionMeasurement> Measure() => room.GetConnections().Select(connection => new ConnectionMeasurement(connection.Peer, connection, connection.GetStatistics()));
}
