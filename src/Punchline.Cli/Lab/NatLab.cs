using System.Diagnostics;
using System.Net;

namespace Punchline.Cli.Lab;

/// <summary>
/// A small internet on this machine: Linux network namespaces, with the kernel's own NAT between them.
/// Nothing of it is visible from the machine's own namespaces, and nothing of it outlives this process, not even when
/// this process is killed (see <see cref="LabScript"/>).
/// </summary>
internal sealed class NatLab : IAsyncDisposable
{
    /// <summary>Building takes about 0.1 s on an idle machine; what takes a hundred times as long hangs.</summary>
    private static readonly TimeSpan BuildTimeout = TimeSpan.FromSeconds(30);

    /// <summary>Ending means one read that returns and one kernel sweep.</summary>
    private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(30);

    private readonly LabTopology _topology;
    private readonly Process _holder;

    private NatLab(LabTopology topology, Process holder)
    {
        _topology = topology;
        _holder = holder;
    }

    /// <summary>All nodes' names: <c>wan</c>, the servers <c>s1</c> and <c>s2</c>, and each site's routers and hosts.</summary>
    public IEnumerable<string> Nodes => _topology.Addresses.Keys;

    /// <summary>Null where a lab can be built, else the reason why not, as the second half of a sentence ("… because REASON").</summary>
    public static string? WhyUnavailable() => LabAvailability.WhyNot;

    /// <summary>Builds a lab of these sites, two servers with two public addresses each, and the Internet between them.</summary>
    /// <exception cref="ArgumentException">The sites contradict themselves or each other.</exception>
    /// <exception cref="InvalidOperationException">The machine cannot do it; the message quotes the tool that failed.</exception>
    public static async Task<NatLab> UpAsync(IReadOnlyList<LabSite> sites, CancellationToken cancellationToken)
    {
        var topology = LabTopology.Of(sites);
        var holder = LabTools.Start(LabScript.Shell);
        try
        {
            LabTools.Feed(holder, LabScript.For(topology));
            var errors = holder.StandardError.ReadToEndAsync(CancellationToken.None);
            var firstLine = await holder.StandardOutput.ReadLineAsync(cancellationToken).AsTask().WaitAsync(BuildTimeout, cancellationToken);
            if (firstLine is not LabScript.Ready)
                throw new InvalidOperationException($"Building the lab failed: {(await errors).Trim()}");
            return new NatLab(topology, holder);
        }
        catch
        {
            await EndAsync(holder);
            throw;
        }
    }

    /// <summary>The node's address as its neighbours see it: a host's on its LAN, a router's outside, a server's first.</summary>
    /// <exception cref="ArgumentException">There is no such node.</exception>
    public IPAddress AddressOf(string node) => AddressesOf(node)[0];

    /// <inheritdoc cref="AddressOf"/>
    public IReadOnlyList<IPAddress> AddressesOf(string node) => _topology.Addresses.TryGetValue(node, out var addresses)
        ? addresses
        : throw new ArgumentException($"There is no node {node} here, only {string.Join(' ', Nodes)}.", nameof(node));

    /// <summary>Where the node's network namespace can be entered, for as long as the lab is up.</summary>
    public string NetworkNamespaceOf(string node)
    {
        _ = AddressOf(node);
        return $"/proc/{_holder.Id}/root/run/netns/{node}";
    }

    /// <summary>Starts a program in a node, in the directory /, with its standard streams redirected to us.</summary>
    /// <exception cref="ArgumentException">There is no such node.</exception>
    public LabProcess Start(string node, string fileName, params IEnumerable<string> arguments)
    {
        _ = AddressOf(node);

        // setsid: Ctrl+C at our terminal is ours to handle, not the lab's.
        // The holder's own PID namespace is still ours; the one of its child, and of all that we start, is pid_for_children.
        // ip netns exec: beyond the network namespace it mounts the /sys that belongs to it, from which .NET lists interfaces.
        return new LabProcess(LabTools.Start([
            "setsid", "nsenter", $"--mount=/proc/{_holder.Id}/ns/mnt", $"--pid=/proc/{_holder.Id}/ns/pid_for_children",
            "ip", "netns", "exec", node, fileName, .. arguments]));
    }

    /// <summary>Runs a shell script in a node to its end, and returns what it printed.</summary>
    /// <exception cref="InvalidOperationException">It failed; the message has what it said.</exception>
    public async Task<string> RunAsync(string node, string script, CancellationToken cancellationToken)
    {
        await using var process = Start(node, "sh", "-ec", script);
        process.EndInput();
        var output = await process.StandardOutput.ReadToEndAsync(cancellationToken);
        var exitCode = await process.WaitForExitAsync(cancellationToken);
        return exitCode == 0
            ? output
            : throw new InvalidOperationException($"In {node}, exit code {exitCode}: {process.ErrorTail}");
    }

    /// <summary>Takes the lab down, with every process in it.</summary>
    public async ValueTask DisposeAsync() => await EndAsync(_holder);

    private static async Task EndAsync(Process holder)
    {
        LabTools.EndInput(holder);
        try
        {
            await holder.WaitForExitAsync().WaitAsync(EndTimeout);
        }
        catch (TimeoutException)
        {
            holder.Kill(); // its child dies with it, and with that child the rest
        }

        holder.Dispose();
    }
}
