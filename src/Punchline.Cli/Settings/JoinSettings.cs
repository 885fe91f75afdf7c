namespace Punchline.Cli.Settings;

/// <summary>How to join a room, from what was typed and what the environment says.</summary>
internal sealed record JoinSettings
{
    public required string Room { get; init; }

    /// <summary>The room's name was made just now, and others have to be told.</summary>
    public required bool IsRoomInvented { get; init; }

    public required RoomSecret Secret { get; init; }

    /// <summary><c>HOST[:PORT][#PIN]</c>, and valid; null: the DHT takes its place, or this network alone.</summary>
    public required string? Server { get; init; }

    public required bool UsesDht { get; init; }

    /// <summary>Nodes of the DHT to begin with; null: the usual ones.</summary>
    public required IReadOnlyCollection<string>? Bootstraps { get; init; }

    public required bool TrustsFirst { get; init; }

    public required string Name { get; init; }

    /// <summary>Null: nothing is kept.</summary>
    public required string? StateDirectory { get; init; }

    /// <summary>Null: everybody.</summary>
    public required IReadOnlyCollection<PeerId>? AllowedPeers { get; init; }

    /// <summary>What is said is not kept.</summary>
    public required bool HasNoHistory { get; init; }

    public required bool HidesHostCandidates { get; init; }

    public required bool MapsNoPort { get; init; }

    public required bool HasNoMdns { get; init; }

    /// <summary>
    /// Its members find each other on their own network. Whoever is there can try out secrets that can be guessed, and a room without one has nothing to tell its members by.
    /// </summary>
    public bool IsFoundLocally => !HasNoMdns && !HidesHostCandidates && Secret.IsHardToGuess;

    /// <summary>Null: any.</summary>
    public required int? UdpPort { get; init; }

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
    public string InvitationLine => InvitationTo(Room, Rendezvous, Secret);

    /// <inheritdoc cref="InvitationLine"/>
    /// <param name="room">Its name.</param>
    /// <param name="rendezvous">The options that say where one meets.</param>
    /// <param name="secret">The room's.</param>
    public static string InvitationTo(string room, string rendezvous, RoomSecret secret) =>
        $"punchline join {ShellWord.Quote(room)}{(rendezvous.Length > 0 ? " " : "")}{rendezvous}{(secret.Text.Length > 0 ? $" --secret {ShellWord.Quote(secret.Text)}" : "")}";

    private string Rendezvous => Server is null && !UsesDht ? ""
        : $"{MeetingSettings.PlaceOptionFor(Server, Bootstraps)}{(Server is null && (Secret.Text.Length == 0 || Secret.IsWeak) ? " --open" : "")}";
}
