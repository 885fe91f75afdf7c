using Punchline.Cli.Settings;

namespace Punchline.Cli.Web;

/// <summary>Where a page wants to meet others, as the settings have it.</summary>
/// <param name="Server">Null: the DHT, or this network alone.</param>
/// <param name="UsesDht">The BitTorrent DHT.</param>
internal readonly record struct WebPlace(string? Server, bool UsesDht)
{
    /// <summary>The page's words for the three.</summary>
    private const string AtServer = "server";
    private const string InDht = "dht";
    private const string OnLan = "lan";

    /// <summary>Not beyond this machine's own networks.</summary>
    public bool IsLan => Server is null && !UsesDht;

    /// <exception cref="UsageException">There is no such place, or no such server.</exception>
    public static WebPlace Read(string place, string server) => place switch
    {
        AtServer => new(MeetingOptions.CheckServer(server.Trim()), false),
        InDht => new(null, true),
        OnLan => new(null, false),
        _ => throw new UsageException("Nobody can be met there."),
    };

    /// <summary>For calls, which need somebody who introduces the two.</summary>
    /// <inheritdoc cref="Read"/>
    public static WebPlace ReadForCalls(string place, string server) =>
        Read(place, server) is { IsLan: false } read ? read : throw new UsageException("Calls need a server, or the DHT. On this network alone there are rooms.");

    /// <summary>What the page proposes.</summary>
    public static string Propose(MeetingSettings settings) => settings.UsesDht ? InDht : AtServer;

    /// <summary>What others type to meet there; empty: nothing.</summary>
    public string OptionsOf(MeetingSettings settings) => IsLan ? "" : MeetingSettings.PlaceOptionFor(Server, settings.Bootstraps);
}
