using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;
using Punchline.Simulation.Nat;
using Punchline.Simulation.Tcp;
using Punchline.Simulation.Tracing;

namespace Punchline.Simulation;

/// <summary>Space: a packet's way from socket to socket.</summary>
internal sealed partial class VirtualInternet
{
    /// <summary>From host to host of one LAN; the way to the router is part of the uplink's delay.</summary>
    public static readonly TimeSpan LanDelay = TimeSpan.FromMicroseconds(200);

    /// <summary>Under which sites with a translator reach IPv4 (RFC 6052 §2.1).</summary>
    public static readonly Nat64Prefix Nat64Prefix = new(Endpoint.Parse("[64:ff9b::]:0"), 96);

    private void Send(SimulatedSocket socket, Transmit transmit, ReadOnlySpan<byte> payload)
    {
        var machine = socket.Machine;
        // As from a system without a route: the socket refuses, and nothing leaves.
        if (machine.SourceTowards(transmit.Destination, socket.Port) is not { } source) return;
        Send(machine, Packet.Create(source, transmit.Destination, transmit.TimeToLive, payload));
    }

    private void Send(Machine machine, Packet packet)
    {
        Record(machine.Name, Verdict.Sent, packet);
        if (machine.Site is { } site)
        {
            if (AddressScope.IsMulticastOrBroadcast(packet.Destination)) SendToAll(site, machine, packet);
            else if (site.FindMachine(packet.Destination.Address) is { } neighbour) Push(Now + LanDelay, () => Deliver(neighbour, packet));
            else EnterLan(site, packet);
        }
        else Cross(machine.Uplink!.Up, packet, EnterCore);
    }

    // Multicast stays in the LAN. Whoever has no socket there has not joined the group.
    private void SendToAll(Site site, Machine sender, Packet packet)
    {
        foreach (var member in site.Machines)
        {
            if (member != sender && member.FindSocket(packet.Destination.Port) is not null) Push(Now + LanDelay, () => Deliver(member, packet));
        }
    }

    /// <summary>Into a site's LAN, from a host of it (that has looked for a neighbour) or from the router of a site behind it.</summary>
    private void EnterLan(Site site, Packet packet)
    {
        if (site.FindMachine(packet.Destination.Address) is { } machine) Deliver(machine, packet);
        else if (site.FindRouter(packet.Destination.Address) is { } inner) Cross(inner.Uplink.Down, packet, arrived => EnterFromOutside(inner, arrived));
        else if (site.IsOnLan(packet.Destination.Address)) Record(site.Name, Verdict.NoRoute, packet); // nobody answers ARP: it reaches no router
        else EnterFromInside(site, packet);
    }

    private void EnterFromInside(Site site, Packet packet)
    {
        // A translator's flow is from an IPv6 host to an IPv4 address.
        var isTranslated = site.HasNat64 && Nat64Prefix.TryExtract(packet.Destination, out _);
        var destination = isTranslated && Nat64Prefix.TryExtract(packet.Destination, out var ipv4) ? ipv4 : packet.Destination;
        if (site.RouterFor(packet, destination) is not { } nat)
        {
            Record(site.RouterName, Verdict.NoRoute, packet);
            return;
        }
        var hairpins = nat.Behavior.Translates && destination.Address == nat.ExternalAddress;
        if (hairpins && !nat.Behavior.Hairpin)
        {
            Record(site.RouterName, Verdict.HairpinRefused, packet);
            return;
        }
        if (nat.Behavior.Blocks(packet) || (site.BlocksUdp && packet.Tcp is null))
        {
            Record(site.RouterName, Verdict.Blocked, packet);
            return;
        }
        if (!packet.TryForward(out var forwarded))
        {
            Record(site.RouterName, Verdict.TimeToLiveExceeded, packet);
            return;
        }

        var tuple = new FlowTuple(packet.Source, destination);
        var decision = nat.Outbound(tuple, Now);
        if (decision.Verdict != Verdict.Forwarded)
        {
            Record(site.RouterName, decision.Verdict, packet);
            return;
        }
        if (decision.Mapping is { } mapping)
        {
            var verdict = decision.Moved ? Verdict.MappingMoved : Verdict.MappingCreated;
            Record(site.RouterName, verdict, packet with { Source = mapping.Internal, Destination = isTranslated ? Nat64Prefix.Embed(mapping.External) : mapping.External });
        }

        if (IsSegmentDropped(nat, packet, tuple))
        {
            Record(site.RouterName, Verdict.OutOfWindow, packet);
            return;
        }
        forwarded = forwarded with { Source = decision.Tuple.Source, Destination = decision.Tuple.Destination };
        Record(site.RouterName, Verdict.Forwarded, forwarded);
        if (hairpins) Push(Now + LanDelay, () => Admit(site, forwarded, canForward: true, forwarded)); // one router, one hop
        else if (site.Behind is { } parent) Cross(site.Uplink.Up, forwarded, arrived => EnterLan(parent, arrived));
        else Cross(site.Uplink.Up, forwarded, EnterCore);
    }

