using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Punchline.Cli.Settings;

namespace Punchline.Cli.Demo;

/// <summary>What happens in the demo: two peers meet, talk, lose the server, and talk on.</summary>
internal sealed class DemoStory(IDemoStage stage, DemoNarrator narrator)
{
    private const string RoomName = "demo";

    // In the demo nothing is kept: who comes here is nobody.
    private static readonly string[] KeepNothing = ["--state", StateSetting.Nowhere];

    public async Task PlayAsync(CancellationToken cancellationToken)
    {
        narrator.Begin(stage.Scenery);

        await using var server = new DemoActor("the server", stage.Start(DemoRole.Server, [.. stage.ServeArguments, .. KeepNothing]));
        var serverOption = OptionIn(await server.ReadLineAsync($"--server {stage.ServerAddress}:", cancellationToken));
        narrator.Step($"The server is up at {serverOption.Split('#')[0]}. It only introduces peers.");

        var secret = Invented.Secret();
        string[] join = ["join", RoomName, "--server", serverOption, "--secret", secret, "--json", .. KeepNothing, "--name"];
        await using var alice = new DemoActor("alice", stage.Start(DemoRole.Alice, [.. join, "alice"]));
        await using var bob = new DemoActor("bob", stage.Start(DemoRole.Bob, [.. join, "bob"]));
        await alice.ReadEventAsync("ready", cancellationToken);
        await bob.ReadEventAsync("ready", cancellationToken);
        narrator.Step($"Alice and Bob have joined the room \"{RoomName}\"{(stage.HasRouters ? ", each through a router" : "")}.");

        TellConnection(await alice.ReadEventAsync("connected", cancellationToken), await bob.ReadEventAsync("connected", cancellationToken));
        await TalkAsync(alice, bob, "Hello Bob! Who else reads this?", cancellationToken);
        await TalkAsync(bob, alice, "Nobody. It came straight from you, sealed.", cancellationToken);

        await server.KillAsync();
        narrator.Loss("The server is killed, with SIGKILL: no time for goodbyes.");
        await SeeServerLostAsync(alice, cancellationToken);
        await SeeServerLostAsync(bob, cancellationToken);
        await TalkAsync(alice, bob, "The server is gone. Are you?", cancellationToken);
        await TalkAsync(bob, alice, "Still here. We did not need it any more.", cancellationToken);

        narrator.End(
            stage.HasRouters
                ? "Four messages through two NATs, two of them with no server in the world."
                : "Four messages, two of them with no server in the world.");
    }

    private void TellConnection(JsonElement alice, JsonElement bob)
    {
        narrator.Step($"They are connected, directly, {MillisecondsIn(alice, "elapsedMs")} after hearing of each other.");
        string Local(JsonElement own) => own.GetProperty("path").GetProperty("local").GetString()!;
        string Remote(JsonElement own) => own.GetProperty("path").GetProperty("remote").GetString()!;
        narrator.Detail(stage.HasRouters ? $"Alice's {Local(alice)} is {Remote(bob)} to Bob." : $"Alice is at {Local(alice)}.");
        narrator.Detail(stage.HasRouters ? $"Bob's {Local(bob)} is {Remote(alice)} to Alice." : $"Bob is at {Local(bob)}.");
        narrator.Detail(stage.HasRouters ? "Both opened their routers from inside, and proved their keys." : "Both proved their keys.");
    }

    private async Task TalkAsync(DemoActor speaker, DemoActor listener, string text, CancellationToken cancellationToken)
    {
        var start = Stopwatch.GetTimestamp();
        await speaker.SayAsync(text);
        var heard = (await listener.ReadEventAsync("message", cancellationToken)).GetProperty("text").GetString();
        if (!string.Equals(heard, text, StringComparison.Ordinal)) throw new ToolException($"{speaker.Name} said \"{text}\", and {listener.Name} heard \"{heard}\".");
        narrator.Speech(speaker.Name, listener.Name, text, Stopwatch.GetElapsedTime(start));
    }

    private static async Task SeeServerLostAsync(DemoActor actor, CancellationToken cancellationToken)
    {
        while ((await actor.ReadEventAsync("server", cancellationToken)).GetProperty("state").GetString() is not "lost")
        {
            // That it was there comes first.
        }
    }

    private static string MillisecondsIn(JsonElement json, string property) =>
        string.Create(CultureInfo.InvariantCulture, $"{json.GetProperty(property).GetDouble():0} ms");

    private static string OptionIn(string line)
    {
        const string Flag = "--server ";
        return line[(line.IndexOf(Flag, StringComparison.Ordinal) + Flag.Length)..].Split(' ')[0];
    }
}
