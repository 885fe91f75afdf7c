using System.Diagnostics.CodeAnalysis;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Node;

/// <summary>How often addresses are asked whether somebody is there.</summary>
/// <param name="MaxAddresses">Remembered, asked or left alone.</param>
/// <param name="OpenedHellos">The first so many hellos have an opener ahead of them.</param>
/// <param name="HelloSeconds">When hellos go to an address, from the first on.</param>
/// <param name="LeftAloneFor">An address that was asked to no avail is asked again after that at the earliest.</param>
internal sealed record AskingPlan(int MaxAddresses, int OpenedHellos, IReadOnlyList<double> HelloSeconds, TimeSpan LeftAloneFor);

/// <summary>An address that is asked, or was.</summary>
internal class AskedAddress
{
    public Timestamp Started { get; private set; }

    /// <summary>When it is asked next; never, where it is at rest.</summary>
    public Timestamp Next { get; set; }

    public Timestamp LeftAloneUntil { get; private set; }

    public int Hellos { get; set; }

    /// <summary>The opener ahead of the next hello is out.</summary>
    public bool IsOpened { get; set; }

    /// <summary>It has spoken first, and asking has begun anew with that.</summary>
    public bool IsInvited { get; private set; }

    public void Start(Timestamp at) => (Started, Next, Hellos, IsOpened, IsInvited) = (at, at, 0, false, false);

    public void StartInvited(Timestamp at) => (Started, Next, Hellos, IsOpened, IsInvited) = (at, at, 0, true, true);

    public void Rest(Timestamp until) => (Next, LeftAloneUntil) = (Timestamp.Never, until);
}

/// <summary>
/// When to ask which of the addresses under a topic, or heard on a link, whether the one is there that is looked for (PROTOCOL §2). Anybody may have written them, so
/// each gets little, and then nothing for a while.
/// </summary>
/// <param name="services">The node's.</param>
/// <param name="plan">How often.</param>
internal sealed class AddressAsker<TAddress>(NodeServices services, AskingPlan plan)
    where TAddress : AskedAddress, new()
{
    /// <summary>So that routers that take packets to themselves for theirs see ours first (PROTOCOL §5).</summary>
    private static readonly TimeSpan OpenerLead = TimeSpan.FromMilliseconds(20);

    private readonly OrderedDictionary<Endpoint, TAddress> _addresses = [];

    public IEnumerable<KeyValuePair<Endpoint, TAddress>> Addresses => _addresses;

    public bool IsAsking => NextTimeout != Timestamp.Never;

    public Timestamp NextTimeout
    {
        get
        {
            var next = Timestamp.Never;
            foreach (var asked in _addresses.Values) next = Timestamp.Min(next, asked.Next);
            return next;
        }
    }

    public bool TryGet(Endpoint address, [NotNullWhen(true)] out TAddress? asked) => _addresses.TryGetValue(address, out asked);

    /// <summary>Somebody may be at an address. True: it is asked, and was not before.</summary>
    /// <param name="address">Where.</param>
    /// <param name="now">The time, or when it is to be asked.</param>
    /// <param name="asked">What is remembered of it.</param>
    public bool TryAdd(Endpoint address, Timestamp now, [NotNullWhen(true)] out TAddress? asked)
    {
        asked = null;
        if (services.Reflexive.Contains(address)) return false;
        if (_addresses.TryGetValue(address, out var known) && (known.Next != Timestamp.Never || now < known.LeftAloneUntil)) return false;
        if (!TryRemember(address, now, out asked)) return false;
        asked.Start(now);
        return true;
    }

    /// <summary>Somebody at an address asks for us: it is asked from the beginning, once.</summary>
    public void Invite(Endpoint address, Timestamp now)
    {
        if (TryAdd(address, now, out var asked) || (_addresses.TryGetValue(address, out asked) && !asked.IsInvited)) asked.StartInvited(now);
    }

    /// <summary>Somebody is at an address, which need not be asked. False where as many as may be are remembered.</summary>
    public bool TryRemember(Endpoint address, Timestamp now, [NotNullWhen(true)] out TAddress? asked)
    {
        if (_addresses.TryGetValue(address, out asked)) return true;
        if (_addresses.Count == plan.MaxAddresses && !TryForgetOldest(now)) return false;
        asked = new TAddress();
        asked.Rest(Timestamp.Zero);
        _addresses.Add(address, asked);
        return true;
    }

    /// <summary>No more is asked there, and whenever it is looked for again that may begin anew.</summary>
    public void Rest(Endpoint address)
    {
        if (_addresses.TryGetValue(address, out var asked)) asked.Rest(Timestamp.Zero);
    }

    public void Clear() => _addresses.Clear();

    /// <summary>An address that is to be asked now, if there is one: by an opener with the given time-to-live or, where that is 0, by a hello.</summary>
    public bool TryNext(Timestamp now, out Endpoint address, [NotNullWhen(true)] out TAddress? asked, out byte openerTimeToLive)
    {
        openerTimeToLive = 0;
        for (var i = 0; i < _addresses.Count; i++)
        {
            (address, asked) = _addresses.GetAt(i);
            if (asked.Next > now) continue;
            if (!services.ProbePacer.TryTake(now))
            {
                asked.Next = services.ProbePacer.NextAllowed(now);
                continue;
            }
            if (asked.Hellos < plan.OpenedHellos && !asked.IsOpened)
            {
                openerTimeToLive = PunchPlan.OpenerTimeToLiveOf(services.OwnRouters, asked.Hellos);
                (asked.IsOpened, asked.Next) = (true, now + OpenerLead);
                return true;
            }
            asked.IsOpened = false;
            if (++asked.Hellos < plan.HelloSeconds.Count) asked.Next = asked.Started + TimeSpan.FromSeconds(plan.HelloSeconds[asked.Hellos]);
            else asked.Rest(now + plan.LeftAloneFor);
            return true;
        }
        (address, asked) = (default, null);
        return false;
    }

    // Whose time to be left alone has ended, or who has been met.
    private bool TryForgetOldest(Timestamp now)
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
}
