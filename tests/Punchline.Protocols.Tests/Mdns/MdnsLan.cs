using Punchline.Protocols.Mdns;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;
using Punchline.Simulation;

namespace Punchline.Protocols.Tests.Mdns;

/// <summary>Responders on one link, in virtual time. As with real sockets, everybody hears everything, himself too.</summary>
internal sealed class MdnsLan
{
    public const int Network = 2;

    private readonly List<Host> _hosts = [];
    private readonly byte[] _buffer = new byte[MdnsService.MaxSent];

    public Timestamp Now { get; private set; } = Timestamp.Zero + TimeSpan.FromSeconds(100);

    /// <summary>What was sent, with its time.</summary>
    public List<(Timestamp At, Host From, Endpoint Group, byte[] Bytes)> Sent { get; } = [];

    /// <summary>Whether a message gets to a host.</summary>
    public Func<Host, Host, bool> Delivers { get; set; } = (_, _) => true;

    /// <param name="address">And the port of its punching socket.</param>
    /// <param name="ipv6">A second address, of IPv6; null: it has none.</param>
    public Host Add(string address, string? ipv6 = null)
    {
        var host = new Host(new MdnsNode(new SeededRandom((ulong)_hosts.Count + 1)), Endpoint.Parse(address));
        _hosts.Add(host);
        host.Node.SetNetworks([NetworkOf(address, ipv6)], Now);
        return host;
    }

    public static MdnsNetwork NetworkOf(string address, string? ipv6 = null, int number = Network) => new(number,
        [new HostAddress(Endpoint.Parse(address), 24), .. ipv6 is null ? Array.Empty<HostAddress>() : [new HostAddress(Endpoint.Parse(ipv6), 64)]]);

    /// <summary>Hands a message of somebody else to all.</summary>
    public void Inject(Endpoint source, ReadOnlySpan<byte> bytes)
    {
        foreach (var host in _hosts) host.Node.HandleDatagram(Network, source, bytes, Now);
        Drain();
    }

    public void RunFor(TimeSpan duration)
    {
        var end = Now + duration;
        Drain();
        for (var steps = 0; ; steps++)
        {
            Assert.True(steps < 100_000, "Somebody asks for time-outs without end.");
            var next = _hosts.Select(host => host.Node.NextTimeout).Aggregate(Timestamp.Never, Timestamp.Min);
            if (next > end) break;
            Now = Timestamp.Max(Now, next);
            foreach (var host in _hosts) host.Node.HandleTimeout(Now);
            Drain();
        }
        Now = end;
    }

    private void Drain()
    {
        var any = true;
        while (any)
        {
            any = false;
            foreach (var sender in _hosts)
            {
                while (sender.Node.TryDequeueTransmit(Now, _buffer, out var transmit))
                {
                    any = true;
                    var bytes = _buffer[..transmit.Length];
                    Sent.Add((Now, sender, transmit.Group, bytes));
                    // To the IPv6 group from a link-local address, as systems choose it.
                    var source = transmit.Group.IsIPv4 ? sender.Address.WithPort(MdnsService.Port) : Endpoint.Parse($"[fe80::{_hosts.IndexOf(sender) + 1:x}]:5353");
                    foreach (var host in _hosts.Where(host => Delivers(sender, host))) host.Node.HandleDatagram(transmit.Network, source, bytes, Now);
                }
                while (sender.Node.TryDequeueEvent(out var sighting)) sender.Seen.Add((Now, sighting));
            }
        }
    }

    internal sealed record Host(MdnsNode Node, Endpoint Address)
    {
        public List<(Timestamp At, MdnsSighting Sighting)> Seen { get; } = [];
    }
}
