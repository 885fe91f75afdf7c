using System.Diagnostics.CodeAnalysis;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.PortMapping;

/// <summary>A port of ours is reached at another external endpoint from now on, or at none.</summary>
/// <param name="Transport">Which port of ours.</param>
/// <param name="External">Null: the mapping is gone.</param>
internal readonly record struct PortMapperEvent(MappedTransport Transport, Endpoint? External);

/// <summary>
/// Has our ports mapped by the gateway, by PCP, NAT-PMP and UPnP at once: what is granted first counts. It uses a socket of its own, whose
/// port means nothing, and never the punching one. Feed one input, drain all outputs, re-arm one timer.
/// </summary>
internal sealed class PortMapper(IRandomSource random)
{
    /// <summary>What <see cref="TryDequeueTransmit"/> needs room for.</summary>
    public const int MaxDatagram = SsdpMessage.MaxRequestLength;

    /// <summary>Signs that the gateway has restarted are acted on no oftener.</summary>
    public static readonly TimeSpan MinRefreshInterval = TimeSpan.FromSeconds(30);

    // UDP at first, and TCP where it is asked for: two at most.
    private readonly List<MappingSlot> _slots = [];
    private readonly Dictionary<MappedTransport, Endpoint> _told = [];
    private readonly Queue<PortMapperEvent> _events = new();
    private Endpoint? _gateway;
    private PortControlClient? _portControl;
    private UpnpClient? _upnp;
    private Timestamp _refreshed = new(long.MinValue / 2);

    /// <summary>After <see cref="Close"/>.</summary>
    public bool IsClosing { get; private set; }

    /// <summary>After <see cref="Close"/>: nothing of ours is at the gateway any more.</summary>
    public bool IsOver => _portControl is not { IsOver: false } && _upnp is not { IsOver: false };

    public PortMapperStatus Status => new(
        _gateway?.WithPort(0),
        _portControl?.Pcp ?? GatewaySupport.Unknown,
        _portControl?.NatPmp ?? GatewaySupport.Unknown,
        _upnp?.Support ?? GatewaySupport.Unknown,
        _upnp?.Version ?? 0,
        _portControl?.ExternalAddress ?? _upnp?.ExternalAddress,
        LeaseOf(MappedTransport.Udp)?.External,
        LeaseOf(MappedTransport.Tcp)?.External,
        LeaseOf(MappedTransport.Udp)?.Protocol);

    public Timestamp NextTimeout => Timestamp.Min(_portControl?.NextTimeout ?? Timestamp.Never, _upnp?.NextTimeout ?? Timestamp.Never);

    /// <summary>A port of ours that is to be mapped, once there is a gateway. The first of a transport counts.</summary>
    public void Map(MappedTransport transport, ushort internalPort, Timestamp now)
    {
        if (IsClosing || _slots.Exists(known => known.Transport == transport)) return;
        var slot = new MappingSlot(transport, internalPort, PcpNonce.Generate(random));
        _slots.Add(slot);
        _portControl?.Add(slot, now);
        _upnp?.Add(slot, now);
        Note(now);
    }

    /// <summary>
    /// The gateway, and our address towards it; null where there is none. What another one granted is gone with the network that it was in.
    /// </summary>
    public void SetGateway(Endpoint? gateway, Endpoint local, Timestamp now)
    {
        if (IsClosing) return;
        _gateway = gateway;
        foreach (var slot in _slots) slot.Clear();
        _portControl = gateway is { } control ? new PortControlClient(control, local.Address, random, now) : null;
        _upnp = gateway is { } device ? new UpnpClient(device, local, random, now, _upnp?.LastRequest ?? 0) : null;
        foreach (var slot in _slots)
        {
            _portControl?.Add(slot, now);
            _upnp?.Add(slot, now);
        }
        Note(now);
    }

    /// <summary>The gateway may have restarted, for our external address has changed: renews what we have.</summary>
    public void Refresh(Timestamp now)
    {
        if (IsClosing || now - _refreshed < MinRefreshInterval) return;
        _refreshed = now;
        _portControl?.Refresh(now);
        _upnp?.Refresh(now);
    }

    /// <summary>Deletes all mappings; <see cref="IsOver"/> when that is done. Nothing is mapped after it.</summary>
    public void Close(Timestamp now)
    {
        if (IsClosing) return;
        IsClosing = true;
        _portControl?.Close(now);
        _upnp?.Close(now);
    }

    /// <summary>A datagram on the mapper's own socket. Only the gateway's count.</summary>
    public void HandleDatagram(Endpoint source, ReadOnlySpan<byte> datagram, Timestamp now)
    {
        _portControl?.HandleDatagram(source, datagram, now);
        _upnp?.HandleDatagram(source, datagram, now);
        Note(now);
    }

    /// <summary>An exchange over HTTP ended; null where nothing came, or not within the limits.</summary>
    public void HandleHttpEnded(int id, GatewayHttpAnswer? answer, Timestamp now)
    {
        _upnp?.HandleHttpEnded(id, answer, now);
        Note(now);
    }

    public void HandleTimeout(Timestamp now)
    {
        _portControl?.HandleTimeout(now);
        _upnp?.HandleTimeout(now);
        Note(now);
    }

    public bool TryDequeueTransmit(Timestamp now, Span<byte> buffer, out Transmit transmit)
    {
        transmit = default;
        return (_portControl is not null && _portControl.TryDequeueTransmit(now, buffer, out transmit))
            || (_upnp is not null && _upnp.TryDequeueTransmit(now, buffer, out transmit));
    }

    /// <summary>An exchange over HTTP that is to be done; its end is told by <see cref="HandleHttpEnded"/>, always.</summary>
    public bool TryDequeueHttp([NotNullWhen(true)] out GatewayHttpRequest? request)
    {
        request = null;
        return _upnp is not null && _upnp.TryDequeueHttp(out request);
    }

    public bool TryDequeueEvent(out PortMapperEvent mapperEvent) => _events.TryDequeue(out mapperEvent);

    private PortLease? LeaseOf(MappedTransport transport) => _slots.Find(slot => slot.Transport == transport)?.Lease;

    // Whichever client did it, here it shows: at most one event for a slot and an input.
    private void Note(Timestamp now)
    {
        foreach (var slot in _slots)
        {
            Endpoint? told = _told.TryGetValue(slot.Transport, out var known) ? known : null;
            if (slot.Lease?.External == told) continue;
            if (slot.Lease is { } lease) _told[slot.Transport] = lease.External;
            else
            {
                _told.Remove(slot.Transport);
                // Whichever did not have it may do it now.
                _portControl?.Restart(slot, now);
            }
            _events.Enqueue(new PortMapperEvent(slot.Transport, slot.Lease?.External));
        }
    }
}
