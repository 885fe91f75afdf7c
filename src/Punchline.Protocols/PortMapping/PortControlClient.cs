using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.PortMapping;

/// <summary>
/// Maps ports by PCP (RFC 6887), or by NAT-PMP (RFC 6886) where the gateway speaks no more than that. Both are asked at once, on one
/// port of the gateway's; what does not come from exactly there, or answers nothing that was asked, is dropped.
/// </summary>
internal sealed class PortControlClient
{
    /// <summary>RFC 6886 §3.1: requests without an answer, before the gateway counts as one that does not speak it.</summary>
    public const int MaxNatPmpRequests = 9;

    /// <summary>Requests to delete a mapping, before it is left to its lease.</summary>
    public const int MaxDeletions = 4;

    /// <summary>RFC 6886 §3.1: until the second request; doubled with each.</summary>
    public static readonly TimeSpan FirstNatPmpInterval = TimeSpan.FromMilliseconds(250);

    /// <summary>RFC 6887 §8.1.1: IRT and MRT. MRC and MRD are 0: there is no last one.</summary>
    public static readonly TimeSpan FirstPcpInterval = TimeSpan.FromSeconds(3);
    public static readonly TimeSpan MaxPcpInterval = TimeSpan.FromSeconds(1_024);

    /// <summary>A gateway that answered NAT-PMP would have answered PCP by then, if it spoke that.</summary>
    public static readonly TimeSpan PcpGrace = TimeSpan.FromMilliseconds(250);

    /// <summary>RFC 6887 §11.2.1: renewals are no closer than this.</summary>
    public static readonly TimeSpan MinRenewalInterval = TimeSpan.FromSeconds(4);

    /// <summary>RFC 6887 §8.5: a gateway that restarted is asked anew within this.</summary>
    public static readonly TimeSpan MaxRestartDelay = TimeSpan.FromSeconds(5);

    /// <summary>What a refusal may keep us from asking again; PCP says how long, NAT-PMP does not.</summary>
    public static readonly TimeSpan ShortestRefusal = TimeSpan.FromSeconds(30);
    public static readonly TimeSpan LongestRefusal = TimeSpan.FromMinutes(15);

    private readonly Endpoint _gateway;
    private readonly UInt128 _local;
    private readonly IRandomSource _random;
    private readonly List<Exchange> _exchanges = [];
    private Dialect _dialect;
    private GatewayEpoch _pcpEpoch;
    private GatewayEpoch _natPmpEpoch;
    private Timestamp _addressAt;
    private int _addressRequests;
    private Timestamp _pcpEnds = Timestamp.Never;
    private bool _isClosing;

    /// <param name="gateway">Its address; the port does not matter.</param>
    /// <param name="local">Our address towards it.</param>
    /// <param name="random">For nonces of time.</param>
    /// <param name="now">The first requests are due.</param>
    public PortControlClient(Endpoint gateway, UInt128 local, IRandomSource random, Timestamp now)
    {
        _gateway = gateway.WithPort(PcpMapResponse.ServerPort);
        _local = local;
        _random = random;
        _addressAt = now;
    }

    private enum Dialect
    {
        Undecided,
        Pcp,
        NatPmp,
    }

    public GatewaySupport Pcp { get; private set; } = GatewaySupport.Silent;

    public GatewaySupport NatPmp { get; private set; } = GatewaySupport.Silent;

    /// <summary>What the gateway's other side is, without a port.</summary>
    public Endpoint? ExternalAddress { get; private set; }

    /// <summary>Nothing of ours is at the gateway that is still to be deleted.</summary>
    public bool IsOver => _exchanges.TrueForAll(exchange => !exchange.Deletes);

    public Timestamp NextTimeout
    {
        get
        {
            var next = Timestamp.Min(_addressAt, _pcpEnds);
            foreach (var exchange in _exchanges)
            {
                next = Timestamp.Min(next, exchange.At);
                if (IsOurs(exchange)) next = Timestamp.Min(next, exchange.Slot.Lease!.Expires);
            }
            return next;
        }
    }

