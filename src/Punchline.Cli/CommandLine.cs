using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using Punchline.Cli.Settings;
using Punchline.Cli.Verbs;

namespace Punchline.Cli;

/// <summary>From what was typed to a verb, and from whatever happens there to a sentence and an exit code.</summary>
internal static class CommandLine
{
    // Without response files, for --secret @FILE is ours to read.
    private static readonly ParserConfiguration Parsing = new() { ResponseFileTokenReplacer = null };

    // Verbs handle signals themselves: they have goodbyes to say. And exceptions are told below.
    private static readonly InvocationConfiguration Invocation = new() { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null };

    public static async Task<int> RunAsync(IReadOnlyList<string> args)
    {
        try
        {
            var parsed = Parse(args);
            if (Misspelled.Find(parsed) is { } misspelled) throw new UsageException(misspelled);
            if (parsed.Action is not ParseErrorAction) return await parsed.InvokeAsync(Invocation);
            if (args.Count == 0)
            {
                await Parse(["--help"]).InvokeAsync(Invocation);
                return ExitCode.WrongUsage;
            }
            Complain($"{string.Join(' ', parsed.Errors.Select(error => error.Message))}\n`{PathOf(parsed.CommandResult.Command)} --help` shows what there is.");
            return ExitCode.WrongUsage;
        }
        catch (UsageException exception)
        {
            Complain(exception.Message);
            return ExitCode.WrongUsage;
        }
        catch (OperationCanceledException)
        {
            // Ctrl+C before there was anything to leave.
            return ExitCode.Done;
        }
        catch (Exception exception) when (exception is ToolException or PunchlineException or IOException or InvalidDataException or UnauthorizedAccessException)
        {
            Complain(exception.Message);
            return ExitCode.Failed;
        }
    }

    public static ParseResult Parse(IReadOnlyList<string> args) => Build().Parse(args, Parsing);

    /// <summary>What to type for a command: <c>punchline peers alias</c>.</summary>
    public static string PathOf(Command command) => command.Parents.OfType<Command>().FirstOrDefault() is { } parent ? $"{PathOf(parent)} {command.Name}" : command.Name;

    // Not a RootCommand: that one is called after the assembly, and takes a first word in brackets for a directive.
    private static Command Build() => new("punchline", "Direct, end-to-end encrypted connections between machines behind NATs.")
    {
        ServeVerb.Create(),
        JoinVerb.Create(),
        CallVerb.Create(),
        WebVerb.Create(),
        IdVerb.Create(),
        PeersVerb.Create(),
        DoctorVerb.Create(),
        DemoVerb.Create(),
        new HelpOption { Recursive = true },
        new VersionOption(),
    };

    private static void Complain(string message) => Terminal.Error.WriteLine($"punchline: {message}");
}
