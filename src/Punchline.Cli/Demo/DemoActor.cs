using System.Text.Json;

namespace Punchline.Cli.Demo;

/// <summary>One of the demo's programs: led by lines, followed by what it prints.</summary>
internal sealed class DemoActor(string name, IDemoProgram program) : IAsyncDisposable
{
    /// <summary>For any one step, of which the longest is to start: what takes longer on a machine as loaded as can be does not work.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    public string Name => name;

    public async Task SayAsync(string text)
    {
        await program.StandardInput.WriteLineAsync(text);
        await program.StandardInput.FlushAsync();
    }

    public Task KillAsync() => program.KillAsync();

    /// <summary>The next line that has this in it.</summary>
    public async Task<string> ReadLineAsync(string containing, CancellationToken cancellationToken)
    {
        while (true)
        {
            var line = await ReadLineAsync(cancellationToken);
            if (line.Contains(containing, StringComparison.Ordinal)) return line;
        }
    }

    /// <summary>The next event of a kind, with whatever was before it left behind.</summary>
    /// <exception cref="ToolException">There is no way to the other, or the program ended or fell silent.</exception>
    public async Task<JsonElement> ReadEventAsync(string kind, CancellationToken cancellationToken)
    {
        while (true)
        {
            using var json = JsonDocument.Parse(await ReadLineAsync(cancellationToken));
            var seen = json.RootElement.GetProperty("event").GetString();
            if (string.Equals(seen, kind, StringComparison.Ordinal)) return json.RootElement.Clone();
            if (seen is "failed")
                throw new ToolException($"{name} found no way to the other. {json.RootElement.GetProperty("detail")} {json.RootElement.GetProperty("advice")}");
        }
    }

    public ValueTask DisposeAsync() => program.DisposeAsync();

    private async Task<string> ReadLineAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await program.StandardOutput.ReadLineAsync(CancellationToken.None).AsTask().WaitAsync(Patience, cancellationToken)
                ?? throw new ToolException($"{name} ended all of a sudden. {LastWords}");
        }
        catch (TimeoutException)
        {
            throw new ToolException($"{name} said nothing for {Patience.TotalSeconds:0} s. {LastWords}");
        }
    }

    private string LastWords => program.ErrorTail is { Length: > 0 } errors ? $"Last words:\n{errors}" : "";
}
