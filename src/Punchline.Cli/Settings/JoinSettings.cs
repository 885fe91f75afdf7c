namespace Punchline.Cli.Settings;

/// <summary>How to join a room, from what was typed and what the environment says.</summary>
internal sealed record JoinSettings
{
    public required string Room { get; init; }

    /// <summary>The room's name was made just now, and others have to be told.</summary>
    public required bool IsRoomInvented { get; init; }

    public required RoomSecret Secret { get; init; }

    /// <summary><c>HOST[:PORT][#PIN]</c>, and valid; null: the DHT takes its place.</summary>
    public required string? Server { get; init; }

    /// <summary>Nodes of the DHT to begin with; null: the usual ones.</summary>
    public required IReadOnlyCollection<string>? Bootstraps { get; init; }

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

    public required bool IsJson { get; init; }

    /// <summary>What others have to type to be in the same room.</summary>
    public string InvitationLine =>
        $"punchline join {ShellWord.Quote(Room)} {Rendezvous}{(Secret.Text.Length > 0 ? $" --secret {ShellWord.Quote(Secret.Text)}" : "")}";

    private string Rendezvous => Server is { } server
        ? $"--server {ShellWord.Quote(server)}"
        : $"--dht{string.Concat((Bootstraps ?? []).Select(host => $" --bootstrap {ShellWord.Quote(host)}"))}{(Secret.Text.Length == 0 || Secret.IsWeak ? " --open" : "")}";
}
