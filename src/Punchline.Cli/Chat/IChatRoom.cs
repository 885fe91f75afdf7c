namespace Punchline.Cli.Chat;

/// <summary>What a chat needs of a <see cref="Room"/>.</summary>
internal interface IChatRoom
{
    IAsyncEnumerable<RoomEvent> ReadEventsAsync();

    ValueTask SendAsync(string text, CancellationToken cancellationToken);

    ValueTask WaitForDeliveryAsync(CancellationToken cancellationToken);

    ValueTask LeaveAsync();
}

/// <summary>The room that others are in.</summary>
internal sealed class JoinedRoom(Room room) : IChatRoom
{
    public IAsyncEnumerable<RoomEvent> ReadEventsAsync() => room.ReadEventsAsync(CancellationToken.None);

    public async ValueTask SendAsync(string text, CancellationToken cancellationToken) => await room.SendAsync(text, cancellationToken);

    public ValueTask WaitForDeliveryAsync(CancellationToken cancellationToken) => room.WaitForDeliveryAsync(cancellationToken);

    public ValueTask LeaveAsync() => room.LeaveAsync(CancellationToken.None);
}
