using System.Diagnostics;
using System.Text;
using Punchline.Cli.Lab;
using Punchline.Lab.Tests.Harness;
using Punchline.Protocols.Dht;

namespace Punchline.Lab.Tests;

/// <summary>Our node of the DHT among nodes that others wrote: Debian's <c>python3-libtorrent</c>.</summary>
public sealed class LibtorrentTests
{
    private const int Port = 6_881;
    private const string Python = "/usr/bin/python3";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan AskAgainAfter = TimeSpan.FromMilliseconds(500);
    private static readonly string[] Sites = ["a", "b", "c", "d", "e", "f"];
    private static readonly NodeId Ours = NodeId.Read("punchline announces "u8);
    private static readonly NodeId Theirs = NodeId.Read("libtorrent announces"u8);

    [Fact]
    public async Task Each_stores_what_the_other_announces_and_puts_and_answers_the_others_queries()
    {
        LabRequirement.Check();
        CheckLibtorrent();
        await using var lab = await NatLab.UpAsync([.. Sites.Select(site => new LabSite(site, LabNat.Open))], TestContext.Current.CancellationToken);
        var nodes = new List<ToolProcess>();
        using var our = new LabDhtNode(LabSocket.Open(lab, "s1", Port), new(lab.AddressOf("a1"), Port));
        try
        {
            foreach (var host in Sites.Select(site => site + "1"))
                nodes.Add(new ToolProcess($"libtorrent at {host}", lab.Start(host, Python, Path.Combine(AppContext.BaseDirectory, "Harness", "libtorrent_node.py"), $"{lab.AddressOf(host)}", $"{Port}")));
            foreach (var node in nodes) await node.ReadLineAsync("ready", Patience);
            // Each knows the first; the first, and nobody else, is told of ours.
            await nodes[0].SayAsync($"node {our.Address.Address} {Port}");
            foreach (var node in nodes.Skip(1)) await node.SayAsync($"node {lab.AddressOf("a1")} {Port}");
            await UntilAsync(() => Task.FromResult(our.Statistics.UsableNodes >= nodes.Count - 1), "to know them");

            // They store ours.
            await UntilAsync(async () => (await our.SearchAsync((node, now) => node.Announce(Ours, Port, now))).Outcome.Stored >= nodes.Count / 2, "to be stored");
            var item = Encoding.ASCII.GetBytes("9:punchline");
            Assert.InRange((await our.SearchAsync((node, now) => node.PutItem(item, now))).Outcome.Stored, nodes.Count / 2, nodes.Count);
            await nodes[^1].SayAsync($"peers {Ours}");
            Assert.Contains($" {our.Address}", await nodes[^1].ReadLineAsync($"peers {Ours} ", Patience), StringComparison.Ordinal);
            await nodes[^1].SayAsync($"get {ItemStore.TargetOf(item)}");
            Assert.EndsWith(" punchline", await nodes[^1].ReadLineAsync($"item {ItemStore.TargetOf(item)}", Patience), StringComparison.Ordinal);

            // We find theirs, and are one of those who store it.
            await UntilAsync(async () =>
            {
                // It announces once to whom it knows by then.
                await nodes[1].SayAsync($"announce {Theirs}");
                return (await our.SearchAsync((node, now) => node.FindPeers(Theirs, now))).Peers.Any(peer => peer.ToString() == $"{lab.AddressOf("b1")}:{Port}");
            }, "to find theirs");
            await nodes[1].SayAsync("put libtorrent");
            await nodes[1].ReadLineAsync("put ", Patience);
            Assert.Equal("10:libtorrent", Encoding.ASCII.GetString((await our.SearchAsync((node, now) => node.GetItem(ItemStore.TargetOf("10:libtorrent"u8), now))).Item));
            var counts = our.Statistics;
            Assert.True(counts is { Served: > 0, StoredPeers: > 0, StoredItems: > 0 }, $"{counts}");
        }
        finally
        {
            foreach (var node in nodes) await node.DisposeAsync();
        }
    }

    // Their tables fill at their own pace.
    private static async Task UntilAsync(Func<Task<bool>> condition, string what)
    {
        var start = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(start) < Patience, $"Waited {Patience.TotalSeconds} s {what}.");
            await Task.Delay(AskAgainAfter, TestContext.Current.CancellationToken);
        }
    }

    private static void CheckLibtorrent()
    {
        if (File.Exists(Python))
        {
            using var process = Process.Start(new ProcessStartInfo(Python, ["-c", "import libtorrent"]) { RedirectStandardError = true, UseShellExecute = false })!;
            process.WaitForExit();
            if (process.ExitCode == 0) return;
        }
        if (Environment.GetEnvironmentVariable(LabRequirement.Variable) is "1") Assert.Fail($"{LabRequirement.Variable}=1, and yet there is no python3-libtorrent here.");
        Assert.Skip("There is no libtorrent here: on Debian, python3-libtorrent.");
    }
}
