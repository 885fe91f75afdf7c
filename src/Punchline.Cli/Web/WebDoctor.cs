using Punchline.Cli.Doctor;
using Punchline.Cli.Verbs;
using Punchline.Engine;
using Punchline.Protocols.Traversal;

namespace Punchline.Cli.Web;

/// <summary>What the doctor says, for the page to show.</summary>
/// <param name="Kind">The network's sort, in a sentence.</param>
/// <param name="Way">From this machine to the internet.</param>
/// <param name="Findings">What was found.</param>
/// <param name="Prospects">What works with which other network.</param>
/// <param name="Advice">What would help.</param>
/// <param name="Unknown">What is not known, and how to find out.</param>
internal sealed record WebDiagnosis(
    string Kind, IReadOnlyList<WayStation> Way, IReadOnlyList<Finding> Findings, IReadOnlyList<WebProspect> Prospects, IReadOnlyList<string> Advice, IReadOnlyList<string> Unknown)
{
    public static WebDiagnosis Of(Diagnosis diagnosis) => new(
        diagnosis.Kind.Text, diagnosis.Way, diagnosis.Findings, [.. diagnosis.Prospects.Select(WebProspect.Of)],
        [.. diagnosis.Advice.Select(advice => advice.Text)], [.. diagnosis.Unknown.Select(unknown => unknown.Text)]);
}

/// <param name="With">A peer behind what.</param>
/// <param name="Sign"><c>yes</c>, <c>maybe</c>, <c>no</c> or <c>unknown</c>.</param>
/// <param name="How">In words.</param>
internal sealed record WebProspect(string With, string Sign, string How)
{
    public static WebProspect Of(OtherProspect other) => new(other.Network.Name, SignOf(other.Prospect.Kind), PlainDoctorOutput.WordsOf(other.Prospect));

    private static string SignOf(ProspectKind kind) => kind switch
    {
        ProspectKind.None => "no",
        ProspectKind.Unknown => "unknown",
        ProspectKind.Search or ProspectKind.Tcp => "maybe",
        _ => "yes",
    };
}

/// <summary>Examines the network for the page, as the verb does: with a node of its own, so that no room notices. Thread-safe.</summary>
/// <param name="mapsNoPort">The router is not asked for a port.</param>
internal sealed class WebDoctor(bool mapsNoPort)
{
    private int _isBusy;

    /// <param name="server">A coordination server to look from; empty: none.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="UsageException">That is no server, or the network is being examined already.</exception>
    public async Task<WebDiagnosis> ExamineAsync(string server, CancellationToken cancellationToken)
    {
        var named = server.Trim();
        StunServerName[] servers = named.Length == 0 ? [] : [DoctorVerb.ParseServer(named)];
        if (Interlocked.Exchange(ref _isBusy, 1) == 1) throw new UsageException("The network is being examined already.");
        try
        {
            await using var node = await PeerNode.StartAsync(new PeerNodeOptions { DisablePortMapping = mapsNoPort }, cancellationToken);
            NetworkReport? last = null;
            await foreach (var report in node.ExamineNetworkAsync(servers, cancellationToken)) last = report;
            return WebDiagnosis.Of(Diagnosis.Of(last ?? new NetworkReport()));
        }
        finally
        {
            Volatile.Write(ref _isBusy, 0);
        }
    }
}
