using System.Collections.Immutable;

namespace Punchline.Cli.Session;

/// <summary>A room's messages and notices, of which the oldest go where there are too many.</summary>
internal sealed class RoomLog
{
    /// <summary>A day of talk.</summary>
    public const int MaxEntries = 10_000;

    /// <summary>Of all entries together, in UTF-16 units: 32 MiB. The longest message fits many times.</summary>
    public const int MaxCharacters = 16 << 20;

    /// <summary>Messages that a member was told to have before this peer's own task got to know their numbers.</summary>
    public const int MaxEarly = 1024;

    private readonly Dictionary<long, LogEntry> _entries = [];
    private readonly Dictionary<ulong, long> _sent = [];
    private readonly Dictionary<ulong, ImmutableHashSet<PeerId>> _early = [];
    private long _first = 1;
    private long _next = 1;
    private long _characters;
    private ulong _lastSent;

    /// <summary>The number of the next entry.</summary>
    public long Next => _next;

    public T Add<T>(T entry)
        where T : LogEntry
    {
        _entries[_next++] = entry;
        _characters += entry.Text.Length;
        while (_entries.Count > MaxEntries || _characters > MaxCharacters) RemoveOldest();
        return entry;
    }

    public LogEntry.Sent AddSent(DateTimeOffset now, string text, ulong id, IEnumerable<PeerId> members)
    {
        var delivered = _early.Remove(id, out var early) ? early : [];
        _lastSent = id;
        _sent[id] = _next;
        return Add(new LogEntry.Sent(_next, now, text, id, delivered.Union(members), delivered));
    }

    /// <returns>The entry as it is now; null: it is gone, or not here yet.</returns>
    public LogEntry.Sent? Deliver(ulong id, PeerId peer)
    {
        if (_sent.TryGetValue(id, out var number))
        {
            var sent = (LogEntry.Sent)_entries[number];
            var delivered = sent with { Recipients = sent.Recipients.Add(peer), DeliveredTo = sent.DeliveredTo.Add(peer) };
            _entries[number] = delivered;
            return delivered;
        }
        // Numbers rise, so a higher one is about to be told of here, and a lower one is forgotten.
        if (id > _lastSent && (_early.Count < MaxEarly || _early.ContainsKey(id))) _early[id] = _early.GetValueOrDefault(id, []).Add(peer);
        return null;
    }

    public ImmutableArray<LogEntry> Snapshot()
    {
        var entries = ImmutableArray.CreateBuilder<LogEntry>(_entries.Count);
        for (var number = _first; number < _next; number++) entries.Add(_entries[number]);
        return entries.MoveToImmutable();
    }

    private void RemoveOldest()
    {
        _entries.Remove(_first++, out var oldest);
        _characters -= oldest!.Text.Length;
        if (oldest is LogEntry.Sent sent) _sent.Remove(sent.Id);
    }
}
