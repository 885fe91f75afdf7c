using System.CommandLine;

namespace Punchline.Cli.Settings;

/// <summary>The options that <c>join</c> has for waiting for calls.</summary>
internal sealed class WaitArguments
{
    private const string Anyone = "anyone";

    private readonly Option<bool> _wait = SettingCatalogue.Wait.ToFlag();
    private readonly Option<bool> _reachable = SettingCatalogue.Reachable.ToFlag();
    private readonly Option<string[]> _accept = SettingCatalogue.Accept.ToListOption();
    private readonly Option<bool> _refuseOthers = SettingCatalogue.RefuseOthers.ToFlag();

    public IEnumerable<Option> Options => [_wait, _reachable, _accept, _refuseOthers];

    /// <summary>Null: a room is meant.</summary>
    /// <param name="parsed">What was typed.</param>
    /// <param name="environment">Variables, and the file behind them.</param>
    /// <param name="typedForRooms">What was typed that only rooms have.</param>
    /// <param name="readMeeting">The other settings.</param>
    /// <exception cref="UsageException">Something does not fit.</exception>
    public WaitSettings? Read(ParseResult parsed, Func<string, string?> environment, string? typedForRooms, Func<MeetingSettings> readMeeting)
    {
        if (!Setting.ReadFlag(parsed, _wait, environment))
        {
            return parsed.GetResult(_accept) is null && parsed.GetResult(_refuseOthers) is not { Implicit: false } && parsed.GetResult(_reachable) is not { Implicit: false }
                ? null
                : throw new UsageException("--accept, --refuse-others and --reachable are about calls: add --wait.");
        }
        if (typedForRooms is not null) throw new UsageException($"--wait waits for calls, which have no room: leave out {typedForRooms}.");
        var meeting = readMeeting();
        if (meeting.UsesDht && !Setting.ReadFlag(parsed, _reachable, environment))
        {
            throw new UsageException("""
                In the DHT whoever knows this peer's id sees its public address for as long as it waits, and no consent is asked for that.
                Add --reachable where that is what you want, or wait at a server: --server HOST.
                """);
        }
        var accepted = PeerArgument.Split(Setting.ReadList(parsed, _accept, environment)).ToList();
        var acceptsAnyone = accepted.Remove(Anyone);
        return new WaitSettings
        {
            Meeting = meeting,
            AcceptsAnyone = acceptsAnyone,
            AcceptedPeers = accepted.Select(peer => PeerArgument.Resolve(peer, meeting.StateDirectory)).ToHashSet(),
            RefusesOthers = Setting.ReadFlag(parsed, _refuseOthers, environment),
        };
    }
}
