using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Mdns;

// The querier: who else is there.
internal sealed partial class MdnsNode
{
    /// <summary>Instances that are remembered, of whatever room. The oldest goes first.</summary>
    public const int MaxSightings = 128;

    /// <summary>Before the same addresses of the same process are told again.</summary>
    public static readonly TimeSpan TellInterval = TimeSpan.FromSeconds(10);

    // RFC 6762 §5.2: the first two a second apart, then at least twice as far each, and an hour at most.
    private static readonly TimeSpan FirstQueryInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MaxQueryInterval = TimeSpan.FromMinutes(60);

    // RFC 6762 §5.2: "20-120 ms", so that not all ask at once that were started at once.
    private static readonly TimeSpan MinQueryDelay = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan QueryDelayRange = TimeSpan.FromMilliseconds(100);

    // Behind the question, each known answer has a pointer to the service's name, 10 bytes, a label, and another pointer.
    private const int KnownAnswerLength = 2 + 10 + 1 + RoomLabel.TextLength + 2;

    // Instances in one message, which may be more than we could remember.
    private const int MaxInstancesPerMessage = 64;

    private const int MaxEvents = 64;

    private readonly List<Sighting> _sightings = [];
    private Timestamp _nextQuery = Timestamp.Never;
    private TimeSpan _queryInterval = FirstQueryInterval;

    private void BeginQuerying(Timestamp now)
    {
        _nextQuery = Timestamp.Min(_nextQuery, now + MinQueryDelay + (QueryDelayRange * _random.NextDouble()));
        _queryInterval = FirstQueryInterval;
    }

    private void SendQuery(Timestamp now)
    {
        _sightings.RemoveAll(sighting => now >= sighting.Expires);
        Send(Purpose.Query, null);
        _nextQuery = now + _queryInterval;
        _queryInterval = _queryInterval * 2 < MaxQueryInterval ? _queryInterval * 2 : MaxQueryInterval;
    }

    private void WriteQuery(ref DnsMessageWriter writer, Timestamp now)
    {
        writer.WriteQuestion(MdnsService.Name, DnsType.Pointer);
        // The question comes back to ourselves (RFC 6762 §14 has other processes of the machine hear it), who know that answer.
        foreach (var instance in _instances)
        {
            if (!instance.IsProbing) writer.WritePointer(DnsSection.Answer, MdnsService.Name, MdnsService.OtherTimeToLive, instance.Names.Instance);
        }
        foreach (var sighting in _sightings)
        {
            if (writer.Length + KnownAnswerLength > MdnsService.MaxSent) break;
            // RFC 6762 §7.1: not what has less than half of its time left, for that is to be confirmed.
            var left = (uint)Math.Max(0, (sighting.Expires - now).TotalSeconds);
            if (left > MdnsService.OtherTimeToLive / 2) writer.WritePointer(DnsSection.Answer, MdnsService.Name, left, sighting.Name);
        }
    }

    // Instances whose records stand in one message together, as ours do.
    private void HandleInstances(MdnsNetwork network, List<DnsRecord> records, List<DnsRecord> others, Timestamp now)
    {
        var all = others.Count == 0 ? records : [.. records, .. others];
        foreach (var pointer in all.OfType<DnsRecord.Pointer>().Where(record => record.Name.Equals(MdnsService.Name)).Take(MaxInstancesPerMessage))
        {
            if (!pointer.Target.IsChildOf(MdnsService.Name) || !RoomLabel.TryDecode(pointer.Target.FirstLabel, out var label)) continue;
            if (_instances.Exists(ours => ours.Names.Instance.Equals(pointer.Target))) continue;
            if (pointer.TimeToLive == 0)
            {
                _sightings.RemoveAll(sighting => sighting.Name.Equals(pointer.Target));
                continue;
            }
            // A name is looked at once: whose it is does not change.
            var known = _sightings.Find(sighting => sighting.Name.Equals(pointer.Target)) ?? Remember(pointer.Target, label);
            known.Expires = now + TimeSpan.FromSeconds(Math.Min(pointer.TimeToLive, MdnsService.OtherTimeToLive));
            if (known.Room is { } room) Tell(room, known, AddressesOf(network, pointer.Target, all), now);
        }
    }

    private Sighting Remember(DnsName name, byte[] label)
    {
        if (_sightings.Count == MaxSightings) _sightings.RemoveAt(0);
        var sighting = new Sighting(name, label, _instances.Find(ours => RoomLabel.IsOf(ours.Key, label))?.Room);
        _sightings.Add(sighting);
        return sighting;
    }

    // Only what is on that very link: nobody is to have us send anywhere else.
    private static List<Endpoint> AddressesOf(MdnsNetwork network, DnsName instance, List<DnsRecord> records)
    {
        var addresses = new List<Endpoint>();
        if (records.OfType<DnsRecord.Service>().FirstOrDefault(record => record.TimeToLive > 0 && record.Name.Equals(instance)) is not { } service) return addresses;
        foreach (var record in records.OfType<DnsRecord.Address>().Where(record => record.TimeToLive > 0 && record.Name.Equals(service.Target)))
        {
            var endpoint = new Endpoint(record.Value, service.Port);
            if (addresses.Count == MdnsNetwork.MaxAddresses) break;
            if (!PunchPlan.IsUsable(endpoint, allowLoopback: false) || addresses.Contains(endpoint)) continue;
            if (network.Addresses.Any(ours => ours.IsOnLink(endpoint) && !ours.IsBroadcast(endpoint) && ours.Endpoint != endpoint)) addresses.Add(endpoint);
        }
        return addresses;
    }

    private void Tell(int room, Sighting sighting, List<Endpoint> addresses, Timestamp now)
    {
        if (addresses.Count == 0 || _events.Count == MaxEvents) return;
        if (now < sighting.ToldAt + TellInterval && sighting.Told.SequenceEqual(addresses)) return;
        (sighting.Told, sighting.ToldAt) = (addresses, now);
        _events.Enqueue(new MdnsSighting(room, sighting.Label, addresses));
    }

    // Room: null where it is of none of ours.
    private sealed class Sighting(DnsName name, byte[] label, int? room)
    {
        public DnsName Name { get; } = name;

        public byte[] Label { get; } = label;

        public int? Room { get; } = room;

        public Timestamp Expires { get; set; }

        public IReadOnlyList<Endpoint> Told { get; set; } = [];

        public Timestamp ToldAt { get; set; }
    }
}
