using Punchline.Protocols.Traversal;

namespace Punchline.Cli.Doctor;

/// <summary>A fact about the network.</summary>
/// <param name="Label">Of what.</param>
/// <param name="Text">What it is, in words; null: not known.</param>
internal sealed record Finding(string Label, string? Text);

/// <summary>What helps.</summary>
/// <param name="Code">Stable: programs rely on it.</param>
/// <param name="Text">For people.</param>
internal sealed record Advice(string Code, string Text);

/// <summary>What can be expected of a peer in some other network.</summary>
internal sealed record OtherProspect(OtherNetwork Network, Prospect Prospect);

/// <summary>A place on the way to the internet.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Detail">Its address, or what else is known of it.</param>
internal sealed record WayStation(string Name, string Detail);

/// <summary>All that the doctor has to say, without any screen: terminal, program and page show the same.</summary>
internal sealed record Diagnosis
{
    public required NetworkReport Report { get; init; }

    /// <summary>The network's sort.</summary>
    public required NetworkKind Kind { get; init; }

    public required IReadOnlyList<WayStation> Way { get; init; }

    public required IReadOnlyList<Finding> Findings { get; init; }

    public required IReadOnlyList<OtherProspect> Prospects { get; init; }

    public required IReadOnlyList<Advice> Advice { get; init; }

    /// <summary>What it does not know, and how to find out.</summary>
    public required IReadOnlyList<Advice> Unknown { get; init; }

    /// <summary>A pure function of what was found.</summary>
    public static Diagnosis Of(NetworkReport report) => new()
    {
        Report = report,
        Kind = NetworkKind.Of(report),
        Way = WayOut.Of(report),
        Findings = DoctorFindings.Of(report),
        Prospects = report.ServersAnswered == 0 && report.Udp is null ? [] : [.. OtherNetworks.All.Where(other => report.HasIPv6 || !other.Traits.HasIPv6).Select(other => new OtherProspect(other, Prospect.Between(report.Traits, other.Traits)))],
        Advice = DoctorAdvice.Of(report),
        Unknown = DoctorAdvice.UnknownOf(report),
    };
}
