using Punchline.Cli.Lab;

// Labs share two cores and the kernel's attention; what they measure should be theirs.
[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace Punchline.Lab.Tests.Harness;

/// <summary>Where a lab is impossible its tests are skipped with the reason. CI has a lab: there, that is a failure.</summary>
internal static class LabRequirement
{
    public const string Variable = "PUNCHLINE_REQUIRE_LAB";

    public static void Check()
    {
        if (NatLab.WhyUnavailable() is not { } reason)
            return;
        if (Environment.GetEnvironmentVariable(Variable) is "1")
            Assert.Fail($"{Variable}=1, and yet there is no lab here, because {reason}.");
        Assert.Skip($"No lab here, because {reason}.");
    }
}