    private void EnterCore(Packet packet)
    {
        if (!packet.TryForward(out var forwarded)) Record("core", Verdict.TimeToLiveExceeded, packet);
        else if (_servers.TryGetValue(packet.Destination.Address, out var server)) Cross(server.Uplink!.Down, forwarded, arrived => Deliver(server, arrived));
        else if (_routes.TryGetValue(packet.Destination.Address, out var site)) Cross(site.Uplink.Down, forwarded, arrived => EnterFromOutside(site, arrived));
        else Record("core", Verdict.NoRoute, packet);
    }

    private void EnterFromOutside(Site site, Packet packet)
    {
        // Whom the router's old address belonged to when the packet left does not matter: it is not ours any more.
        if (packet.Destination.IsIPv4 && site.Nat.Behavior.Translates && packet.Destination.Address != site.ExternalAddress) Record(site.RouterName, Verdict.NoRoute, packet);
        else Admit(site, packet, packet.TryForward(out var forwarded), forwarded);
    }

    private void Admit(Site site, Packet packet, bool canForward, Packet forwarded)
    {
        // Whatever has a route to here is of a family that the site has.
        var nat = site.RouterFor(packet, packet.Destination)!;
        if ((nat.Behavior.BlocksUdp || site.BlocksUdp) && packet.Tcp is null)
        {
            Record(site.RouterName, Verdict.Blocked, packet);
            return;
        }
        var tuple = new FlowTuple(packet.Source, packet.Destination);
        var decision = nat.Inbound(tuple, canForward, Now);
        if (decision.Verdict != Verdict.Forwarded)
        {
            Record(site.RouterName, decision.Verdict, packet);
            if (packet.Tcp is { } refused && decision.Verdict is Verdict.Rejected or Verdict.AcceptedByRouter) Refuse(site, packet, refused, nat);
            return;
        }
        if (IsSegmentDropped(nat, packet, tuple))
        {
            Record(site.RouterName, Verdict.OutOfWindow, packet);
            return;
        }
        var (from, inside) = (decision.Tuple.Source, decision.Tuple.Destination);
        if (from.IsIPv4 && !inside.IsIPv4) from = Nat64Prefix.Embed(from);
        forwarded = forwarded with { Source = from, Destination = inside };
        Record(site.RouterName, Verdict.Forwarded, forwarded);
        var to = forwarded.Destination.Address;
        if (site.FindMachine(to) is { } machine) Deliver(machine, forwarded);
        else if (site.FindRouter(to) is { } inner) Cross(inner.Uplink.Down, forwarded, arrived => EnterFromOutside(inner, arrived));
        else Record(site.RouterName, Verdict.NoRoute, forwarded);
    }

    private bool IsSegmentDropped(NatTranslator nat, in Packet packet, FlowTuple tuple)
    {
        if (packet.Tcp is not { } header) return false;
        if (header.Has(TcpFlags.Reset)) nat.NoteReset(tuple, Now);
        return header.Flags == TcpFlags.Syn && nat.IsSynOutOfWindow(tuple, header.Sequence, Now);
    }

    // A router that does not drop a SYN answers it with RST: by its rules, or because nothing listens on the router itself.
    private void Refuse(Site site, Packet packet, TcpHeader header, NatTranslator nat)
    {
        nat.NoteReset(new FlowTuple(packet.Destination, packet.Source), Now);
        if (TcpStack.RefusalOf(header, packet.Payload.Length) is not { } reset) return;
        var answer = Packet.CreateSegment(packet.Destination, packet.Source, 0, reset, []);
        Record(site.RouterName, Verdict.Sent, answer);
        if (site.Behind is { } parent) Cross(site.Uplink.Up, answer, arrived => EnterLan(parent, arrived));
        else Cross(site.Uplink.Up, answer, EnterCore);
    }

    private void Cross(Link link, Packet packet, Action<Packet> arrive)
    {
        var outcome = link.Offer(packet.BytesOnWire, Now);
        if (outcome.Dropped is { } reason)
        {
            Record(link.Name, reason, packet);
            return;
        }
        if (outcome.FlippedBit is { } bit)
        {
            if (packet.Tcp is not null)
            {
                // Its checksum, unlike UDP's here, is looked at: a damaged segment is a lost one.
                Record(link.Name, Verdict.Lost, packet);
                return;
            }
            Record(link.Name, Verdict.Corrupted, packet);
            var payload = packet.Payload.ToArray();
            Link.Flip(payload, bit);
            packet = Packet.Create(packet.Source, packet.Destination, packet.TimeToLive, payload);
        }
        Push(outcome.Arrival, () => arrive(packet));
        if (outcome.DuplicateArrival is not { } second) return;
        Record(link.Name, Verdict.Duplicated, packet);
        Push(second, () => arrive(packet));
    }

    private void Record(string place, Verdict verdict, in Packet packet) => Trace.Record(
        new(Now, place, verdict, packet.Source, packet.Destination, packet.TimeToLive, packet.Payload, packet.Digest, packet.Tcp));
}
