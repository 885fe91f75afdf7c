using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.PortMapping;

/// <summary>
/// Maps ports by UPnP's Internet Gateway Device, 1 or 2: finds it by SSDP, reads its description, asks for its external address, and
/// adds, renews and deletes mappings, one HTTP exchange at a time. Only the gateway itself is listened to, and asked.
/// </summary>
internal sealed class UpnpClient(Endpoint gateway, Endpoint local, IRandomSource random, Timestamp start, int lastRequest)
{
    /// <summary>Ports tried where others have them, at most.</summary>
    public const int MaxConflicts = 4;

    /// <summary>Requests for one mapping, whatever the gateway finds wrong with them, before it counts as refused.</summary>
    public const int MaxAttempts = 8;

    /// <summary>From a failed exchange to the next search; doubles with each failure.</summary>
    public static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(30);
    public static readonly TimeSpan LongestPause = TimeSpan.FromHours(1);

    /// <summary>From a refusal to the next attempt.</summary>
    public static readonly TimeSpan RefusalPause = TimeSpan.FromMinutes(15);

    // Below are other services' ports, and none that a peer would probe (PROTOCOL §5).
    private const int LowestPort = 1_024;
    private const int PortCount = 65_536 - LowestPort;

    private readonly SsdpSearch _search = new(gateway, start);
    private readonly List<Wish> _wishes = [];
    private GatewayUrl? _location;
    private IReadOnlyList<UpnpService> _services = [];
    private int _service;
    private Timestamp _addressAt = Timestamp.Never;
    private TimeSpan _pause = FirstPause;
    private bool _hasNoAddAny;
    private bool _isClosing;
    private (Step Step, Wish? Wish) _pending;
    private GatewayHttpRequest? _request;

    private enum Step
    {
        None,
        Describe,
        AskAddress,
        Add,
        Delete,
    }

    public GatewaySupport Support { get; private set; } = GatewaySupport.Silent;

    /// <summary>Of the device: 1 or 2; 0 while that is not known.</summary>
    public int Version { get; private set; }

    /// <summary>What the gateway's other side is, without a port.</summary>
    public Endpoint? ExternalAddress { get; private set; }

    /// <summary>The number of the latest exchange: answers to those of an earlier gateway are nothing to the next.</summary>
    public int LastRequest { get; private set; } = lastRequest;

    /// <summary>Nothing of ours is at the gateway, nor may it be soon.</summary>
    public bool IsOver => _pending.Step is not (Step.Add or Step.Delete) && !_wishes.Exists(IsOurs);

    public Timestamp NextTimeout
    {
        get
        {
            var next = _search.At;
            foreach (var wish in _wishes)
            {
                if (IsOurs(wish)) next = Timestamp.Min(next, wish.Slot.Lease!.Expires);
            }
            if (_isClosing || _pending.Step != Step.None || _services.Count == 0) return next;
            next = Timestamp.Min(next, _addressAt);
            foreach (var wish in _wishes)
            {
                if (IsFree(wish)) next = Timestamp.Min(next, wish.At);
            }
            return next;
        }
    }

    /// <summary>A port that is to be mapped, where nothing else does it sooner.</summary>
    public void Add(MappingSlot slot, Timestamp now)
    {
        _wishes.Add(new Wish(slot) { At = now });
        Proceed(now);
    }

    /// <summary>The gateway may have forgotten what we have: renews it.</summary>
    public void Refresh(Timestamp now)
    {
        if (_services.Count == 0 || !_wishes.Exists(IsOurs)) return;
        _addressAt = now;
        foreach (var wish in _wishes)
        {
            if (IsOurs(wish)) wish.At = now;
        }
        Proceed(now);
    }

    /// <summary>Deletes what there is.</summary>
    public void Close(Timestamp now)
    {
        _isClosing = true;
        _search.End();
        Proceed(now);
    }

    public void HandleDatagram(Endpoint source, ReadOnlySpan<byte> datagram, Timestamp now)
    {
        if (source.Address != gateway.Address || _location is not null || _isClosing) return;
        if (!SsdpMessage.TryReadLocation(datagram, out var location) || !GatewayUrl.TryParse(location, gateway.Address, out _location)) return;
        _search.End();
        Proceed(now);
    }

