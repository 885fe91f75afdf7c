using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Mdns;

// The responder: what is ours, on the link where somebody asks.
internal sealed partial class MdnsNode
{
    // RFC 6762 §6: "a Multicast DNS responder MUST NOT multicast a record on a given interface until at least one second has elapsed", and §6 on probes: 250 ms.
    private static readonly TimeSpan RecordInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan DefenceInterval = TimeSpan.FromMilliseconds(250);

    // RFC 6762 §6: an answer that others may give as well is delayed by 20 to 120 ms.
    private static readonly TimeSpan MinAnswerDelay = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan AnswerDelayRange = TimeSpan.FromMilliseconds(100);

    // One each room and network, at most.
    private readonly List<Answer> _answers = [];

    private Timestamp NextAnswer
    {
        get
        {
            var next = Timestamp.Never;
            foreach (var answer in _answers) next = Timestamp.Min(next, answer.DueAt);
            return next;
        }
    }

    private void HandleQuestions(MdnsNetwork network, DnsMessage query, Timestamp now)
    {
        foreach (var instance in _instances)
        {
            if (instance.IsProbing)
            {
                if (query.Authorities.Exists(record => IsConflict(instance, record))) instance.HandleConflict(_random, now);
                continue;
            }
            if (query.Questions.Exists(question => question.Asks(instance.Names.Instance, DnsType.Service, DnsType.Text) || question.Asks(instance.Names.Host, DnsType.A, DnsType.Aaaa)))
            {
                // §6: what is nobody else's is answered at once, above all a probe for it.
                Schedule(instance, network, now, query.Authorities.Count > 0 ? DefenceInterval : RecordInterval, now);
            }
            else if (query.Questions.Exists(question => question.Asks(MdnsService.Name, DnsType.Pointer)) && !IsKnown(instance, query.Answers))
            {
                Schedule(instance, network, now + MinAnswerDelay + (AnswerDelayRange * _random.NextDouble()), RecordInterval, now);
            }
        }
    }

    // RFC 6762 §7.1: not what the asker has, with at least half of its time to live.
    private static bool IsKnown(MdnsInstance instance, List<DnsRecord> known) => known.Exists(record =>
        record is DnsRecord.Pointer pointer && pointer.TimeToLive >= MdnsService.OtherTimeToLive / 2 && pointer.Name.Equals(MdnsService.Name) && pointer.Target.Equals(instance.Names.Instance));

    private void HandleConflicts(List<DnsRecord> records, Timestamp now)
    {
        foreach (var instance in _instances)
        {
            if (records.Exists(record => record.TimeToLive > 0 && IsConflict(instance, record))) Rename(instance, now);
        }
    }

    private void Rename(MdnsInstance instance, Timestamp now)
    {
        _answers.RemoveAll(answer => answer.Instance == instance);
        instance.HandleConflict(_random, now);
    }

    // What says under our name what we would not. Our own packets come back to us, and those of one of our interfaces to another (RFC 6762 §14): they
    // say what is ours.
    private bool IsConflict(MdnsInstance instance, DnsRecord record) => record switch
    {
        DnsRecord.Service service => service.Name.Equals(instance.Names.Instance)
            && !(service.Target.Equals(instance.Names.Host) && _networks.Any(network => network.Addresses[0].Endpoint.Port == service.Port)),
        DnsRecord.Address address => address.Name.Equals(instance.Names.Host)
            && !_networks.Any(network => network.Addresses.Any(ours => ours.Endpoint.Address == address.Value)),
        _ => false,
    };

    private void Schedule(MdnsInstance instance, MdnsNetwork network, Timestamp at, TimeSpan interval, Timestamp now)
    {
        var answer = _answers.Find(known => known.Instance == instance && known.Network == network);
        if (answer is null) _answers.Add(answer = new Answer(instance, network));
        // Who is asked again and again answers as often as he may.
        answer.DueAt = Timestamp.Min(answer.DueAt, Timestamp.Max(at, answer.SentAt is { } sent ? sent + interval : now));
    }

    private void SendAnswers(Timestamp now)
    {
        foreach (var answer in _answers)
        {
            if (now < answer.DueAt) continue;
            answer.DueAt = Timestamp.Never;
            answer.SentAt = now;
            Send(Purpose.Records, answer.Instance.Names, answer.Network);
        }
    }

    private sealed class Answer(MdnsInstance instance, MdnsNetwork network)
    {
        public MdnsInstance Instance { get; } = instance;

        public MdnsNetwork Network { get; } = network;

        public Timestamp DueAt { get; set; } = Timestamp.Never;

        public Timestamp? SentAt { get; set; }
    }
}
