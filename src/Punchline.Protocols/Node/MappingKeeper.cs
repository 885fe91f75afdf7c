using System.Buffers.Binary;
using System.Security.Cryptography;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport.Paths;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Node;

/// <summary>
/// What is known of how long our router keeps mappings, or of how long a firewall before IPv6 keeps what lets answers in, and when that is found out: once for a network, as soon
/// as a connection stands that needs it, and anew when a path has died that was kept. Of networks that were measured before it is remembered.
/// </summary>
/// <param name="services">The node's.</param>
/// <param name="memory">Of both families.</param>
/// <param name="isIPv4">Of which of them this is.</param>
internal sealed class MappingKeeper(NodeServices services, LifetimeMemory memory, bool isIPv4)
{
    /// <summary>From a connection until the search, which is in no hurry.</summary>
    public static readonly TimeSpan Delay = TimeSpan.FromSeconds(10);

    /// <summary>Until another search where one found nothing: the server did not help, or was lost.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromMinutes(10);

    /// <summary>Until another search where a path died; twice as long with each.</summary>
    public static readonly TimeSpan LossPause = TimeSpan.FromMinutes(1);

    // A path that dies although it is kept halves the interval, so often at most.
    private const int MaxLosses = 4;

    // Watches of one network. The first may have met a reboot; a second one has the last word.
    private const int MaxWatches = 2;

    // A mapping that dies this soon, in intervals, was measured wrongly rather than ended at an age.
    private const double LeastIntervals = 2.5;

    private ulong? _network;
    private LifetimeSearch? _search;
    private MappingAgeWatch? _watch;
    private Endpoint _server;
    private TimeSpan _searched;
    private int _watches;
    private int _losses;
    private Timestamp _next = Timestamp.Never;

    /// <summary>What the present network is remembered by; null before a STUN server has answered.</summary>
    public ulong? Network => _network;

    /// <summary>Of the present network; null before it is known.</summary>
    public MappingLifetime? Lifetime { get; private set; }

    /// <summary>How often paths that were kept have died in this network.</summary>
    public int Losses => _losses;

    /// <summary>A search, or a watch behind it, is under way.</summary>
    public bool IsSearching => _search is not null;

    public Timestamp NextTimeout => Timestamp.Min(_next, Timestamp.Min(_search?.NextTimeout ?? Timestamp.Never, _watch?.NextTimeout ?? Timestamp.Never));

    /// <summary>More is remembered than was.</summary>
    public void HandleRemembered()
    {
        if (Lifetime is null) Recall();
    }

    /// <summary>A connection has a path.</summary>
    public void HandlePath(PathAddress path, Timestamp now)
    {
        if (NeedsKeeping(path) && Lifetime is null && _search is null) _next = Timestamp.Min(_next, now + Delay);
    }

    /// <summary>A STUN server has seen the main socket at this address.</summary>
    public void HandleReflected(Endpoint mapped, Timestamp now)
    {
        var network = Identify(mapped);
        if (network == _network) return;
        Forget();
        _network = network;
        Recall();
        if (Lifetime is null && HasPath) _next = now + Delay;
    }

    /// <summary>We are somewhere else, or may be: nothing that was learnt counts until the network is known.</summary>
    public void Restart()
    {
        Forget();
        Apply();
    }

    /// <summary>A path that was kept, and on which nothing was said, carried nothing any more, and neither side had moved.</summary>
    public void HandleLoss(Timestamp now)
    {
        if (_losses < MaxLosses) _losses++;
        Apply();
        memory.Forget(_network);
        if (_search is null) _next = Timestamp.Min(_next, now + (LossPause * (1 << _losses)));
    }

    public void HandleTimeout(Timestamp now)
    {
        if (_search is { } search)
        {
            search.HandleTimeout(now);
            Follow(search, now);
        }
        if (_watch is { } watch)
        {
            watch.HandleTimeout(now);
            if (watch.IsOver) Conclude(watch, now);
        }
        if (now < _next) return;
        _next = Timestamp.Never;
        if (_search is null && HasPath) Begin(now);
    }

    public bool TryDequeueTransmit(Timestamp now, Span<byte> buffer, out Transmit transmit)
    {
        transmit = default;
        return _search?.TryDequeueTransmit(now, buffer, out transmit) == true || _watch?.TryDequeueTransmit(now, buffer, out transmit) == true;
    }

    private void Recall()
    {
        if (memory.Find(_network) is { } known) (Lifetime, _next) = (known, Timestamp.Never);
        Apply();
    }

