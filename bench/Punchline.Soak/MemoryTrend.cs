using System.Globalization;

namespace Punchline.Soak;

/// <summary>The resident memory of a process over the second half of a run, and the straight line through it (least squares).</summary>
internal sealed class MemoryTrend
{
    private readonly List<(double Hours, double Mebibytes)> _samples = [];

    public int Count => _samples.Count;

    public double Mebibytes => _samples.Count == 0 ? 0 : _samples[^1].Mebibytes;

    /// <summary>Of the line, in MiB an hour.</summary>
    public double Slope
    {
        get
        {
            if (_samples.Count < 2) return 0;
            var (meanTime, meanSize) = (_samples.Average(sample => sample.Hours), _samples.Average(sample => sample.Mebibytes));
            var covariance = _samples.Sum(sample => (sample.Hours - meanTime) * (sample.Mebibytes - meanSize));
            var variance = _samples.Sum(sample => (sample.Hours - meanTime) * (sample.Hours - meanTime));
            return covariance / variance;
        }
    }

    /// <summary>What the line rises by from the first sample to the last.</summary>
    public double Growth => _samples.Count < 2 ? 0 : Slope * (_samples[^1].Hours - _samples[0].Hours);

    public void Add(TimeSpan at, double mebibytes) => _samples.Add((at.TotalHours, mebibytes));

    /// <summary>Resident memory in MiB; null where the process is gone.</summary>
    public static double? Measure(int processId)
    {
        try
        {
            var line = File.ReadLines($"/proc/{processId.ToString(CultureInfo.InvariantCulture)}/status").FirstOrDefault(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
            return line is null ? null : double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
        }
        catch (IOException)
        {
            return null;
        }
    }
}
