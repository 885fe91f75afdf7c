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
    private readonly Option<bool> _interactive = SettingCatalogue.Interactive.ToFlag();
    private readonly Option<bool> _trustFirst = SettingCatalogue.TrustFirst.ToFlag();
    private readonly Option<string[]> _allow = SettingCatalogue.Allow.ToListOption();
    private readonly Option<bool> _noHostCandidates = SettingCatalogue.NoHostCandidates.ToFlag();
    private readonly Option<bool> _stay = SettingCatalogue.Stay.ToFlag();
    private readonly Option<bool> _json = SettingCatalogue.Json.ToFlag();

    public Option<string?> State { get; } = SettingCatalogue.State.ToOption();

    public Option<string?> Config { get; } = SettingCatalogue.Config.ToOption();

    public void AddTo(Command command)
    {
        command.Arguments.Add(_room);
        foreach (var option in (Option[])[_server, _secret, _name, _interactive, State, _trustFirst, _allow, _noHostCandidates, _stay, _json, Config]) command.Options.Add(option);
    }

    /// <param name="parsed">What was typed.</param>
    /// <param name="environment">Variables, and the file behind them.</param>
    /// <param name="askSecret">Asks for the secret, where the option is given without one.</param>
    /// <param name="questions">Asks for whatever is missing, where that is wanted.</param>
    /// <exception cref="UsageException">Something is missing or not valid.</exception>
    /// <exception cref="OperationCanceledException">A question has no answer.</exception>
    public JoinSettings Read(ParseResult parsed, Func<string, string?> environment, Func<string> askSecret, Func<Questions> questions)
    {
        var (isInteractive, isJson) = (Setting.ReadFlag(parsed, _interactive, environment), Setting.ReadFlag(parsed, _json, environment));
        if (isInteractive && isJson) throw new UsageException("--json is for programs, and --interactive for people: one of them has to go.");
        var ask = isInteractive ? questions() : null;
        var given = parsed.GetValue(_room) is { } typed ? CheckRoom(typed) : null;
        // What is wrong is said before anything is asked, and then in this order.
        var stateDirectory = StateSetting.Read(parsed, State, environment);
        var allowed = ReadAllowed(Setting.ReadList(parsed, _allow, environment), stateDirectory);
        var server = ReadServer(Setting.Read(parsed, _server, environment), given, ask);
        var room = given ?? ask?.Ask("Room (empty for a new one): ", answer => answer.Length == 0 ? null : CheckRoom(answer));
        return new JoinSettings
        {
            Server = server,
            Room = room ?? Invented.RoomName(),
            IsRoomInvented = room is null,
            Secret = ReadSecret(parsed, environment, askSecret, room is null ? null : ask) ?? (room is null ? RoomSecret.Invent() : RoomSecret.None),
            Name = ReadName(Setting.Read(parsed, _name, environment), ask),
            StateDirectory = stateDirectory,
            TrustsFirst = Setting.ReadFlag(parsed, _trustFirst, environment),
            AllowedPeers = allowed,
            HidesHostCandidates = Setting.ReadFlag(parsed, _noHostCandidates, environment),
            IsInteractive = isInteractive,
            Stays = Setting.ReadFlag(parsed, _stay, environment),
            IsJson = isJson,
        };
    }

    // Several stand with commas between them, or in several options.
    private static IReadOnlyCollection<PeerId>? ReadAllowed(string[] lists, string? stateDirectory) => lists.Length == 0
        ? null
        : [.. lists.SelectMany(list => list.Split(',', StringSplitOptions.TrimEntries)).Select(peer => PeerArgument.Resolve(peer, stateDirectory))];

    private static string CheckRoom(string room)
    {
        if (room is ['-', ..]) throw new UsageException($"There is no option {room} (and no room's name begins with a dash).");
        return Encoding.UTF8.GetByteCount(room) is 0 or > RoomKeys.MaxNameBytes ? throw new UsageException($"A room's name has 1 to {RoomKeys.MaxNameBytes} bytes.") : room;
    }

    // What was typed at the prompt is never the name of a file.
    private RoomSecret? ReadSecret(ParseResult parsed, Func<string, string?> environment, Func<string> askSecret, Questions? ask)
    {
        var isGivenBare = Setting.IsGivenBare(parsed, _secret);
        if (!isGivenBare && Setting.Read(parsed, _secret, environment) is { } text) return RoomSecret.Parse(text);
        if (ask is not null) return ask.AskHidden("Secret (empty for an open room): ", answer => answer.Length == 0 ? RoomSecret.None : RoomSecret.FromText(answer));
        return isGivenBare ? RoomSecret.FromText(askSecret()) : null;
    }

    private static string ReadServer(string? server, string? room, Questions? ask)
    {
        if (server is null && ask is not null) return ask.Ask("Server (HOST[:PORT][#PIN]): ", answer => ReadServer(answer, room, null));
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

    private static string ReadName(string? given, Questions? ask)
    {
        // A container's user may have no name.
        var usual = Environment.UserName is { Length: > 0 } user ? user : Environment.MachineName;
        if (given is null && ask is not null) return ask.Ask($"Name ({PeerText.Clean(usual)}): ", answer => CheckName(answer.Length == 0 ? usual : answer));
        return CheckName(given ?? usual);
    }

    private static string CheckName(string name)
    {
        var cleaned = PeerText.Clean(name).Trim();
        var length = Encoding.UTF8.GetByteCount(cleaned);
        return length is > 0 and <= IntroductionBlob.MaxNameBytes
            ? cleaned
            : throw new UsageException($"A name has 1 to {IntroductionBlob.MaxNameBytes} bytes; this one has {length}. Choose another with --name.");
    }
}
