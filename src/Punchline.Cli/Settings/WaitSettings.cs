namespace Punchline.Cli.Settings;

/// <summary>How to wait for calls, from what was typed and what the environment says.</summary>
internal sealed record WaitSettings
{
    public required MeetingSettings Meeting { get; init; }

    /// <summary>Whose calls are taken without asking.</summary>
    public required IReadOnlySet<PeerId> AcceptedPeers { get; init; }

    /// <summary>Everybody's are.</summary>
    public required bool AcceptsAnyone { get; init; }

    /// <summary>Nobody is asked about the others.</summary>
    public required bool RefusesOthers { get; init; }

    public bool Accepts(PeerId peer) => AcceptsAnyone || AcceptedPeers.Contains(peer);

    /// <summary>What others have to type to call.</summary>
    public string CallLine(PeerId self) => $"punchline call {self} --server {ShellWord.Quote(Meeting.KnownServer)}";
}