    /// <summary>An exchange ended; null where nothing came, or not within the limits.</summary>
    public void HandleHttpEnded(int id, GatewayHttpAnswer? answer, Timestamp now)
    {
        if (id != LastRequest || _pending.Step == Step.None) return;
        var (step, wish) = _pending;
        _pending = default;
        _request = null;
        switch (step)
        {
            case Step.Describe:
                HandleDescription(answer, now);
                break;
            case Step.AskAddress:
                HandleAddress(answer, now);
                break;
            case Step.Add:
                HandleAdded(wish!, answer, now);
                break;
            case Step.Delete:
                // What was not deleted lapses; a gateway that is gone has nothing.
                wish!.Slot.Clear();
                break;
        }
        Proceed(now);
    }

    public void HandleTimeout(Timestamp now)
    {
        foreach (var wish in _wishes)
        {
            if (!IsOurs(wish) || wish.Slot.Lease!.Expires > now) continue;
            wish.Slot.Clear();
            wish.Begin(now);
        }
        Proceed(now);
    }

    public bool TryDequeueTransmit(Timestamp now, Span<byte> buffer, out Transmit transmit) => _search.TryDequeueTransmit(now, buffer, out transmit);

    /// <summary>The exchange that is wanted now; its end is told by <see cref="HandleHttpEnded"/>, always.</summary>
    public bool TryDequeueHttp(out GatewayHttpRequest? request)
    {
        request = _request;
        _request = null;
        return request is not null;
    }

    private static bool IsOurs(Wish wish) => wish.Slot.IsHeldBy(PortMappingProtocol.Upnp);

    private static bool IsFree(Wish wish) => wish.Slot.Lease is null || IsOurs(wish);

    private void Proceed(Timestamp now)
    {
        if (_pending.Step != Step.None) return;
        if (_isClosing) DeleteNext();
        else if (_services.Count == 0)
        {
            if (_location is { } location) Request(Step.Describe, null, location, null);
        }
        else if (_addressAt <= now) Request(Step.AskAddress, UpnpAction.GetExternalAddress);
        else if (_wishes.Find(wish => wish.At <= now && IsFree(wish)) is { } due) RequestAdd(due);
    }

    private void DeleteNext()
    {
        foreach (var wish in _wishes)
        {
            if (!IsOurs(wish)) continue;
            if (_services.Count > 0)
            {
                Request(Step.Delete, UpnpAction.Delete(wish.Slot.Transport, wish.Slot.Lease!.External.Port), wish);
                return;
            }
            // Whom to ask is not known any more.
            wish.Slot.Clear();
        }
    }

    private void RequestAdd(Wish wish)
    {
        var slot = wish.Slot;
        wish.Port = slot.SuggestedPort;
        wish.CountAttempt();
        var seconds = wish.IsPermanent ? 0 : (uint)MappingSlot.WantedLease.TotalSeconds;
        // AddPortMapping prolongs what is ours already; only a new mapping may be at any port.
        var any = _services[_service].HasAddAny && !_hasNoAddAny && !IsOurs(wish);
        Request(Step.Add, UpnpAction.Add(slot.Transport, wish.Port, local, slot.InternalPort, seconds, any), wish);
    }

    private void Request(Step step, UpnpAction action, Wish? wish = null)
    {
        var service = _services[_service];
        Request(step, wish, service.Control, action.HeaderFor(service), action.WriteFor(service));
    }

    private void Request(Step step, Wish? wish, GatewayUrl url, string? header, ReadOnlyMemory<byte> body = default)
    {
        _pending = (step, wish);
        _request = new GatewayHttpRequest(++LastRequest, url, header, body);
    }

    private void HandleDescription(GatewayHttpAnswer? answer, Timestamp now)
    {
        _services = answer is { Status: GatewayHttpAnswer.Ok } ? UpnpDescription.ReadServices(answer.Body.Span, _location!) : [];
        _service = 0;
        if (_services.Count == 0)
        {
            Fail(now);
            return;
        }
        Support = GatewaySupport.Speaks;
        Version = _services[0].Type == UpnpServiceType.IPConnection2 ? 2 : 1;
        _hasNoAddAny = false;
        _addressAt = now;
    }