    /// <summary>A port that is to be mapped.</summary>
    public void Add(MappingSlot slot, Timestamp now) => _exchanges.Add(new Exchange(slot) { At = now });

    /// <summary>There is no mapping for this port any more, by whatever it was: asks.</summary>
    public void Restart(MappingSlot slot, Timestamp now)
    {
        foreach (var exchange in _exchanges)
        {
            if (exchange.Slot == slot && exchange.At == Timestamp.Never && !_isClosing) exchange.Begin(now);
        }
    }

    /// <summary>The gateway may have forgotten what we have: renews it at once, or as soon as that is allowed again.</summary>
    public void Refresh(Timestamp now)
    {
        foreach (var exchange in _exchanges)
        {
            if (IsOurs(exchange) && !exchange.Deletes) exchange.At = Timestamp.Min(exchange.At, Timestamp.Max(now, exchange.LastSent + MinRenewalInterval));
        }
    }

    /// <summary>Deletes what there is, or may be.</summary>
    public void Close(Timestamp now)
    {
        _isClosing = true;
        _addressAt = Timestamp.Never;
        _pcpEnds = Timestamp.Never;
        foreach (var exchange in _exchanges)
        {
            // A request whose answer is lost may have made a mapping; but not where there is nobody to answer.
            if (IsOurs(exchange) || (exchange.Sent > 0 && _dialect != Dialect.Undecided)) exchange.BeginDeletion(now);
            else exchange.End();
        }
    }

    public void HandleDatagram(Endpoint source, ReadOnlySpan<byte> datagram, Timestamp now)
    {
        if (source != _gateway) return;
        if (PcpMapResponse.TryRead(datagram, out var pcp)) HandlePcp(pcp, now);
        else if (NatPmpResponse.TryRead(datagram, out var natPmp)) HandleNatPmp(natPmp, now);
        else if (PcpVersion.IsRefusal(datagram)) RefuseVersion();
    }

    public void HandleTimeout(Timestamp now)
    {
        if (now >= _pcpEnds) SpeakNatPmp(now);
        foreach (var exchange in _exchanges)
        {
            if (!IsOurs(exchange) || exchange.Slot.Lease!.Expires > now) continue;
            exchange.Slot.Clear();
            if (exchange.Deletes) exchange.End();
            else exchange.Begin(now);
        }
    }

    /// <summary>Writes the next request that is due; the buffer has room for <see cref="PcpMapRequest.Length"/> bytes.</summary>
    public bool TryDequeueTransmit(Timestamp now, Span<byte> buffer, out Transmit transmit)
    {
        transmit = default;
        if (_addressAt <= now && TrySendAddressRequest(now, buffer, out transmit)) return true;
        foreach (var exchange in _exchanges)
        {
            if (exchange.At > now || !MaySend(exchange, now)) continue;
            transmit = new Transmit(_gateway, Write(exchange, buffer));
            exchange.LastSent = now;
            exchange.Sent++;
            exchange.At = NextAfter(exchange, now);
            // Of the address that a renewal is for, a mapping's answer says nothing.
            if (_dialect == Dialect.NatPmp && !exchange.Deletes && IsOurs(exchange)) AskAddress(now);
            return true;
        }
        return false;
    }

    private static bool IsOurs(Exchange exchange) => exchange.Slot.Lease is { Protocol: PortMappingProtocol.Pcp or PortMappingProtocol.NatPmp };

    private bool TrySendAddressRequest(Timestamp now, Span<byte> buffer, out Transmit transmit)
    {
        transmit = default;
        if (_addressRequests == MaxNatPmpRequests)
        {
            _addressAt = Timestamp.Never;
            return false;
        }
        _addressAt = now + (FirstNatPmpInterval * (1 << _addressRequests++));
        transmit = new Transmit(_gateway, NatPmpRequest.WriteAddress(buffer));
        return true;
    }

