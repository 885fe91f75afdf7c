using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Node;

/// <summary>
/// When to ask which of the addresses under an inbox's topic whether the other side of a call is there. Anybody may have written them, so each gets little, and
/// then nothing for a while.
/// </summary>
internal sealed class AddressAsker(NodeServices services)
{
    /// <summary>Addresses remembered.</summary>
    public const int MaxAddresses = 64;

    /// <summary>An address that was asked to no avail is asked again after that at the earliest: a caller may come back to it.</summary>
    public static readonly TimeSpan LeftAloneFor = TimeSpan.FromMinutes(3);

    /// <summary>Hellos to an address, from the first on, for longer than the other side may take until it looks (<see cref="InboxInDht.MaxPollInterval"/>).</summary>
    private static readonly double[] HelloSeconds = [0, 0.25, 0.75, 1.75, 3.75, 7.75, 12, 17, 23, 30];

    /// <summary>Ahead of the first hello, so that routers that take packets to themselves for theirs see ours first (PROTOCOL §5).</summary>
    private static readonly TimeSpan OpenerLead = TimeSpan.FromMilliseconds(20);

    private const byte OpenerTimeToLive = 2;

    private readonly OrderedDictionary<Endpoint, Asked> _addresses = [];

    /// <summary>Addresses that are still being asked.</summary>
    public bool IsAsking => _addresses.Values.Any(asked => asked.Next != Timestamp.Never);

    public Timestamp NextTimeout
    {
        get
        {
            var next = Timestamp.Never;
            foreach (var asked in _addresses.Values) next = Timestamp.Min(next, asked.Next);
            return next;
        }
    }

    public bool Knows(Endpoint address) => _addresses.ContainsKey(address);

    public void Add(Endpoint address, Timestamp now)
    {
        if (services.Reflexive.Contains(address)) return;
        if (_addresses.TryGetValue(address, out var known))
        {
            if (known.Next == Timestamp.Never && now >= known.LeftAloneUntil) _addresses[address] = new Asked(now);
            return;
        }
        if (_addresses.Count == MaxAddresses && !TryForgetOne(now)) return;
        _addresses.Add(address, new Asked(now));
    }

    /// <summary>The other side is there, or gone from there: no more is asked, and whenever it is looked for again that may begin anew.</summary>
    public void Rest(Endpoint address)
    {
        if (_addresses.TryGetValue(address, out var asked)) (asked.Next, asked.LeftAloneUntil) = (Timestamp.Never, Timestamp.Zero);
    }

    public void Clear() => _addresses.Clear();

    /// <summary>An address that is to be asked now, if there is one: by an opener or a hello.</summary>
    public bool TryNext(Timestamp now, out Endpoint address, out byte openerTimeToLive)
    {
        (address, openerTimeToLive) = (default, 0);
        for (var i = 0; i < _addresses.Count; i++)
        {
            var (candidate, asked) = _addresses.GetAt(i);
            if (asked.Next > now) continue;
            if (services.ProbePacer.NextAllowed(now) is var allowed && allowed > now)
            {
                asked.Next = allowed;
                continue;
            }
            address = candidate;
            if (!asked.IsOpened)
            {
                (asked.IsOpened, asked.Next, openerTimeToLive) = (true, now + OpenerLead, OpenerTimeToLive);
            }
            else if (++asked.Hellos < HelloSeconds.Length)
            {
                asked.Next = asked.Started + TimeSpan.FromSeconds(HelloSeconds[asked.Hellos]);
            }
            else
            {
                (asked.Next, asked.LeftAloneUntil) = (Timestamp.Never, now + LeftAloneFor);
            }
            services.ProbePacer.TryTake(now);
            return true;
        }
        return false;
    }

    private bool TryForgetOne(Timestamp now)
    {
        for (var i = 0; i < _addresses.Count; i++)
        {
            var (_, asked) = _addresses.GetAt(i);
            if (asked.Next != Timestamp.Never || now < asked.LeftAloneUntil) continue;
            _addresses.RemoveAt(i);
            return true;
        }
        return false;
    }

    private sealed class Asked(Timestamp now)
    {
        public Timestamp Started { get; } = now;

        public Timestamp Next { get; set; } = now;

        public Timestamp LeftAloneUntil { get; set; }

        public int Hellos { get; set; }

        public bool IsOpened { get; set; }
    }
}
