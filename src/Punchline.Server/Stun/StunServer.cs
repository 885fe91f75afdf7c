using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Stun;

namespace Punchline.Server.Stun;

/// <summary>
/// STUN over UDP on a port and the next, whose two answers together tell a client whether its NAT's mapping depends on the
/// destination's port.
/// </summary>
/// <remarks>
/// Bound to any address, it has one socket for each of the machine's addresses, and follows their changes: an answer must
/// leave from the address that was asked, and .NET cannot choose the source of a single datagram. This works alike on
/// every system. Addresses that no interface lists (Linux: <c>ip route add local</c>) have to be named.
/// </remarks>
internal sealed class StunServer : IAsyncDisposable
{
    /// <summary>Addresses served at most; each takes two sockets and two threads.</summary>
    public const int MaxAddresses = 32;

    // Looked at by the clock, because NetworkChange on Linux says nothing when only IPv6 addresses change (measured, .NET 10).
    private static readonly TimeSpan RefreshInterval = TimeSpan.FromSeconds(10);

    private readonly Func<IReadOnlyList<IPAddress>> _addresses;
    private readonly ILogger _logger;
    private readonly Lock _lock = new();
    private readonly List<StunListener> _listeners = [];

    // What could not be bound, so that each refresh tries again but complains once. As long as the served addresses, twice.
    private readonly HashSet<IPEndPoint> _refused = [];
    private Timer? _refresh;
    private int _addressCount;
    private bool _isListed = true;
    private long _requestsOfLeft;
    private bool _isDisposed;

    private StunServer(Func<IReadOnlyList<IPAddress>> addresses, int port, ILogger logger)
    {
        _addresses = addresses;
        _logger = logger;
        Port = port;
    }

    /// <summary>The first port.</summary>
    public int Port { get; private set; }

    /// <summary>What is bound now: each address with its first port, and the second where that was free.</summary>
    public IReadOnlyList<IPEndPoint> Endpoints
    {
        get
        {
            lock (_lock) return [.. _listeners.Select(listener => listener.Endpoint)];
        }
    }

    /// <summary>Requests answered since the start.</summary>
    public long Requests
    {
        get
        {
            lock (_lock) return _listeners.Sum(listener => listener.Requests) + _requestsOfLeft;
        }
    }

    /// <summary>Binds and begins to answer.</summary>
    /// <param name="address">One address; or <see cref="IPAddress.Any"/> for all of IPv4, <see cref="IPAddress.IPv6Any"/> for all of both.</param>
    /// <param name="port">1 to 65,535, or 0 for a free one. A second port that is taken is logged, and done without.</param>
    /// <param name="logger">Where to say so.</param>
    /// <exception cref="SocketException">The first port could not be bound on any address.</exception>
    public static StunServer Start(IPAddress address, int port, ILogger logger) =>
        Start(() => LocalAddresses.Of(address), port, logger, followsChanges: LocalAddresses.IsAny(address));

    /// <summary>Likewise for a list of addresses, which <see cref="Refresh"/> asks for again.</summary>
    internal static StunServer Start(Func<IReadOnlyList<IPAddress>> addresses, int port, ILogger logger, bool followsChanges = false)
    {
        var server = new StunServer(addresses, port, logger);
        lock (server._lock)
        {
            var failure = server.Bind(addresses());
            if (server._listeners.Count == 0) throw failure ?? new SocketException((int)SocketError.AddressNotAvailable);
            if (followsChanges) server._refresh = new Timer(_ => server.Refresh(), null, RefreshInterval, RefreshInterval);
        }
        if (server.Port == IPEndPoint.MaxPort) StunServerLog.NoSecondPort(logger, server.Port);
        return server;
    }

