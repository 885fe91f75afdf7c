using System.CommandLine;
using System.Text;
using Punchline.Protocols.Rooms;

namespace Punchline.Cli.Settings;

/// <summary>The options and arguments of <c>join</c>.</summary>
internal sealed class JoinArguments
{
    private readonly Argument<string?> _room = new("ROOM")
    {
        Arity = ArgumentArity.ZeroOrOne,
        Description = "The room's name. Without one, a name and a strong secret are made up.",
    };

    private readonly MeetingOptions _meeting = new();
    private readonly WaitArguments _waiting = new();
    private readonly Option<string?> _secret = SettingCatalogue.Secret.ToAskingOption();
    private readonly Option<string[]> _allow = SettingCatalogue.Allow.ToListOption();

    public Option<string?> State => _meeting.State;

    public Option<string?> Config => _meeting.Config;

    public void AddTo(Command command)
    {
        command.Arguments.Add(_room);
        Option[] options =
        [
            _meeting.Server, _secret, _meeting.Name, State, _meeting.TrustFirst, _allow, _meeting.NoHostCandidates, .. _waiting.Options, _meeting.Stay, _meeting.Json, _meeting.Qlog, Config,
        ];
        foreach (var option in options) command.Options.Add(option);
    }

    /// <param name="parsed">What was typed.</param>
    /// <param name="environment">Variables, and the file behind them.</param>
    /// <param name="askSecret">Asks for the secret, where the option is given without one.</param>
    /// <exception cref="UsageException">Something is missing or not valid.</exception>
    public JoinSettings Read(ParseResult parsed, Func<string, string?> environment, Func<string> askSecret)
    {
        var room = parsed.GetValue(_room);
        if (room is ['-', ..]) throw new UsageException($"There is no option {room} (and no room's name begins with a dash).");
        if (room is not null && Encoding.UTF8.GetByteCount(room) is 0 or > RoomKeys.MaxNameBytes)
            throw new UsageException($"A room's name has 1 to {RoomKeys.MaxNameBytes} bytes.");
        var meeting = _meeting.Read(parsed, environment, $"join {ShellWord.Quote(room ?? "ROOM")}");
        return new JoinSettings
        {
            Server = meeting.Server,
            Room = room ?? Invented.RoomName(),
            IsRoomInvented = room is null,
            Secret = ReadSecret(parsed, environment, askSecret) ?? (room is null ? RoomSecret.Invent() : RoomSecret.None),
            Name = meeting.Name,
            StateDirectory = meeting.StateDirectory,
            TrustsFirst = meeting.TrustsFirst,
            AllowedPeers = ReadAllowed(Setting.ReadList(parsed, _allow, environment), meeting.StateDirectory),
            HidesHostCandidates = meeting.HidesHostCandidates,
            QlogDirectory = meeting.QlogDirectory,
            Stays = meeting.Stays,
            IsJson = meeting.IsJson,
        };
    }

    /// <summary>How to wait for calls; null: a room is to be joined.</summary>
    /// <inheritdoc cref="Read" path="/param"/>
    /// <inheritdoc cref="Read" path="/exception"/>
    public WaitSettings? ReadWaiting(ParseResult parsed, Func<string, string?> environment)
    {
        var typedForRooms = parsed.GetValue(_room) ?? (parsed.GetResult(_secret) is not null ? _secret.Name : parsed.GetResult(_allow) is not null ? _allow.Name : null);
        return _waiting.Read(parsed, environment, typedForRooms, () => _meeting.Read(parsed, environment, "join --wait"));
    }

    private static IReadOnlyCollection<PeerId>? ReadAllowed(string[] lists, string? stateDirectory) => lists.Length == 0
        ? null
        : [.. PeerArgument.Split(lists).Select(peer => PeerArgument.Resolve(peer, stateDirectory))];

    // What was typed at the prompt is never the name of a file.
    private RoomSecret? ReadSecret(ParseResult parsed, Func<string, string?> environment, Func<string> askSecret) =>
        Setting.IsGivenBare(parsed, _secret) ? RoomSecret.FromText(askSecret())
        : Setting.Read(parsed, _secret, environment) is { } text ? RoomSecret.Parse(text)
        : null;
}