    private bool HasPath => services.Routes.HasPath(NeedsKeeping);

    // Of our family, and no neighbour's.
    private bool NeedsKeeping(PathAddress path) =>
        path.Local.Carrier == Carrier.Udp && path.Remote.IsIPv4 == isIPv4 && !AddressScope.IsPrivate(path.Remote) && !AddressScope.IsLoopback(path.Remote);

    private void Begin(Timestamp now)
    {
        var servers = services.Reflectors.StunServersOf(isIPv4).Where(server => !AddressScope.IsLoopback(server)).ToList();
        if (servers.Count == 0)
        {
            _next = now + Pause;
            return;
        }
        // Another one than helped last time, where there is one.
        _server = servers[(servers.IndexOf(_server) + 1) % servers.Count];
        _watch?.End();
        _watch = null;
        _searched = TimeSpan.Zero;
        _search = new LifetimeSearch(services, _server);
    }

    private void Follow(LifetimeSearch search, Timestamp now)
    {
        if (search.Lifetime > _searched)
        {
            _searched = search.Lifetime;
            // What has lived so long need not be asked more often, whatever else is found; what a loss has taken is not given back before the end.
            if (_losses == 0) services.MappingKeepAlive.Set(isIPv4, Longer(new MappingLifetime(_searched).Interval));
        }
        if (!search.IsOver) return;
        _search = null;
        if (search is { IsComplete: true, Lifetime.Ticks: > 0 })
        {
            Learn(new MappingLifetime(search.Lifetime, Lifetime?.MaxAge));
            // A path over IPv6 has no other to go to before an end at an age, which no firewall is known to have.
            if (isIPv4 && _watches < MaxWatches) Watch();
        }
        else
        {
            Apply();
            _next = Timestamp.Min(_next, now + Pause);
        }
    }

    private void Watch()
    {
        _watches++;
        _watch = new MappingAgeWatch(services, _server, () => services.MappingKeepAlive.IPv4);
    }

    private void Conclude(MappingAgeWatch watch, Timestamp now)
    {
        _watch = null;
        if (Lifetime is not { } lifetime) return;
        if (watch.IsDead && watch.Age < LeastIntervals * services.MappingKeepAlive.IPv4)
        {
            HandleLoss(now);
        }
        else if (watch.IsDead)
        {
            Learn(lifetime with { MaxAge = watch.Age });
            if (_watches < MaxWatches) Watch();
        }
        // It outlived what seemed to be an end, or there never was one.
        else if (watch.Age >= MappingAgeWatch.Limit || watch.Age > lifetime.MaxAge + MappingAgeWatch.LookInterval)
        {
            Learn(lifetime with { MaxAge = null });
        }
    }

    private void Learn(MappingLifetime lifetime)
    {
        Lifetime = lifetime;
        Apply();
        if (_network is not { } network) return;
        memory.Learn(network, lifetime with { Idle = lifetime.Idle / (1 << _losses) });
    }

    private void Apply()
    {
        var interval = Lifetime?.Interval ?? MappingKeepAlive.Unmeasured;
        if (_losses > 0) interval = Longer(interval / (1 << _losses));
        services.MappingKeepAlive.Set(isIPv4, interval);
    }

    private static TimeSpan Longer(TimeSpan interval) => interval > MappingKeepAlive.Unmeasured ? interval : MappingKeepAlive.Unmeasured;

    private void Forget()
    {
        _search?.End();
        _watch?.End();
        (_search, _watch, _network, Lifetime) = (null, null, null, null);
        (_watches, _losses, _next) = (0, 0, Timestamp.Never);
    }

    // The router by its outer side, and by its inner one, for several share an address at a carrier; over IPv6, where addresses come and go, by the /64. Nobody else is to read it:
    // it stays on this machine.
    private ulong Identify(Endpoint mapped)
    {
        Span<byte> place = stackalloc byte[2 * 16 + 1];
        BinaryPrimitives.WriteUInt128BigEndian(place, isIPv4 ? mapped.Address : mapped.Address >> 64 << 64);
        if (isIPv4 && services.HostAddresses.FirstOrDefault(host => host.Endpoint.IsIPv4) is { PrefixLength: > 0 } host)
        {
            var prefix = host.Endpoint.Address & ~((UInt128.One << (32 - host.PrefixLength)) - 1);
            BinaryPrimitives.WriteUInt128BigEndian(place[16..], prefix);
            place[^1] = (byte)host.PrefixLength;
        }
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(place, hash);
        return BinaryPrimitives.ReadUInt64BigEndian(hash);
    }
}
