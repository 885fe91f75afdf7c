using System.CommandLine;
using System.Text;
using Punchline.Engine;
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

    private readonly Option<string?> _server = SettingCatalogue.Server.ToOption();
    private readonly Option<string?> _secret = SettingCatalogue.Secret.ToAskingOption();
    private readonly Option<string?> _name = SettingCatalogue.Name.ToOption();
    private readonly Option<bool> _trustFirst = SettingCatalogue.TrustFirst.ToFlag();
    private readonly Option<string[]> _allow = SettingCatalogue.Allow.ToListOption();
    private readonly Option<bool> _noHostCandidates = SettingCatalogue.NoHostCandidates.ToFlag();
    private readonly Option<bool> _stay = SettingCatalogue.Stay.ToFlag();
    private readonly Option<bool> _json = SettingCatalogue.Json.ToFlag();
    private readonly Option<string?> _qlog = SettingCatalogue.Qlog.ToOption();

    public Option<string?> State { get; } = SettingCatalogue.State.ToOption();

    public Option<string?> Config { get; } = SettingCatalogue.Config.ToOption();

    public void AddTo(Command command)
    {
        command.Arguments.Add(_room);
        foreach (var option in (Option[])[_server, _secret, _name, State, _trustFirst, _allow, _noHostCandidates, _stay, _json, _qlog, Config]) command.Options.Add(option);
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
        var stateDirectory = StateSetting.Read(parsed, State, environment);
        return new JoinSettings
        {
            Server = ReadServer(Setting.Read(parsed, _server, environment), room),
            Room = room ?? Invented.RoomName(),
            IsRoomInvented = room is null,
            Secret = ReadSecret(parsed, environment, askSecret) ?? (room is null ? RoomSecret.Invent() : RoomSecret.None),
            Name = ReadName(Setting.Read(parsed, _name, environment)),
            StateDirectory = stateDirectory,
            TrustsFirst = Setting.ReadFlag(parsed, _trustFirst, environment),
            AllowedPeers = ReadAllowed(Setting.ReadList(parsed, _allow, environment), stateDirectory),
            HidesHostCandidates = Setting.ReadFlag(parsed, _noHostCandidates, environment),
            Stays = Setting.ReadFlag(parsed, _stay, environment),
            QlogDirectory = ReadQlog(Setting.Read(parsed, _qlog, environment)),
            IsJson = Setting.ReadFlag(parsed, _json, environment),
        };
    }

    // Several stand with commas between them, or in several options.
    private static IReadOnlyCollection<PeerId>? ReadAllowed(string[] lists, string? stateDirectory) => lists.Length == 0
        ? null
        : [.. lists.SelectMany(list => list.Split(',', StringSplitOptions.TrimEntries)).Select(peer => PeerArgument.Resolve(peer, stateDirectory))];

    // What was typed at the prompt is never the name of a file.
    private RoomSecret? ReadSecret(ParseResult parsed, Func<string, string?> environment, Func<string> askSecret) =>
        Setting.IsGivenBare(parsed, _secret) ? RoomSecret.FromText(askSecret())
        : Setting.Read(parsed, _secret, environment) is { } text ? RoomSecret.Parse(text)
        : null;

    private static string ReadServer(string? server, string? room)
    {
        if (server is null)
        {
            throw new UsageException($"""
                There is no server to meet the others at. Where everybody can reach it, type
                    punchline serve
                and here the line that it prints, which looks like
                    punchline join {ShellWord.Quote(room ?? "ROOM")} --server HOST:{ServerAddress.DefaultPort}#PIN
                """);
        }
        return ServerAddress.TryParse(server, out _, out var error) ? server : throw new UsageException(error);
    }

    private static string? ReadQlog(string? given) => given switch
    {
        null => null,
        "" => throw new UsageException("--qlog wants a directory."),
        _ => Path.GetFullPath(given),
    };

    private static string ReadName(string? given)
    {
        // A container's user may have no name.
        var name = given ?? (Environment.UserName is { Length: > 0 } user ? user : Environment.MachineName);
        var cleaned = PeerText.Clean(name).Trim();
        var length = Encoding.UTF8.GetByteCount(cleaned);
        return length is > 0 and <= IntroductionBlob.MaxNameBytes
            ? cleaned
            : throw new UsageException($"A name has 1 to {IntroductionBlob.MaxNameBytes} bytes; this one has {length}. Choose another with --name.");
    }
}
