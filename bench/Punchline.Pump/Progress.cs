using System.Diagnostics;

namespace Punchline.Pump;

/// <summary>How a transfer goes: a line a second, the longest time without a byte, and what it has cost.</summary>
internal sealed class Progress(Report report)
{
    private static readonly TimeSpan LineInterval = TimeSpan.FromSeconds(1);

    private readonly TimeSpan _cpuAtStart = Environment.CpuUsage.TotalTime;
    private readonly long _allocatedAtStart = GC.GetTotalAllocatedBytes();
    private readonly long _start = Stopwatch.GetTimestamp();
    private long _lastByte = Stopwatch.GetTimestamp();
    private long _lastLine = Stopwatch.GetTimestamp();
    private long _bytesAtLastLine;
    private TimeSpan _longestGap;

    public long Bytes { get; private set; }

    public void Add(int bytes)
    {
        var now = Stopwatch.GetTimestamp();
        var gap = Stopwatch.GetElapsedTime(_lastByte, now);
        if (gap > _longestGap) _longestGap = gap;
        _lastByte = now;
        Bytes += bytes;
        var sinceLine = Stopwatch.GetElapsedTime(_lastLine, now);
        if (sinceLine < LineInterval) return;
        report.Write("progress", ("bytes", Bytes), ("mbPerSecond", Rate(Bytes - _bytesAtLastLine, sinceLine)));
        _lastLine = now;
        _bytesAtLastLine = Bytes;
    }

    /// <summary>The last line.</summary>
    public void Finish(string side, string sha256, bool isWhole, PeerConnectionStatistics counted)
    {
        var elapsed = Stopwatch.GetElapsedTime(_start);
        report.Write(
            "done",
            ("side", side),
            ("whole", isWhole),
            ("bytes", Bytes),
            ("sha256", sha256),
            ("seconds", Math.Round(elapsed.TotalSeconds, 3)),
            ("mbPerSecond", Rate(Bytes, elapsed)),
            ("cpuSecondsPerGb", Math.Round((Environment.CpuUsage.TotalTime - _cpuAtStart).TotalSeconds / Bytes * 1e9, 2)),
            ("allocatedBytesPerMb", Math.Round((GC.GetTotalAllocatedBytes() - _allocatedAtStart) / (Bytes / 1e6))),
            ("longestGapMs", Math.Round(_longestGap.TotalMilliseconds, 1)),
            ("roundTripMs", Math.Round(counted.RoundTrip.TotalMilliseconds, 2)),
            ("packetBytes", counted.PacketBytes),
            ("packetsSent", counted.PacketsSent),
            ("packetsLost", counted.PacketsLost),
            ("packetsReceived", counted.PacketsReceived));
    }

    private static double Rate(long bytes, TimeSpan elapsed) => Math.Round(bytes / elapsed.TotalSeconds / 1e6, 2);
}