    // What is due may not be wanted any more.
    private bool MaySend(Exchange exchange, Timestamp now)
    {
        var isTaken = exchange.Slot.IsHeldBy(PortMappingProtocol.Upnp);
        if (exchange.Deletes ? exchange.Sent == MaxDeletions : isTaken)
        {
            if (exchange.Deletes) exchange.Slot.Clear();
            exchange.End();
            return false;
        }
        if (_dialect != Dialect.NatPmp || exchange.Deletes || IsOurs(exchange) || exchange.Sent < MaxNatPmpRequests) return true;
        exchange.Begin(now + LongestRefusal);
        return false;
    }

    private int Write(Exchange exchange, Span<byte> buffer)
    {
        var slot = exchange.Slot;
        var seconds = exchange.Deletes ? 0 : (uint)MappingSlot.WantedLease.TotalSeconds;
        if (_dialect == Dialect.NatPmp) return NatPmpRequest.WriteMap(buffer, slot.Transport, slot.InternalPort, exchange.Deletes ? (ushort)0 : slot.SuggestedPort, seconds);
        // RFC 6887 §11.1: all zeroes of the right family where no address is preferred.
        var suggested = slot.Lease?.External ?? Endpoint.FromIPv4(0, slot.SuggestedPort);
        return new PcpMapRequest(_local, slot.Nonce, slot.Transport, slot.InternalPort, suggested, seconds).Write(buffer);
    }

    private Timestamp NextAfter(Exchange exchange, Timestamp now)
    {
        if (IsOurs(exchange) && !exchange.Deletes) return NextRenewal(exchange, now);
        // Deviates from RFC 6887 §8.1.1 for deletions: nobody who wants to exit waits for 3 s.
        if (_dialect == Dialect.NatPmp || exchange.Deletes) return now + (FirstNatPmpInterval * (1 << (exchange.Sent - 1)));
        // RFC 6887 §8.1.1: RT = (1 + RAND) * IRT, then (1 + RAND) * MIN(2 * RTprev, MRT); RAND is between -0.1 and 0.1.
        var next = exchange.Sent == 1 ? FirstPcpInterval : exchange.Interval * 2 < MaxPcpInterval ? exchange.Interval * 2 : MaxPcpInterval;
        exchange.Interval = next * (0.9 + (0.2 * _random.NextDouble()));
        return now + exchange.Interval;
    }

    // RFC 6887 §11.2.1: the first between 1/2 and 5/8 of the lifetime, the next between 3/4 and 3/4 + 1/16, and so on. Where RFC 6886 §3.3
    // says halfway, "like DHCP", the same serves.
    private Timestamp NextRenewal(Exchange exchange, Timestamp now)
    {
        var half = Math.Pow(0.5, ++exchange.Renewals);
        var at = exchange.Granted + ((exchange.Slot.Lease!.Expires - exchange.Granted) * (1 - half + (_random.NextDouble() * half / 4)));
        return Timestamp.Max(at, now + MinRenewalInterval);
    }

    private void HandlePcp(in PcpMapResponse response, Timestamp now)
    {
        var exchange = FindAsked(response.Transport, response.InternalPort);
        if (exchange is null || exchange.Slot.Nonce != response.Nonce || _dialect == Dialect.NatPmp) return;
        _dialect = Dialect.Pcp;
        _pcpEnds = Timestamp.Never;
        if (response.Result != PcpResult.Success)
        {
            if (!exchange.Deletes) Pcp = GatewaySupport.Refuses;
            // RFC 6887 §7.4: the lifetime of an error is how long it is expected to last.
            Refuse(exchange, TimeSpan.FromSeconds(response.Seconds), now);
            return;
        }
        Pcp = GatewaySupport.Speaks;
        HandleEpoch(exchange, _pcpEpoch.HasRestarted(response.Epoch, now), now);
        Conclude(exchange, PortMappingProtocol.Pcp, response.External, response.Seconds, now);
    }

