using System.Runtime.CompilerServices;
using System.Text;
using Punchline.Tests.Harness;

namespace Punchline.Tests;

/// <summary>README's examples are the code of <see cref="Example"/> and <see cref="StreamExample"/>, word for word, and they do what README says.</summary>
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
    public async Task The_two_sides_of_the_example_of_streams_understand_each_other()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var server = await LocalServer.StartAsync(cancellation);
        await using var alice = await PeerNode.StartAsync(new PeerNodeOptions(), cancellation);
        await using var bob = await PeerNode.StartAsync(new PeerNodeOptions(), cancellation);
        var listening = new StreamExample(bob, server.Address);
        var dialling = new StreamExample(alice, server.Address);

        var shouting = listening.ListenAsync();
        await dialling.DialUntilThereAsync(bob.Id).WaitAsync(Patience, cancellation);
        await shouting.WaitAsync(Patience, cancellation);

        Assert.Equal(["HELLO"], dialling.Console.Lines);
        Assert.Equal(["The peer closed the connection with code 0: That was all."], listening.Console.Lines);
        Assert.Equal([alice.Id.ToString()], listening.Asked);
    }

    [Fact]
    public void The_examples_stand_in_README()
    {
        Assert.Equal(["using Punchline;", "", .. CodeOf("")], Readme("```csharp", 0));
        Assert.Equal([.. CodeOf(" of listening"), "", .. CodeOf(" of dialling")], Readme("```csharp", 1));
    }

    private static IEnumerable<string> CodeOf(string which)
    {
        var code = LinesBetween(File.ReadAllLines(Here()), $"// README{which} begins", $"// README{which} ends");
        var indentation = code.Where(line => line.Length > 0).Min(line => line.Length - line.TrimStart().Length);
        return code.Select(line => line.Length == 0 ? line : line[indentation..]);
    }

    private static string[] Readme(string first, int which)
    {
        IEnumerable<string> lines = File.ReadAllLines(Path.Combine(Path.GetDirectoryName(Here())!, "..", "..", "README.md"));
        for (; which > 0; which--) lines = lines.SkipWhile(line => line != first).Skip(1);
        return LinesBetween(lines, first, "```");
    }

    private static string[] LinesBetween(IEnumerable<string> lines, string first, string last) =>
        [.. lines.SkipWhile(line => line.Trim() != first).Skip(1).TakeWhile(line => line.Trim() != last)];

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

    private sealed class StreamExample(PeerNode node, string server)
    {
        public Screen Console { get; } = new();

        public List<string> Asked { get; } = [];

        public async Task ListenAsync()
        {
            // README of listening begins
            await using var listener = await node.ListenAsync(new PeerListenerOptions
            {
                Server = server,
                Protocols = ["shout/1"],
                Consent = (peer, name, cancellationToken) => AskSomebodyAsync($"{name} ({peer})"),
            });
            await using var connection = await listener.AcceptConnectionAsync();
            try
            {
                while (true)
                {
                    await using var stream = await connection.AcceptStreamAsync();
                    var text = await new StreamReader(stream).ReadToEndAsync();
                    await stream.WriteAsync(Encoding.UTF8.GetBytes(text.ToUpperInvariant()), completeWrites: true);
                }
            }
            catch (PunchlineException ended)
            {
                Console.WriteLine(ended.Message);
            }
            // README of listening ends
        }

        // The example has somebody at its side who knows when the other one listens.
        public async Task DialUntilThereAsync(PeerId peer)
        {
            while (true)
            {
                try
                {
                    await DialAsync(peer);
                    return;
                }
                catch (PunchlineException exception) when (exception.Error == PunchlineError.PeerOffline)
                {
                    await Task.Yield();
                }
            }
        }

        private async Task DialAsync(PeerId peer)
        {
            // README of dialling begins
            await using var connection = await node.ConnectAsync(new CallOptions { Peer = peer, Server = server });
            await using var stream = await connection.OpenStreamAsync("shout/1");
            await stream.WriteAsync("hello"u8.ToArray(), completeWrites: true);
            Console.WriteLine(await new StreamReader(stream).ReadToEndAsync());
            await connection.CloseAsync(0, "That was all.");
            // README of dialling ends
        }

        private ValueTask<bool> AskSomebodyAsync(string who)
        {
            Asked.Add(who[(who.IndexOf('(', StringComparison.Ordinal) + 1)..^1]);
            return ValueTask.FromResult(true);
        }
    }

    private sealed class Screen
    {
        public List<string> Lines { get; } = [];

        public void WriteLine(string line) => Lines.Add(line);
    }
}
