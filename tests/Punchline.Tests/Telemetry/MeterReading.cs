using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Punchline.Tests.Telemetry;

/// <summary>Listens to a meter, as a collector would: sums by instrument and tags, and how many measurements made them.</summary>
internal sealed class MeterReading : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    private readonly MeterListener _listener = new();
    private readonly ConcurrentDictionary<string, (double Sum, int Count)> _recorded = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, double> _observed = new(StringComparer.Ordinal);

    public MeterReading(string meter)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == meter) listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Take(instrument, value, tags));
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Take(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Take(instrument, value, tags));
        _listener.Start();
    }

    /// <summary>What an observed instrument says now; 0 where it says nothing.</summary>
    /// <param name="instrument">With its tags as <c>name{key=value}</c>.</param>
    public double Observe(string instrument)
    {
        _listener.RecordObservableInstruments();
        return _observed.GetValueOrDefault(instrument);
    }

    /// <summary>What was recorded as it happened.</summary>
    /// <param name="instrument">With its tags as <c>name{key=value}</c>.</param>
    public (double Sum, int Count) Recorded(string instrument) => _recorded.GetValueOrDefault(instrument);

    /// <summary>Waits for what comes about beside the test.</summary>
    public static async Task UntilAsync(Func<bool> condition, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Patience);
        while (!condition()) await Task.Delay(Pause, limit.Token);
    }

    public void Dispose() => _listener.Dispose();

    private void Take(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var name = tags.IsEmpty ? instrument.Name : $"{instrument.Name}{{{string.Join(',', tags.ToArray().Select(tag => $"{tag.Key}={tag.Value}"))}}}";
        if (instrument.IsObservable) _observed[name] = value;
        else _recorded.AddOrUpdate(name, (value, 1), (_, known) => (known.Sum + value, known.Count + 1));
    }
}