    private void HandleNatPmp(in NatPmpResponse response, Timestamp now)
    {
        switch (response)
        {
            // RFC 6886 §9: so answers what knows no PCP to a PCP request; it need not be asked twice.
            case { Result: NatPmpResult.UnsupportedVersion }:
                if (_dialect != Dialect.Undecided || !_exchanges.Exists(exchange => exchange.Sent > 0)) break;
                Pcp = GatewaySupport.Lacks;
                SpeakNatPmp(now);
                break;
            case { Opcode: NatPmpResponse.Address }:
                if (_addressRequests > 0 && _addressAt != Timestamp.Never) HandleAddress(response, now);
                break;
            case { Opcode: NatPmpResponse.MapUdp or NatPmpResponse.MapTcp } when _dialect == Dialect.NatPmp:
                HandleMap(response, now);
                break;
        }
    }

    private void HandleAddress(in NatPmpResponse response, Timestamp now)
    {
        _addressAt = Timestamp.Never;
        if (response.Result != NatPmpResult.Success)
        {
            NatPmp = GatewaySupport.Refuses;
            return;
        }
        NatPmp = GatewaySupport.Speaks;
        HandleEpoch(null, _natPmpEpoch.HasRestarted(response.Epoch, now), now);
        ExternalAddress = MappingSlot.IsUsableAddress(response.ExternalAddress) ? response.ExternalAddress : null;
        if (ExternalAddress is { } address) MoveLeases(address);
        if (_dialect == Dialect.Undecided) _pcpEnds = Pcp == GatewaySupport.Lacks ? now : now + PcpGrace;
        foreach (var exchange in _exchanges)
        {
            if (exchange.Unplaced is not { } granted) continue;
            exchange.Unplaced = null;
            Conclude(exchange, PortMappingProtocol.NatPmp, ExternalAddress?.WithPort(granted.Port) ?? default, granted.Seconds, now);
        }
    }

    private void MoveLeases(Endpoint address)
    {
        foreach (var exchange in _exchanges)
        {
            if (exchange.Slot.Lease is { Protocol: PortMappingProtocol.NatPmp } lease)
                exchange.Slot.Grant(PortMappingProtocol.NatPmp, address.WithPort(lease.External.Port), lease.Expires);
        }
    }

    private void HandleMap(in NatPmpResponse response, Timestamp now)
    {
        // A refusal need not say of which port.
        var exchange = response.Result == NatPmpResult.Success
            ? FindAsked(response.Transport, response.InternalPort)
            : FindAsked(response.Transport);
        if (exchange is null) return;
        if (response.Result != NatPmpResult.Success)
        {
            if (!exchange.Deletes) NatPmp = GatewaySupport.Refuses;
            Refuse(exchange, LongestRefusal, now);
            return;
        }
        NatPmp = GatewaySupport.Speaks;
        HandleEpoch(exchange, _natPmpEpoch.HasRestarted(response.Epoch, now), now);
        if (ExternalAddress is { } address || exchange.Deletes)
        {
            Conclude(exchange, PortMappingProtocol.NatPmp, (ExternalAddress ?? default).WithPort(response.ExternalPort), response.Seconds, now);
            return;
        }
        exchange.Unplaced = (response.ExternalPort, response.Seconds);
        AskAddress(now);
    }

    private void AskAddress(Timestamp now)
    {
        if (_addressAt != Timestamp.Never) return;
        _addressRequests = 0;
        _addressAt = now;
    }

    private Exchange? FindAsked(MappedTransport transport, ushort internalPort) =>
        _exchanges.Find(exchange => exchange.Sent > 0 && exchange.Slot.Transport == transport && exchange.Slot.InternalPort == internalPort);

