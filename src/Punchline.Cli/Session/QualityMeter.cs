using System.Collections.Immutable;

namespace Punchline.Cli.Session;

/// <summary>What a connection has counted since its beginning.</summary>
/// <param name="Peer">With whom.</param>
/// <param name="Connection">Tells it from one before it, whose counts were others.</param>
/// <param name="Statistics">The counts.</param>
internal readonly record struct ConnectionMeasurement(PeerId Peer, object Connection, PeerConnectionStatistics Statistics);

/// <summary>Makes samples of what connections count: the difference to the time before.</summary>
internal sealed class QualityMeter(TimeProvider time)
{
    /// <summary>Between samples.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    /// <summary>What is kept of a member.</summary>
    public static readonly TimeSpan Span = TimeSpan.FromHours(1);

    /// <summary>An hour of a member's.</summary>
    public const int MaxSamples = 360;

    private Dictionary<PeerId, ConnectionMeasurement> _before = [];
    private long _takenAt = time.GetTimestamp();

    /// <summary>Samples of the while since the last call. A connection that is new has its first from its beginning.</summary>
    public ImmutableArray<MemberQuality> Take(IEnumerable<ConnectionMeasurement> measurements)
    {
        var duration = time.GetElapsedTime(_takenAt);
        // Nothing has a rate in no time.
        if (duration <= TimeSpan.Zero) return [];
        _takenAt = time.GetTimestamp();
        var now = time.GetUtcNow();
        var taken = new Dictionary<PeerId, ConnectionMeasurement>();
        foreach (var measurement in measurements) taken[measurement.Peer] = measurement;
        var before = _before;
        _before = taken;
        return [.. taken.Values.Select(measurement => new MemberQuality(measurement.Peer, Sample(measurement, before, now, duration)))];
    }

    /// <summary>A member's samples with one more, and without those that are older than <see cref="Span"/>.</summary>
    public static ImmutableArray<QualitySample> Append(ImmutableArray<QualitySample> samples, QualitySample sample)
    {
        var first = Math.Max(0, samples.Length + 1 - MaxSamples);
        while (first < samples.Length && sample.Time - samples[first].Time > Span) first++;
        return [.. samples.AsSpan()[first..], sample];
    }

    private static QualitySample Sample(ConnectionMeasurement measurement, Dictionary<PeerId, ConnectionMeasurement> before, DateTimeOffset now, TimeSpan duration)
    {
        var isSame = before.TryGetValue(measurement.Peer, out var earlier) && ReferenceEquals(earlier.Connection, measurement.Connection);
        var (counted, known) = (measurement.Statistics, isSame ? earlier.Statistics : default);
        return new QualitySample(
            now, duration, counted.RoundTrip, counted.RoundTripVariation,
            counted.PacketsSent - known.PacketsSent, counted.PacketsLost - known.PacketsLost,
            counted.BytesSent - known.BytesSent, counted.BytesReceived - known.BytesReceived, counted.PathChanges - known.PathChanges);
    }
}
