namespace Punchline.Cli.Lab;

/// <summary>Whether this machine can have a lab. The only sure way to know is to try, with the smallest lab there is.</summary>
internal static class LabAvailability
{
    private static readonly TimeSpan ProbeTimeout = TimeSpan.FromSeconds(10);

    private static readonly Lazy<string?> Reason = new(Find);

    /// <summary>Null, or the reason. Found out once, in some 50 ms.</summary>
    public static string? WhyNot => Reason.Value;

    private static string? Find()
    {
        if (!OperatingSystem.IsLinux())
            return "network namespaces with real NATs exist on Linux only";
        if (!Environment.IsPrivilegedProcess)
            return "only root may make network namespaces";
        var missing = LabTools.Required.Where(tool => !LabTools.IsInstalled(tool.Name)).ToList();
        if (missing.Count > 0)
        {
            return $"{string.Join(", ", missing.Select(tool => tool.Name))} not found "
                + $"(apt-get install {string.Join(' ', missing.Select(tool => tool.Package).Distinct(StringComparer.Ordinal))})";
        }

        using var probe = LabTools.Start(LabScript.Shell);
        string? firstError = null;
        probe.ErrorDataReceived += (_, line) => firstError ??= line.Data;
        probe.BeginErrorReadLine();
        LabTools.Feed(probe, LabScript.Probe);
        LabTools.EndInput(probe);
        if (!probe.WaitForExit(ProbeTimeout))
        {
            probe.Kill();
            return $"a trial of the kernel's NAT did not end within {ProbeTimeout.TotalSeconds:0} s";
        }

        probe.WaitForExit(); // this one also waits for the last line of errors
        return probe.ExitCode == 0 ? null : $"the kernel refuses: {firstError ?? "no reason given"}";
    }
}
