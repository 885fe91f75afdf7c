using System.Globalization;
using System.Text;
using Punchline.Cli.Chat;
using Punchline.Cli.Session;

namespace Punchline.Cli.Screen;

/// <summary>What a line that was typed asks for. Its kinds are the records nested here.</summary>
internal abstract record ScreenCommand
{
    private const string Confirmation = "yes";

    private ScreenCommand()
    {
    }

    /// <summary>What begins a command, to complete.</summary>
    public static IReadOnlyList<string> Names { get; } = ["/block", "/call", "/help", "/path", "/quit", "/room", "/unblock", "/verify", "/who"];

    /// <summary>A message to all.</summary>
    internal sealed record Say(string Text) : ScreenCommand;

    /// <summary>Something to tell whoever typed it.</summary>
    internal sealed record Answer(string Text) : ScreenCommand;

    /// <summary>A call, to whoever that is.</summary>
    internal sealed record Call(string Peer) : ScreenCommand;

    /// <summary>Turn to a room, by its place in the list; null: list them.</summary>
    internal sealed record ShowRoom(int? Number) : ScreenCommand;

    /// <summary>Leave, when all has arrived.</summary>
    internal sealed record Quit : ScreenCommand;

    /// <summary>The member's safety number was compared, and matched.</summary>
    internal sealed record Verify(MemberSnapshot Member) : ScreenCommand;

    /// <summary>Nothing is wanted of the member any more, or it is again.</summary>
    internal sealed record Block(MemberSnapshot Member, bool IsBlocked) : ScreenCommand;

    /// <param name="line">Not empty.</param>
    /// <param name="room">As it is now.</param>
    public static ScreenCommand Read(string line, RoomView room)
    {
        if (line[0] != '/') return new Say(line);
        if (line.StartsWith("//", StringComparison.Ordinal)) return new Say(line[1..]);
        var (command, rest) = line.Split(' ', 2) is [var first, var behind] ? (first, behind.Trim()) : (line.TrimEnd(), "");
        return command switch
        {
            "/who" => new Answer(Who(room)),
            "/path" => new Answer(Path(room, rest)),
            "/verify" => ReadVerify(room, rest),
            "/block" => ReadBlock(room, rest, isBlocked: true),
            "/unblock" => ReadBlock(room, rest, isBlocked: false),
            "/call" => rest.Length > 0 ? new Call(rest) : new Answer("/call PEER: an id, an alias of yours, or the first characters of a known id."),
            "/room" => ReadRoom(rest),
            "/quit" => new Quit(),
            "/help" => new Answer(Help),
            _ => new Answer($"There is no command {command}. /help lists those that there are; a message that begins with / begins with //."),
        };
    }

    private const string Help = """
        What you type goes to all in the room. Commands:
        /who            who is here, by id, and how each is reached
        /path [NAME]    how the connection to a member came to be what it is
        /verify NAME    digits to compare with a member; with yes behind the name, notes that they matched
        /block NAME     closes the connection to a member and takes none from it, in any room, until /unblock NAME
        /call PEER      calls a peer by its id or your alias for it, beside this room
        /room [NUMBER]  lists rooms and calls, or turns to one
        /quit           leaves this room or call when all has arrived; Ctrl+C leaves all at once
        Keys: as in Emacs. Tab completes names and commands, Up and Down go through what you sent, Alt+Enter begins a line.
        Behind a message: … on its way, 1/3 one of three has it, ✓ all have it, ∅ nobody was here.
        """;

    private static string Who(RoomView room)
    {
        if (room.Members.Count == 0) return "Nobody else is here.";
        var text = new StringBuilder(room.Members.Count == 1 ? "One other is here:" : $"{room.Members.Count} others are here:");
        foreach (var member in room.Members) text.Append('\n').Append(MemberText.Name(member)).Append(", ").Append(member.Peer).Append(", ").Append(MemberText.Trust(member.Trust)).Append(": ").Append(MemberText.State(member));
        return text.ToString();
    }

    private static string Path(RoomView room, string name)
    {
        if (name.Length == 0)
            return room.Members.Count == 0 ? "Nobody else is here." : string.Join('\n', room.Members.Select(member => $"{MemberText.Name(member)}: {MemberText.State(member)}"));
        if (Find(room, name, out var found) is { } problem) return problem;
        var narrator = new RoomNarrator();
        var steps = found!.Story.Select(step => (step.Time, Text: step.Event is RoomEvent.Probing probing ? RoomNarrator.Tell(probing) : narrator.Tell(step.Event))).Where(step => step.Text is not null);
        return $"{MemberText.Name(found)}: {MemberText.State(found)}{string.Concat(steps.Select(step => $"\n{room.Local(step.Time):HH:mm:ss} {step.Text}"))}";
    }

    private static ScreenCommand ReadRoom(string rest)
    {
        if (rest.Length == 0) return new ShowRoom(null);
        return int.TryParse(rest, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? new ShowRoom(number) : new Answer("/room NUMBER: /room alone lists them.");
    }

    private static ScreenCommand ReadVerify(RoomView room, string rest)
    {
        if (rest.Length == 0) return new Answer("/verify NAME: whose digits?");
        // Somebody's name may end in yes.
        var isConfirmed = rest.EndsWith($" {Confirmation}", StringComparison.Ordinal) && Find(room, rest, out _) is not null;
        var name = isConfirmed ? rest[..^(Confirmation.Length + 1)].TrimEnd() : rest;
        if (Find(room, name, out var found) is { } problem) return new Answer(problem);
        if (found!.State != MemberState.Connected) return new Answer($"{MemberText.Name(found)} is not connected, so it has proved no key yet.");
        return isConfirmed
            ? new Verify(found)
            : new Answer($"""
                Compare with {MemberText.Name(found)} by another way, a call for instance:
                {SafetyNumber.Of(room.Self, found.Peer)}
                Where both see the same, nobody sits between you. Then type: /verify {name} {Confirmation}
                """);
    }

    private static ScreenCommand ReadBlock(RoomView room, string name, bool isBlocked)
    {
        if (name.Length == 0) return new Answer($"{(isBlocked ? "/block" : "/unblock")} NAME: whom?");
        if (Find(room, name, out var found) is { } problem) return new Answer(problem);
        return found!.IsBlocked == isBlocked ? new Answer($"{MemberText.Name(found)} is {(isBlocked ? "blocked already" : "not blocked")}.") : new Block(found, isBlocked);
    }

    // By name, where one alone has it, or by the beginning of its id.
    private static string? Find(RoomView room, string name, out MemberSnapshot? found)
    {
        found = null;
        var named = room.Members.Where(member => string.Equals(member.Name, name, StringComparison.OrdinalIgnoreCase)).ToList();
        if (named.Count == 0 && name.Length > 0) named = [.. room.Members.Where(member => member.Peer.ToString().StartsWith(name.TrimEnd('…'), StringComparison.OrdinalIgnoreCase))];
        if (named.Count == 0) return $"Nobody here is called {name}.";
        if (named.Count > 1) return $"{named.Count} here are meant by {name}; by their ids: {string.Join(", ", named.Select(member => PlainOutput.ShortId(member.Peer)))}.";
        found = named[0];
        return null;
    }
}
