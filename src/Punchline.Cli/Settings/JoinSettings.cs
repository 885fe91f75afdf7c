namespace Punchline.Cli.Settings;

/// <summary>How to join a room, from what was typed and what the environment says.</summary>
internal sealed record JoinSettings
{
    public required string Room { get; init; }

    /// <summary>The room's name was made just now, and others have to be told.</summary>
    public required bool IsRoomInvented { get; init; }

    public required RoomSecret Secret { get; init; }

    /// <summary><c>HOST[:PORT][#PIN]</c>, and valid.</summary>
    public required string Server { get; init; }

    public required bool TrustsFirst { get; init; }

    public required string Name { get; init; }

    /// <summary>Null: nothing is kept.</summary>
    public required string? StateDirectory { get; init; }

    /// <summary>Null: everybody.</summary>
    public required IReadOnlyCollection<PeerId>? AllowedPeers { get; init; }

    public required bool HidesHostCandidates { get; init; }

    public required bool MapsNoPort { get; init; }

    /// <summary>Null: UDP's number, or any.</summary>
    public required int? TcpPort { get; init; }

    /// <summary>Null: no qlog files are written.</summary>
    public required string? QlogDirectory { get; init; }

    /// <summary>Somebody types, at a prompt.</summary>
    public required bool IsInteractive { get; init; }

    public required bool Stays { get; init; }

    /// <summary>No full screen.</summary>
    public required bool HasLines { get; init; }

    public required bool IsJson { get; init; }

    /// <summary>What others have to type to be in the same room.</summary>
    public string InvitationLine =>
        $"punchline join {ShellWord.Quote(Room)} --server {ShellWord.Quote(Server)}{(Secret.Text.Length > 0 ? $" --secret {ShellWord.Quote(Secret.Text)}" : "")}";
}
