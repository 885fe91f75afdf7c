namespace Punchline.Protocols.Coordination;

/// <summary>What a <see cref="CoordinationServer"/> holds at most before it answers <see cref="CoordinationErrorCode.ServerFull"/>.</summary>
internal sealed record CoordinationCapacity
{
    public int MaxConnections { get; init; } = CoordinationLimits.MaxConnections;

    public int MaxRooms { get; init; } = CoordinationLimits.MaxRooms;

    public int MaxMembers { get; init; } = CoordinationLimits.MaxMembers;
}
