using System.Diagnostics;
using System.Net;
using System.Net.NetworkInformation;
using Punchline.Protocols.Traversal;
using Punchline.Sockets;

namespace Punchline.Engine;

/// <summary>
/// Notices that the machine's addresses changed, or that it slept. The system tells of some changes at once; not of all on every
/// system, and not of sleep, so it is looked at now and then as well.
/// </summary>
internal sealed class NetworkWatch : IDisposable
{
    /// <summary>Between two looks.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private readonly IPEndPoint _bound;
    private readonly Action<NetworkNews, IReadOnlyList<HostAddress>> _report;
    private readonly NetworkLook _last;
    private readonly Timer _timer;
    private readonly Lock _looking = new();
    private bool _isDisposed;

    /// <param name="bound">The punching socket's own end.</param>
    /// <param name="addresses">What the machine has now.</param>
    /// <param name="report">Hears of news, on a thread of the pool.</param>
    public NetworkWatch(IPEndPoint bound, IReadOnlyList<HostAddress> addresses, Action<NetworkNews, IReadOnlyList<HostAddress>> report)
    {
        _bound = bound;
        _report = report;
        _last = new NetworkLook(addresses, DateTimeOffset.UtcNow, Monotonic);
        _timer = new Timer(_ => Look(), null, Interval, Interval);
        NetworkChange.NetworkAddressChanged += OnAddressChanged;
    }

    private static TimeSpan Monotonic => Stopwatch.GetElapsedTime(0);

    public void Dispose()
    {
        NetworkChange.NetworkAddressChanged -= OnAddressChanged;
        lock (_looking) _isDisposed = true;
        _timer.Dispose();
    }

    private void OnAddressChanged(object? sender, EventArgs e) => Look();

    private void Look()
    {
        lock (_looking)
        {
            if (_isDisposed) return;
            var addresses = HostAddresses.Of(_bound);
            if (_last.Compare(addresses, DateTimeOffset.UtcNow, Monotonic) is var news and not NetworkNews.None) _report(news, addresses);
        }
    }
}