    // A router with two uplinks has a service each; the one that is up has an address.
    private void HandleAddress(GatewayHttpAnswer? answer, Timestamp now)
    {
        if (TryRead(answer, out var read) && read is { IsSuccess: true, ExternalAddress: { } address } && MappingSlot.IsUsableAddress(address))
        {
            _addressAt = Timestamp.Never;
            ExternalAddress = address;
            foreach (var wish in _wishes)
            {
                if (IsOurs(wish)) wish.Slot.Grant(PortMappingProtocol.Upnp, address.WithPort(wish.Slot.Lease!.External.Port), wish.Slot.Lease!.Expires);
            }
        }
        else if (answer is null || ++_service == _services.Count) Fail(now);
    }

    private void HandleAdded(Wish wish, GatewayHttpAnswer? answer, Timestamp now)
    {
        if (!TryRead(answer, out var read))
        {
            Fail(now);
            return;
        }
        if (!read.IsSuccess)
        {
            HandleRefusal(wish, read.ErrorCode, now);
            return;
        }
        // While it was asked, PCP was quicker: this one lapses.
        if (!IsFree(wish)) return;
        var external = ExternalAddress!.Value.WithPort(read.ReservedPort != 0 ? read.ReservedPort : wish.Port);
        Support = GatewaySupport.Speaks;
        _pause = FirstPause;
        wish.Slot.Grant(PortMappingProtocol.Upnp, external, wish.IsPermanent ? Timestamp.Never : now + MappingSlot.WantedLease);
        // As PCP's renewals (RFC 6887 §11.2.1). What has no end is renewed too: a router that restarted has forgotten it.
        wish.Begin(now + (MappingSlot.WantedLease * (0.5 + (random.NextDouble() / 8))));
        _addressAt = Timestamp.Min(_addressAt, wish.At);
    }

    private void HandleRefusal(Wish wish, int code, Timestamp now)
    {
        var wasAny = _services[_service].HasAddAny && !_hasNoAddAny && !IsOurs(wish);
        switch (code)
        {
            case UpnpError.ConflictInMappingEntry or UpnpError.ConflictWithOtherMechanisms when wish.Attempts <= MaxConflicts:
                // Of a renewal: somebody took the port while the gateway had forgotten us.
                if (IsOurs(wish)) wish.Slot.Clear();
                wish.Slot.SuggestedPort = (ushort)(LowestPort + random.NextInt32(PortCount));
                break;
            case UpnpError.SamePortValuesRequired when wish.Port != wish.Slot.InternalPort && wish.Attempts < MaxAttempts:
                wish.Slot.SuggestedPort = wish.Slot.InternalPort;
                break;
            // Some say it by "invalid arguments".
            case UpnpError.OnlyPermanentLeasesSupported or UpnpError.InvalidArguments when !wish.IsPermanent && wish.Attempts < MaxAttempts:
                wish.IsPermanent = true;
                break;
            // What calls itself version 2 need not know its actions.
            case not UpnpError.NotAuthorized when wasAny && wish.Attempts < MaxAttempts:
                _hasNoAddAny = true;
                break;
            default:
                Support = GatewaySupport.Refuses;
                wish.Begin(now + RefusalPause);
                break;
        }
    }

    private void Fail(Timestamp now)
    {
        _services = [];
        _location = null;
        _addressAt = Timestamp.Never;
        if (_isClosing) return;
        _search.Begin(now + _pause);
        _pause = _pause * 2 < LongestPause ? _pause * 2 : LongestPause;
    }

    private static bool TryRead(GatewayHttpAnswer? answer, out UpnpAnswer read)
    {
        read = default;
        return answer is { Status: GatewayHttpAnswer.Ok or GatewayHttpAnswer.InternalServerError } && UpnpAnswer.TryRead(answer.Body.Span, out read);
    }

    private sealed class Wish(MappingSlot slot)
    {
        public MappingSlot Slot { get; } = slot;

        /// <summary>When it is to be mapped, or renewed.</summary>
        public Timestamp At { get; set; }

        /// <summary>The external port that was asked for last.</summary>
        public ushort Port { get; set; }

        public int Attempts { get; private set; }

        /// <summary>The gateway knows no leases: what it maps stays until somebody deletes it.</summary>
        public bool IsPermanent { get; set; }

        public void CountAttempt() => Attempts++;

        public void Begin(Timestamp at) => (At, Attempts) = (at, 0);
    }
}
