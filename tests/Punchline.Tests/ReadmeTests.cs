using System.Runtime.CompilerServices;
using Punchline.Tests.Harness;

namespace Punchline.Tests;

/// <summary>README's example is the code of <see cref="Example"/>, word for word, and it does what README says.</summary>
public sealed class ReadmeTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Two_runs_of_the_example_greet_each_other()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var server = await LocalServer.StartAsync(cancellation);
        var alice = new Example();
        var bob = new Example();

        await Task.WhenAll(alice.RunAsync([server.Address, "a secret", "alice"]), bob.RunAsync([server.Address, "a secret", "bob"])).WaitAsync(Patience, cancellation);

        Assert.Equal(["bob is connected.", "bob: hello"], alice.Console.Lines);
        Assert.Equal(["alice is connected.", "alice: hello"], bob.Console.Lines);
    }

    [Fact]
    public void The_example_stands_in_README()
    {
        var code = LinesBetween(Here(), "// README begins", "// README ends");
        var indentation = code.Where(line => line.Length > 0).Min(line => line.Length - line.TrimStart().Length);
        var readme = Path.Combine(Path.GetDirectoryName(Here())!, "..", "..", "README.md");

        Assert.Equal(
            ["using Punchline;", "", .. code.Select(line => line.Length == 0 ? line : line[indentation..])],
            LinesBetween(readme, "```csharp", "```"));
    }

    private static string[] LinesBetween(string path, string first, string last) =>
        [.. File.ReadAllLines(path).SkipWhile(line => line.Trim() != first).Skip(1).TakeWhile(line => line.Trim() != last)];

    private static string Here([CallerFilePath] string path = "") => path;

    private sealed class Example
    {
        /// <summary>Takes the system console's place.</summary>
        public Screen Console { get; } = new();

        public async Task RunAsync(string[] args)
        {
            // README begins
            await using var node = await PeerNode.StartAsync(new PeerNodeOptions());
            await using var room = await node.JoinRoomAsync(new RoomOptions
            {
                Server = args[0], // HOST:PORT#PIN, as `punchline serve` prints it
                Room = "example",
                Secret = args[1],
                DisplayName = args[2],
            });

            await foreach (var roomEvent in room.ReadEventsAsync())
            {
                switch (roomEvent)
                {
                    case RoomEvent.Connected peer:
                        Console.WriteLine($"{peer.Name} is connected.");
                        await room.SendAsync("hello");
                        break;
                    case RoomEvent.Message message:
                        Console.WriteLine($"{message.Name}: {message.Text}");
                        await room.WaitForDeliveryAsync();
                        return;
                    case RoomEvent.Failed failed:
                        Console.WriteLine($"{failed.Detail} {failed.Advice}");
                        return;
                }
            }
            // README ends
        }
    }

    private sealed class Screen
    {
        public List<string> Lines { get; } = [];

        public void WriteLine(string line) => Lines.Add(line);
    }
}
