namespace Punchline.Cli.Settings;

/// <summary>How to show rooms and calls in a browser, from what was typed and what the environment says.</summary>
internal sealed record WebSettings
{
    public const int DefaultPort = 8000;

    /// <summary>Its server and name are what the page proposes.</summary>
    public required MeetingSettings Meeting { get; init; }

    /// <summary>On 127.0.0.1; 0: any that is free.</summary>
    public required int Port { get; init; }

    public required bool OpensNoBrowser { get; init; }
}
