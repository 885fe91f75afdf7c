using System.Diagnostics;
using Punchline.Cli.Lab;
using Punchline.Protocols.Dht;

namespace Punchline.Lab.Tests.Harness;

/// <summary>
/// A BitTorrent DHT on the public side of a lab: nodes of ours that serve others, at an address of a node of the lab each, in this very process.
/// </summary>
internal sealed class LabDht : IDisposable
{
    private const int Port = 6_881;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly List<LabDhtNode> _members = [];

    private LabDht()
    {
    }

    /// <summary>What the tool is given to begin with.</summary>
    public string Bootstrap => _members[0].Address.ToString();

    /// <summary>Starts a node at each of these, and returns when all know some of the others.</summary>
    public static async Task<LabDht> StartAsync(NatLab lab, IEnumerable<string> nodes)
    {
        var dht = new LabDht();
        try
        {
            foreach (var node in nodes) dht._members.Add(new LabDhtNode(LabSocket.Open(lab, node, Port), dht._members.FirstOrDefault()?.Address));
            var start = Stopwatch.GetTimestamp();
            while (dht._members.Exists(member => member.Statistics.UsableNodes < Math.Min(dht._members.Count - 1, Lookup.Width) / 2))
            {
                Assert.True(Stopwatch.GetElapsedTime(start) < Patience, $"The DHT's nodes know {string.Join(", ", dht._members.Select(member => member.Statistics.UsableNodes))} others.");
                await Task.Delay(50, TestContext.Current.CancellationToken);
            }
            return dht;
        }
        catch
        {
            dht.Dispose();
            throw;
        }
    }

    public void Dispose() => _members.ForEach(member => member.Dispose());
}
