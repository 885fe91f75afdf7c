using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Transport.Paths;

/// <summary>
/// How often an idle path is used, so that the routers before us keep what lets the peer's packets in. One of a node, which all its
/// connections follow: what is learnt of the network counts from then on.
/// </summary>
internal sealed class MappingKeepAlive
{
    /// <summary>
    /// Where nothing was measured: half of the 30 s that the most impatient common routers wait (RFC 4787 REQ-5 demands two minutes), so that
    /// one packet may be lost.
    /// </summary>
    public static readonly TimeSpan Unmeasured = TimeSpan.FromSeconds(15);

    /// <summary>Never more often. A router that forgets sooner keeps no connection that nothing is said on.</summary>
    public static readonly TimeSpan Least = TimeSpan.FromSeconds(8);

    /// <summary>Never more seldom: 0.8 of the five minutes that RFC 4787 REQ-5 recommends.</summary>
    public static readonly TimeSpan Most = TimeSpan.FromSeconds(240);

    /// <summary>
    /// Between neighbours there is no router, but perhaps a firewall on each, none of which is known to forget what was answered in less than a
    /// minute.
    /// </summary>
    public static readonly TimeSpan Near = TimeSpan.FromSeconds(45);

    /// <summary>
    /// Over TCP. RFC 5382 REQ-5 demands 2 h 4 min; the most impatient of 34 home routers waited for 4 minutes (Hätönen et al., IMC 2010).
    /// </summary>
    public static readonly TimeSpan OverTcp = TimeSpan.FromMinutes(3);

    /// <summary>Over UDP and IPv4.</summary>
    public TimeSpan IPv4 { get; private set; } = Unmeasured;

    /// <summary>Over UDP and IPv6, where firewalls remember instead of NATs.</summary>
    public TimeSpan IPv6 { get; private set; } = Unmeasured;

    /// <summary>What is known now of one family; brought within <see cref="Least"/> and <see cref="Most"/>.</summary>
    public void Set(bool isIPv4, TimeSpan interval)
    {
        if (interval < Least) interval = Least;
        if (interval > Most) interval = Most;
        if (isIPv4) IPv4 = interval;
        else IPv6 = interval;
    }

    public TimeSpan IntervalOf(PathAddress path, bool isNear) => path.Local.Carrier == Carrier.Tcp ? OverTcp : isNear ? Near : path.Remote.IsIPv4 ? IPv4 : IPv6;
}
