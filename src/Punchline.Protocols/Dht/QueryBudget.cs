using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Dht;

/// <summary>
/// What may be asked: so many queries a second, and so many addresses in two minutes, for each is an entry in our router's
/// table, which has few.
/// </summary>
internal sealed class QueryBudget
{
    public const int PerSecond = 32;
    public const int Burst = 32;

    /// <summary>Addresses of a family in <see cref="Window"/>, for a read-only node: IPv6 has no translator whose table they fill, or another one than IPv4.</summary>
    public const int MaxEndpointsReadOnly = 64;

    /// <summary>Addresses in <see cref="Window"/>, for a node that serves others and has no such router: 32 lookups.</summary>
    public const int MaxEndpoints = 1_024;

    /// <summary>How long an address counts: RFC 4787 §4.3 (REQ-5), "a NAT UDP mapping timer MUST NOT expire in less than two minutes".</summary>
    public static readonly TimeSpan Window = TimeSpan.FromMinutes(2);

    private readonly Pacer _pacer = new(PerSecond, Burst);
    private readonly Dictionary<Endpoint, Timestamp> _ipv4 = [];
    private readonly Dictionary<Endpoint, Timestamp> _ipv6 = [];

    /// <summary>Addresses that count now.</summary>
    public int EndpointCount => _ipv4.Count + _ipv6.Count;

    /// <summary>Addresses so far that a query was the first to in <see cref="Window"/>.</summary>
    public ulong FiveTuples { get; private set; }

    /// <summary>Takes a query to an address from the budget. False where it is used up: nothing is taken then.</summary>
    public bool TryTake(Endpoint endpoint, bool isReadOnly, Timestamp now)
    {
        if (!HasRoom(endpoint, isReadOnly, now) || !_pacer.TryTake(now)) return false;
        var endpoints = EndpointsLike(endpoint);
        if (!endpoints.TryGetValue(endpoint, out var used) || now - used >= Window) FiveTuples++;
        endpoints[endpoint] = now;
        return true;
    }

    /// <summary>When a query to an address may go; not later than <paramref name="now"/> where it may go at once.</summary>
    public Timestamp NextAllowed(Endpoint endpoint, bool isReadOnly, Timestamp now)
    {
        var paced = _pacer.NextAllowed(now);
        return HasRoom(endpoint, isReadOnly, now) ? paced : Timestamp.Max(paced, EndpointsLike(endpoint).Values.Min() + Window);
    }

    private bool HasRoom(Endpoint endpoint, bool isReadOnly, Timestamp now)
    {
        var max = isReadOnly ? MaxEndpointsReadOnly : MaxEndpoints;
        var endpoints = EndpointsLike(endpoint);
        if (endpoints.Count < max || endpoints.ContainsKey(endpoint)) return true;
        foreach (var (known, used) in endpoints)
        {
            if (now - used >= Window) endpoints.Remove(known);
        }
        return endpoints.Count < max;
    }

    private Dictionary<Endpoint, Timestamp> EndpointsLike(Endpoint endpoint) => endpoint.IsIPv4 ? _ipv4 : _ipv6;
}
