using System.CommandLine;
using Punchline.Cli.Demo;
using Punchline.Cli.Lab;
using Punchline.Cli.Settings;

namespace Punchline.Cli.Verbs;

/// <summary><c>punchline demo</c>: everything at once, on this machine.</summary>
internal static class DemoVerb
{
    public static Command Create()
    {
        var noLab = SettingCatalogue.NoLab.ToFlag();
        var command = new Command("demo", "Shows it: a server and two peers on this machine, behind real NATs where the system allows.") { noLab };
        command.SetAction((parsed, _) =>
        {
            Configuration.CheckVariables(Environment.GetEnvironmentVariables().Keys);
            var isOnLoopback = Setting.ReadFlag(parsed, noLab, Environment.GetEnvironmentVariable);
            // What is set for the user's own peer is not meant for the demo's, which inherit this environment.
            foreach (var setting in SettingCatalogue.All) Environment.SetEnvironmentVariable(setting.Variable, null);
            return RunAsync(isOnLoopback);
        });
        return command;
    }

    private static async Task<int> RunAsync(bool noLab)
    {
        using var interruption = new Interruption();
        var whyNoLab = noLab ? "--no-lab says so" : NatLab.WhyUnavailable();
        var narrator = new DemoNarrator(Terminal.Output, Terminal.HasColours);
        try
        {
            await using IDemoStage stage = whyNoLab is null ? await LabStage.UpAsync(interruption.Token) : new LoopbackStage(whyNoLab);
            await new DemoStory(stage, narrator).PlayAsync(interruption.Token);
            return ExitCode.Done;
        }
        catch (OperationCanceledException) when (interruption.Token.IsCancellationRequested)
        {
            throw new ToolException("The demo was interrupted; nothing of it is left.");
        }
    }
}