    /// <summary>
    /// Binds two ports on two addresses, which answer for each other as RFC 5780 has it: clients learn whether their NAT's
    /// mapping and filtering depend on address or port.
    /// </summary>
    /// <param name="address">One of this machine's.</param>
    /// <param name="alternate">Another of the same family.</param>
    /// <param name="port">1 to 65,534; the second is the next.</param>
    /// <param name="logger">Where to say so.</param>
    /// <param name="reached">What clients reach the two by, where those are other addresses.</param>
    /// <exception cref="SocketException">One of the four could not be bound: nothing is.</exception>
    public static StunServer StartPair(
        IPAddress address, IPAddress alternate, int port, ILogger logger, (IPAddress Address, IPAddress Alternate)? reached = null)
    {
        var server = new StunServer(() => [], port, logger);
        var listeners = new StunListener[StunVantage.Count];
        var local = new StunVantage(Endpoint.From(address, (ushort)port), Endpoint.From(alternate, (ushort)(port + 1)));
        try
        {
            for (var i = 0; i < listeners.Length; i++)
            {
                listeners[i] = StunListener.Bind(local[i].ToIPEndPoint(), logger);
                server._listeners.Add(listeners[i]);
            }
        }
        catch
        {
            foreach (var listener in server._listeners) listener.Dispose();
            throw;
        }
        var (shown, shownAlternate) = reached ?? (address, alternate);
        var group = new StunGroup(
            new StunVantage(Endpoint.From(shown, (ushort)port), Endpoint.From(shownAlternate, (ushort)(port + 1))) { Rejections = StunListener.HearAll(listeners) ? new HeardRejections(TimeProvider.System) : null }, listeners);
        foreach (var listener in listeners)
        {
            listener.Start(group);
            StunServerLog.Listening(logger, listener.Endpoint);
        }
        return server;
    }

    /// <summary>Binds addresses that came, and leaves those that went.</summary>
    internal void Refresh()
    {
        lock (_lock)
        {
            if (_isDisposed) return;
            try
            {
                Bind(_addresses());
                _isListed = true;
            }
            catch (NetworkInformationException failure)
            {
                if (_isListed) StunServerLog.CannotListAddresses(_logger, failure.Message);
                _isListed = false;
            }
        }
    }

    /// <summary>Ends all threads and sockets; <see cref="Requests"/> keeps its last value.</summary>
    public ValueTask DisposeAsync()
    {
        lock (_lock)
        {
            _isDisposed = true;
            // A refresh that waits for the lock finds the server disposed.
            _refresh?.Dispose();
            while (_listeners.Count > 0) Leave(_listeners[^1]);
        }
        return ValueTask.CompletedTask;
    }

    // Returns the last failure to bind a first port.
    private SocketException? Bind(IReadOnlyList<IPAddress> addresses)
    {
        if (addresses.Count > MaxAddresses && addresses.Count != _addressCount)
            StunServerLog.TooManyAddresses(_logger, MaxAddresses, addresses.Count);
        _addressCount = addresses.Count;
        var served = addresses.Take(MaxAddresses).ToList();
        _refused.RemoveWhere(endpoint => !served.Contains(endpoint.Address));
        foreach (var gone in _listeners.Where(listener => !served.Contains(listener.Endpoint.Address)).ToList())
        {
            Leave(gone);
            StunServerLog.Left(_logger, gone.Endpoint);
        }
        SocketException? last = null;
        foreach (var address in served)
        {
            if (TryBind(address, Port) is { } failure) last = failure;
            else if (Port < IPEndPoint.MaxPort) TryBind(address, Port + 1);
        }
        return last;
    }

    private SocketException? TryBind(IPAddress address, int port)
    {
        var endpoint = new IPEndPoint(address, port);
        if (_listeners.Exists(listener => listener.Endpoint.Equals(endpoint))) return null;
        try
        {
            var listener = StunListener.Bind(endpoint, _logger);
            listener.Start();
            _listeners.Add(listener);
            _refused.Remove(endpoint);
            // Port 0 is decided by the first socket, and then holds for all.
            if (port == 0) Port = listener.Endpoint.Port;
            StunServerLog.Listening(_logger, listener.Endpoint);
            return null;
        }
        catch (SocketException failure)
        {
            if (_refused.Add(endpoint)) StunServerLog.CannotBind(_logger, endpoint, failure.Message);
            return failure;
        }
    }

    private void Leave(StunListener listener)
    {
        listener.Dispose();
        _listeners.Remove(listener);
        _requestsOfLeft += listener.Requests;
    }
}