    private Exchange? FindAsked(MappedTransport transport) => _exchanges.Find(exchange => exchange.Sent > 0 && exchange.Slot.Transport == transport);

    private void Conclude(Exchange exchange, PortMappingProtocol protocol, Endpoint external, uint seconds, Timestamp now)
    {
        if (exchange.Deletes)
        {
            if (seconds != 0) return;
            exchange.Slot.Clear();
            exchange.End();
            return;
        }
        // Meanwhile UPnP was quicker: this one lapses with its lease, for deleting it could delete the other.
        if (exchange.Slot.IsHeldBy(PortMappingProtocol.Upnp))
        {
            exchange.End();
            return;
        }
        var lease = TimeSpan.FromSeconds(seconds);
        if (lease < MappingSlot.ShortestLease || !MappingSlot.IsUsable(external))
        {
            Refuse(exchange, ShortestRefusal, now);
            return;
        }
        ExternalAddress = external.WithPort(0);
        exchange.Slot.Grant(protocol, external, now + (lease < MappingSlot.LongestLease ? lease : MappingSlot.LongestLease));
        exchange.HandleGrant(now);
        exchange.At = NextRenewal(exchange, now);
    }

    // What there is stays until its lease ends: a refusal to renew takes nothing away.
    private static void Refuse(Exchange exchange, TimeSpan duration, Timestamp now)
    {
        if (exchange.Deletes)
        {
            exchange.Slot.Clear();
            exchange.End();
            return;
        }
        var pause = duration < ShortestRefusal ? ShortestRefusal : duration > LongestRefusal ? LongestRefusal : duration;
        exchange.Begin(now + pause);
    }

    private void HandleEpoch(Exchange? answered, bool hasRestarted, Timestamp now)
    {
        if (!hasRestarted) return;
        foreach (var exchange in _exchanges)
        {
            if (exchange != answered && IsOurs(exchange) && !exchange.Deletes) exchange.At = Timestamp.Min(exchange.At, now + (MaxRestartDelay * _random.NextDouble()));
        }
    }

    // It has PCP in other versions than ours; NAT-PMP it may have or not.
    private void RefuseVersion()
    {
        if (_dialect != Dialect.Undecided || Pcp != GatewaySupport.Silent || !_exchanges.Exists(exchange => exchange.Sent > 0)) return;
        Pcp = GatewaySupport.Lacks;
        foreach (var exchange in _exchanges) exchange.End();
    }

    private void SpeakNatPmp(Timestamp now)
    {
        _pcpEnds = Timestamp.Never;
        _dialect = Dialect.NatPmp;
        if (ExternalAddress is null) AskAddress(now);
        foreach (var exchange in _exchanges)
        {
            if (!exchange.Deletes) exchange.Begin(now);
        }
    }

    private sealed class Exchange(MappingSlot slot)
    {
        public MappingSlot Slot { get; } = slot;

        /// <summary>When the next request is due.</summary>
        public Timestamp At { get; set; } = Timestamp.Never;

        /// <summary>Requests since the last answer: with none out there is nothing to be answered.</summary>
        public int Sent { get; set; }

        public Timestamp LastSent { get; set; } = new(long.MinValue / 2);

        public TimeSpan Interval { get; set; }

        public Timestamp Granted { get; private set; }

        public int Renewals { get; set; }

        public bool Deletes { get; private set; }

        /// <summary>What NAT-PMP granted while the gateway's external address is not known.</summary>
        public (ushort Port, uint Seconds)? Unplaced { get; set; }

        public void Begin(Timestamp at) => (At, Sent, Unplaced) = (at, 0, null);

        public void BeginDeletion(Timestamp now)
        {
            Begin(now);
            Deletes = true;
        }

        public void HandleGrant(Timestamp now) => (Granted, Renewals, Sent, Unplaced) = (now, 0, 0, null);

        public void End()
        {
            Begin(Timestamp.Never);
            Deletes = false;
        }
    }
}
