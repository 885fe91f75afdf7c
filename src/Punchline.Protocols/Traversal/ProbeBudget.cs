using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport.Handshake;

namespace Punchline.Protocols.Traversal;

/// <summary>
/// What may be sent to an address before it gave an authenticated reply, so that nobody makes of us a weapon against a
/// third party: 12 packets and 3,000 bytes to it in one attempt, and 64 packets a minute to one IP address over all peers and rooms.
/// Of IPv6 a /64 counts as one: whoever has it names 2^64 addresses in it, which are one machine's, or one link's like what is behind an IPv4 router.
/// Some of that is kept for answers to genuine message 1s, so that members who name a third one's address, and spend what
/// may go there, do not keep us from that one.
/// </summary>
internal sealed class ProbeBudget
{
    public const int MaxPacketsPerEndpoint = 12;
    public const int MaxBytesPerEndpoint = 3_000;
    public const int MaxPacketsPerAddressAndMinute = 64;

    /// <summary>Of an endpoint's packets, those that only answers may take: the plans use the other 11.</summary>
    public const int AnswersPerEndpoint = 1;

    /// <summary>Of an address's packets, those that only answers may take: eight peers behind one router.</summary>
    public const int AnswersPerAddress = 8;

    /// <summary>
    /// Of an address's packets, those that hellos without a server may take: one endpoint's 11 with their openers, and half of another's. A router that gives every
    /// destination another port stands under a topic at eight and more; what is left is for the time when a member tells who is behind it.
    /// </summary>
    public const int HellosPerAddress = 20;

    /// <summary>Endpoints remembered, at most: beyond that nothing unauthenticated is sent. 64 peers of 30 candidates fit twice.</summary>
    public const int MaxEndpoints = 4_096;

    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly Dictionary<Endpoint, Use> _endpoints = [];
    private readonly Dictionary<UInt128, Use> _addresses = [];

    /// <summary>Endpoints so far that a packet was the first to in a minute: each may be a new entry in a router's table.</summary>
    public ulong FiveTuples { get; private set; }

    /// <summary>
    /// Takes an opener from a fresh socket. Such a one dies within four hops of us: it is counted with what goes to the IP address, and not
    /// against the endpoint, whose packets went out from the socket that did not do. False where nothing may go there.
    /// </summary>
    public bool TryTakeFreshOpener(Endpoint destination, Timestamp now)
    {
        var address = UseOf(AddressScope.SiteOf(destination), now);
        if (address.Packets >= MaxPacketsPerAddressAndMinute - AnswersPerAddress || (_addresses.Count >= MaxEndpoints && address.Packets == 0)) return false;
        FiveTuples++;
        _addresses[AddressScope.SiteOf(destination)] = address.Add(1);
        return true;
    }

    /// <summary>Takes a hello, or its opener, which goes to where anybody may have written that somebody is.</summary>
    public bool TryTakeHello(Endpoint destination, int bytes, Timestamp now) =>
        UseOf(AddressScope.SiteOf(destination), now).Packets < HellosPerAddress && TryTake(destination, bytes, isAnswer: false, now);

    /// <summary>Takes a packet from the budget of its destination. False where it is used up: nothing is taken then.</summary>
    /// <param name="destination">Where to.</param>
    /// <param name="bytes">Its length.</param>
    /// <param name="isAnswer">It goes to where a genuine packet of the peer's came from, and not where somebody says that a peer is.</param>
    /// <param name="now">The time.</param>
    public bool TryTake(Endpoint destination, int bytes, bool isAnswer, Timestamp now)
    {
        if (_endpoints.Count >= MaxEndpoints) Sweep(now);
        if (_endpoints.Count >= MaxEndpoints && !_endpoints.ContainsKey(destination)) return false;
        var isNew = !_endpoints.TryGetValue(destination, out var endpoint) || now - endpoint.First >= Minute;
        var address = UseOf(AddressScope.SiteOf(destination), now);
        if (isNew) endpoint = new Use(0, 0, now);
        var (keptOfEndpoint, keptOfAddress) = isAnswer ? (0, 0) : (AnswersPerEndpoint, AnswersPerAddress);
        var keptBytes = keptOfEndpoint * HandshakePacket.CookiedMessage1Length;
        if (endpoint.Packets >= MaxPacketsPerEndpoint - keptOfEndpoint || endpoint.Bytes + bytes > MaxBytesPerEndpoint - keptBytes) return false;
        if (address.Packets >= MaxPacketsPerAddressAndMinute - keptOfAddress) return false;
        if (isNew) FiveTuples++;
        _endpoints[destination] = endpoint.Add(bytes);
        _addresses[AddressScope.SiteOf(destination)] = address.Add(bytes);
        return true;
    }

    /// <summary>An authenticated reply came from there: it wants our packets.</summary>
    public void Restore(Endpoint endpoint)
    {
        _endpoints.Remove(endpoint);
        _addresses.Remove(AddressScope.SiteOf(endpoint));
    }

    /// <summary>An authenticated packet came from there that ends nothing yet: as much again may follow. What may go to its IP address stays.</summary>
    public void Renew(Endpoint endpoint) => _endpoints.Remove(endpoint);

    private Use UseOf(UInt128 address, Timestamp now) =>
        _addresses.TryGetValue(address, out var use) && now - use.First < Minute ? use : new Use(0, 0, now);

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

    private readonly record struct Use(int Packets, int Bytes, Timestamp First)
    {
        public Use Add(int bytes) => new(Packets + 1, Bytes + bytes, First);
    }
}
