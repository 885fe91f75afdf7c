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
    private readonly Option<bool> _open = SettingCatalogue.Open.ToFlag();
    private readonly Option<bool> _interactive = SettingCatalogue.Interactive.ToFlag();
    private readonly Option<string[]> _allow = SettingCatalogue.Allow.ToListOption();

    public Option<string?> State => _meeting.State;

    public Option<string?> Config => _meeting.Config;

    public void AddTo(Command command)
    {
        command.Arguments.Add(_room);
        Option[] options =
        [
            _meeting.Server, _meeting.Dht, _meeting.Bootstrap, _open, _secret, _meeting.Name, _interactive, State, _meeting.NoHistory, _meeting.TrustFirst, _allow, _meeting.NoHostCandidates, _meeting.NoPortMapping, _meeting.NoMdns, _meeting.UdpPort, _meeting.TcpPort, .. _waiting.Options, _meeting.Stay, _meeting.Lines, _meeting.Json,
            _meeting.Qlog, Config,
        ];
        foreach (var option in options) command.Options.Add(option);
    }

    /// <param name="parsed">What was typed.</param>
    /// <param name="environment">Variables, and the file behind them.</param>
    /// <param name="askSecret">Asks for the secret, where the option is given without one.</param>
    /// <param name="questions">Asks for whatever is missing, where that is wanted.</param>
    /// <exception cref="UsageException">Something is missing or not valid.</exception>
    /// <exception cref="OperationCanceledException">A question has no answer.</exception>
    public JoinSettings Read(ParseResult parsed, Func<string, string?> environment, Func<string> askSecret, Func<Questions> questions)
    {
        var isInteractive = Setting.ReadFlag(parsed, _interactive, environment);
        if (isInteractive && Setting.ReadFlag(parsed, _meeting.Json, environment))
            throw new UsageException("--json is for programs, and --interactive for people: one of them has to go.");
        var ask = isInteractive ? questions() : null;
        var given = parsed.GetValue(_room) is { } typed ? CheckRoom(typed) : null;
        // What is wrong is said before anything is asked, and then in this order.
        var allowed = ReadAllowed(Setting.ReadList(parsed, _allow, environment), StateSetting.Read(parsed, State, environment));
        // Who names a room and its secret may mean one on this very network.
        var mayDoWithout = given is not null && ask is null && (Setting.IsGivenBare(parsed, _secret) || Setting.Read(parsed, _secret, environment) is not null)
            && !Setting.ReadFlag(parsed, _meeting.NoMdns, environment) && !Setting.ReadFlag(parsed, _meeting.NoHostCandidates, environment);
        var meeting = _meeting.Read(parsed, environment, $"join {ShellWord.Quote(given ?? "ROOM")}", DhtUse.Rooms, mayDoWithout, ask);
        var room = given ?? ask?.Ask("Room (empty for a new one): ", answer => answer.Length == 0 ? null : CheckRoom(answer));
        var secret = ReadSecret(parsed, environment, askSecret, room is null ? null : ask) ?? (room is null ? RoomSecret.Invent() : RoomSecret.None);
        if (meeting.UsesDht && !Setting.ReadFlag(parsed, _open, environment)) CheckStrength(secret, isInDht: true);
        else if (meeting.Server is null && !meeting.UsesDht) CheckStrength(secret, isInDht: false);
        return new JoinSettings
        {
            Server = meeting.Server,
            UsesDht = meeting.UsesDht,
            HasNoMdns = meeting.HasNoMdns,
            Bootstraps = meeting.Bootstraps,
            Room = room ?? Invented.RoomName(),
            IsRoomInvented = room is null,
            Secret = secret,
            Name = meeting.Name,
            StateDirectory = meeting.StateDirectory,
            TrustsFirst = meeting.TrustsFirst,
            AllowedPeers = allowed,
            HasNoHistory = meeting.HasNoHistory,
            HidesHostCandidates = meeting.HidesHostCandidates,
            MapsNoPort = meeting.MapsNoPort,
            UdpPort = meeting.UdpPort,
            TcpPort = meeting.TcpPort,
            QlogDirectory = meeting.QlogDirectory,
            IsInteractive = isInteractive,
            Stays = meeting.Stays,
            HasLines = meeting.HasLines,
            IsJson = meeting.IsJson,
        };
    }

    /// <summary>How to wait for calls; null: a room is to be joined.</summary>
    /// <inheritdoc cref="Read" path="/param"/>
    /// <inheritdoc cref="Read" path="/exception"/>
    public WaitSettings? ReadWaiting(ParseResult parsed, Func<string, string?> environment)
    {
        var typedForRooms = parsed.GetValue(_room) ?? (parsed.GetResult(_secret) is not null ? _secret.Name : parsed.GetResult(_allow) is not null ? _allow.Name : null);
        return _waiting.Read(parsed, environment, typedForRooms, () => _meeting.Read(parsed, environment, "join --wait", DhtUse.Calls));
    }

    /// <exception cref="UsageException">No room can be called so.</exception>
    public static string CheckRoom(string room)
    {
        if (room is ['-', ..]) throw new UsageException($"There is no option {room} (and no room's name begins with a dash).");
        return Encoding.UTF8.GetByteCount(room) is 0 or > RoomKeys.MaxNameBytes ? throw new UsageException($"A room's name has 1 to {RoomKeys.MaxNameBytes} bytes.") : room;
    }

    private static IReadOnlyCollection<PeerId>? ReadAllowed(string[] lists, string? stateDirectory) => lists.Length == 0
        ? null
        : [.. PeerArgument.Split(lists).Select(peer => PeerArgument.Resolve(peer, stateDirectory))];

    // Whoever guesses the name and the secret reads the members' addresses in the DHT, or is a member on their network, with no server in between that counts the guesses.
    private static void CheckStrength(RoomSecret secret, bool isInDht)
    {
        if (secret.IsHardToGuess) return;
        var why = secret.Text.Length == 0 ? "this room has no secret" : "this secret is easy to guess";
        throw new UsageException(isInDht
            ? $"""
                In the DHT whoever guesses a room's name and secret can join it, and see its members' addresses; {why}.
                Add --secret auto for a strong one, or --open where that is what you want.
                """
            : $"""
                Without --server or --dht a room's members find each other on their own network, where anybody can try out secrets; {why}.
                Add --secret auto for a strong one, or --server HOST.
                """);
    }

    // What was typed at the prompt is never the name of a file.
    private RoomSecret? ReadSecret(ParseResult parsed, Func<string, string?> environment, Func<string> askSecret, Questions? ask)
    {
        var isGivenBare = Setting.IsGivenBare(parsed, _secret);
        if (!isGivenBare && Setting.Read(parsed, _secret, environment) is { } text) return RoomSecret.Parse(text);
        if (ask is not null) return ask.AskHidden("Secret (empty for an open room): ", answer => answer.Length == 0 ? RoomSecret.None : RoomSecret.FromText(answer));
        return isGivenBare ? RoomSecret.FromText(askSecret()) : null;
    }
}
