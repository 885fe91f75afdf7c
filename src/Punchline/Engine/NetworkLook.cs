using Punchline.Protocols.Traversal;

namespace Punchline.Engine;

/// <summary>What a look at the system shows.</summary>
internal enum NetworkNews
{
    None,

    /// <summary>The machine has other addresses.</summary>
    Moved,

    /// <summary>Time has passed in which nothing ran: the machine slept, and routers have forgotten it meanwhile.</summary>
    Woke,
}

/// <summary>Compares one look with the last.</summary>
internal sealed class NetworkLook(IReadOnlyList<HostAddress> addresses, DateTimeOffset wall, TimeSpan monotonic)
{
    private DateTimeOffset _wall = wall;
    private TimeSpan _monotonic = monotonic;

    /// <summary>
    /// Monotonic clocks may stand still while the machine sleeps; the one on the wall goes on. A clock that is put forward by as much
    /// looks the same, and costs a few packets. Routers keep a mapping for 30 s at least.
    /// </summary>
    public static readonly TimeSpan LeastSleep = TimeSpan.FromSeconds(10);

    /// <summary>Without sleep there is no such time between two looks, except on a machine that is out of breath.</summary>
    public static readonly TimeSpan LongestInterval = 3 * NetworkWatch.Interval;

    public IReadOnlyList<HostAddress> Addresses { get; private set; } = addresses;

    public NetworkNews Compare(IReadOnlyList<HostAddress> now, DateTimeOffset wallNow, TimeSpan monotonicNow)
    {
        var passed = monotonicNow - _monotonic;
        var slept = wallNow - _wall - passed >= LeastSleep || passed >= LongestInterval;
        (_wall, _monotonic) = (wallNow, monotonicNow);
        if (!now.SequenceEqual(Addresses))
        {
            Addresses = now;
            return NetworkNews.Moved;
        }
        return slept ? NetworkNews.Woke : NetworkNews.None;
    }
}
