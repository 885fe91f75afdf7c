using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Coordination;

/// <summary>Of a server's connections, in all and of one address.</summary>
internal sealed record AdmissionLimits
{
    /// <summary>In TLS or before it: each costs about 20 kB, and a signature soon. 10 s of them all are 100 a second.</summary>
    public int MaxHalfOpen { get; init; } = 1_000;

    /// <summary>Everybody behind a carrier's address who comes back at the same moment, once the server was away.</summary>
    public int MaxHalfOpenPerAddress { get; init; } = 64;

    public int MaxConnections { get; init; } = CoordinationLimits.MaxConnections;

    /// <summary>A peer has at most 256 rooms, with a connection each: two such behind one address.</summary>
    public int MaxConnectionsPerAddress { get; init; } = 512;

    /// <summary>A join costs a TLS handshake and an agreement on keys, 2 ms together: 4 % of a core.</summary>
    public int JoinsPerSecondPerAddress { get; init; } = 20;

    /// <summary>Joins at once, after a pause: as many as there may be connections.</summary>
    public int JoinBurst { get; init; } = 512;

    /// <summary>Addresses remembered, for their connections or their last joins; 100 bytes each.</summary>
    public int MaxAddresses { get; init; } = 65_536;
}

internal enum AdmissionRefusal
{
    ServerFull,
    TooManyFromAddress,
}

/// <summary>
/// Counts connections and joins by address, so that one address cannot take what is there for all. An IPv6 subscriber
/// has a whole /64 (RFC 6177 §2), which counts as one address. Not thread-safe.
/// </summary>
/// <remarks>Half open, an address that is null is a trusted proxy's, and counts in the total only.</remarks>
internal sealed class Admission(AdmissionLimits limits)
{
    // An address's joins are forgotten when its burst has grown back; looked for as often as that takes.
    private readonly TimeSpan _joinInterval = TimeSpan.FromSeconds(1) / limits.JoinsPerSecondPerAddress;
    private readonly Dictionary<UInt128, Tally> _tallies = [];
    private Timestamp _sweepAt;

    public int HalfOpen { get; private set; }

    public int Connections { get; private set; }

    /// <summary>Addresses that are remembered.</summary>
    public int Addresses => _tallies.Count;

    /// <summary>A TCP connection, of which nothing is known yet. False: to be closed at once, and not counted.</summary>
    public bool TryOpen(Endpoint? from, Timestamp now)
    {
        if (HalfOpen == limits.MaxHalfOpen) return false;
        if (from is { } address)
        {
            if (Find(address, now) is not { } tally || tally.HalfOpen == limits.MaxHalfOpenPerAddress) return false;
            tally.HalfOpen++;
        }
        HalfOpen++;
        return true;
    }

    /// <summary>A half-open connection has become a connection, or ended before.</summary>
    public void EndHalfOpen(Endpoint? from)
    {
        HalfOpen--;
        if (from is { } address) _tallies[AddressScope.SiteOf(address)].HalfOpen--;
    }

    /// <summary>Counts a connection; null where there is room for it.</summary>
    public AdmissionRefusal? Connect(Endpoint from, Timestamp now)
    {
        if (Connections == limits.MaxConnections || Find(from, now) is not { } tally) return AdmissionRefusal.ServerFull;
        if (tally.Connections == limits.MaxConnectionsPerAddress) return AdmissionRefusal.TooManyFromAddress;
        tally.Connections++;
        Connections++;
        return null;
    }

    public void Disconnect(Endpoint from)
    {
        Connections--;
        _tallies[AddressScope.SiteOf(from)].Connections--;
    }

    /// <summary>Takes a join from the address's budget (a leaky bucket, as in ITU-T I.371 annex A).</summary>
    public bool TryJoin(Endpoint from, Timestamp now)
    {
        if (Find(from, now) is not { } tally) return false;
        var due = Timestamp.Max(tally.JoinsPaidUntil, now);
        if (due - now > (limits.JoinBurst - 1) * _joinInterval) return false;
        tally.JoinsPaidUntil = due + _joinInterval;
        return true;
    }

    // Null: an address more than we remember.
    private Tally? Find(Endpoint address, Timestamp now)
    {
        Sweep(now);
        var key = AddressScope.SiteOf(address);
        if (_tallies.TryGetValue(key, out var tally)) return tally;
        if (_tallies.Count == limits.MaxAddresses) return null;
        _tallies.Add(key, tally = new Tally());
        return tally;
    }

    private void Sweep(Timestamp now)
    {
        if (now < _sweepAt) return;
        _sweepAt = now + (limits.JoinBurst * _joinInterval);
        foreach (var (key, tally) in _tallies)
        {
            // Removing is what a dictionary allows while it is walked.
            if (tally is { HalfOpen: 0, Connections: 0 } && tally.JoinsPaidUntil <= now) _tallies.Remove(key);
        }
    }


    private sealed class Tally
    {
        public int HalfOpen { get; set; }

        public int Connections { get; set; }

        public Timestamp JoinsPaidUntil { get; set; }
    }
}
