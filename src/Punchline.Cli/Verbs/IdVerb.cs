using System.CommandLine;
using Punchline.Cli.Settings;

namespace Punchline.Cli.Verbs;

/// <summary><c>punchline id</c>: who this peer is, to tell others.</summary>
internal static class IdVerb
{
    public static Command Create()
    {
        var state = SettingCatalogue.State.ToOption();
        var config = SettingCatalogue.Config.ToOption();
        var command = new Command("id", "Prints this peer's id.") { state, config };
        command.SetAction(parsed => Run(StateSetting.Read(parsed, state, Configuration.Load(parsed, config, state).Find)));
        return command;
    }

    private static int Run(string? stateDirectory)
    {
        if (stateDirectory is null) throw new UsageException("An id that is kept nowhere is nobody's: leave out --state -.");
        Terminal.Output.WriteLine(PeerIdentity.ReadId(stateDirectory).ToString());
        return ExitCode.Done;
    }
}
