using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Traversal;

/// <summary>
/// SYNs that may go to an address before anything authentic came from it, as <see cref="ProbeBudget"/> is for datagrams: 12 a
/// minute to an address and port, 64 to an IP address over all peers and rooms, of IPv6 to a /64 as there. A system repeats a SYN after 1 and 3 s.
/// </summary>
internal sealed class ConnectBudget
{
    public const int MaxSynsPerEndpoint = 12;
    public const int MaxSynsPerAddress = 64;

    /// <summary>Endpoints remembered, at most: beyond that nothing is connected to.</summary>
    public const int MaxEndpoints = 1_024;

    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly Dictionary<Endpoint, (int Syns, Timestamp First)> _endpoints = [];
    private readonly Dictionary<UInt128, (int Syns, Timestamp First)> _addresses = [];

    /// <summary>SYNs that leave while a connect waits so long: at 0, 1 and 3 s (RFC 6298 §2, whose first RTO is a second).</summary>
    public static int SynsIn(TimeSpan patience) => patience.TotalSeconds switch
    {
        <= 1 => 1,
        <= 3 => 2,
        _ => 3,
    };

    /// <summary>Takes SYNs from the budget of their destination. False where it is used up: nothing is taken then.</summary>
    public bool TryTake(Endpoint destination, int syns, Timestamp now)
    {
        if (_endpoints.Count >= MaxEndpoints) Sweep(now);
        if (_endpoints.Count >= MaxEndpoints && !_endpoints.ContainsKey(destination)) return false;
        var endpoint = Current(_endpoints.GetValueOrDefault(destination, (0, now)), now);
        var address = Current(_addresses.GetValueOrDefault(AddressScope.SiteOf(destination), (0, now)), now);
        if (endpoint.Syns + syns > MaxSynsPerEndpoint || address.Syns + syns > MaxSynsPerAddress) return false;
        _endpoints[destination] = (endpoint.Syns + syns, endpoint.First);
        _addresses[AddressScope.SiteOf(destination)] = (address.Syns + syns, address.First);
        return true;
    }

    /// <summary>A connect ended before its time was over.</summary>
    /// <param name="destination">Where to.</param>
    /// <param name="left">Of its time.</param>
    public void Refund(Endpoint destination, TimeSpan left)
    {
        var syns = left > TimeSpan.Zero ? SynsIn(left) - 1 : 0;
        if (_endpoints.TryGetValue(destination, out var endpoint)) _endpoints[destination] = (Math.Max(0, endpoint.Syns - syns), endpoint.First);
        if (_addresses.TryGetValue(AddressScope.SiteOf(destination), out var address)) _addresses[AddressScope.SiteOf(destination)] = (Math.Max(0, address.Syns - syns), address.First);
    }

    /// <summary>Something authentic came from there.</summary>
    public void Restore(Endpoint endpoint)
    {
        _endpoints.Remove(endpoint);
        _addresses.Remove(AddressScope.SiteOf(endpoint));
    }

    private static (int Syns, Timestamp First) Current((int Syns, Timestamp First) use, Timestamp now) => now - use.First >= Minute ? (0, now) : use;

    private void Sweep(Timestamp now)
    {
        foreach (var (endpoint, use) in _endpoints)
        {
            if (now - use.First >= Minute) _endpoints.Remove(endpoint);
        }
        foreach (var (address, use) in _addresses)
        {
            if (now - use.First >= Minute) _addresses.Remove(address);
        }
    }
}
