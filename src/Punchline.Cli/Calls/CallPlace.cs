using Punchline.Cli.Settings;

namespace Punchline.Cli.Calls;

/// <summary>Where peers are called, and as whom.</summary>
/// <param name="Server"><c>HOST[:PORT][#PIN]</c>; null: the DHT takes its place, or there is no place for calls.</param>
/// <param name="UsesDht">They are found in the DHT.</param>
/// <param name="Bootstraps">Its nodes to begin with; null: the usual ones.</param>
/// <param name="Name">What they see.</param>
/// <param name="TrustsFirst">A server's key is taken at first use.</param>
internal sealed record CallPlace(string? Server, bool UsesDht, IReadOnlyCollection<string>? Bootstraps, string Name, bool TrustsFirst)
{
    public static CallPlace Of(MeetingSettings settings) => new(settings.Server, settings.UsesDht, settings.Bootstraps, settings.Name, settings.TrustsFirst);

    public static CallPlace Of(JoinSettings settings) => new(settings.Server, settings.UsesDht, settings.Bootstraps, settings.Name, settings.TrustsFirst);

    public bool HasCalls => Server is not null || UsesDht;

    public CallOptions To(PeerId peer) => new() { Peer = peer, DisplayName = Name, Server = Server, UseDht = UsesDht, TrustFirst = TrustsFirst };

    /// <summary>Why a call came to nothing, and what would help.</summary>
    public CallProblem? ProblemOf(PunchlineException exception) =>
        CallProblem.Of(exception, $"{MeetingSettings.PlaceOptionFor(Server, Bootstraps)}{(UsesDht ? " --reachable" : "")}");
}
