using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Traversal;

/// <summary>
/// The order in which the ports of an offer are tried: each once, then all over again. The peer's router drew them, so any order is as good as
/// any other, but two scans of the same ports should not be the same.
/// </summary>
internal sealed class PortScan
{
    private readonly int _start;
    private readonly int _stride;
    private int _next;
    private int _tried;
    private int _repeated;

    public PortScan(PortOffer offer, IRandomSource random)
    {
        Offer = offer;
        _start = random.NextInt32(offer.Ports);
        // A stride that has no divisor in common with the number of ports comes by each of them once.
        do _stride = 1 + random.NextInt32(offer.Ports);
        while (Gcd(_stride, offer.Ports) != 1);
    }

    public PortOffer Offer { get; }

    public Endpoint Next()
    {
        var port = PortAt(_next);
        _next = (_next + 1) % Offer.Ports;
        _tried++;
        return port;
    }

    /// <summary>Some of the first have not been tried once more.</summary>
    public bool HasRepeats => _repeated < Math.Min(_tried, Offer.Sockets);

    /// <summary>
    /// The first ones once more, in their order: the peer was opening its sockets while they were tried, as fast as they were. To our router they are nothing new.
    /// </summary>
    public Endpoint Repeat() => PortAt(_repeated++);

    private Endpoint PortAt(int index) => Offer.First.WithPort((ushort)(Offer.First.Port + ((_start + ((long)index * _stride)) % Offer.Ports)));

    private static int Gcd(int a, int b) => b == 0 ? a : Gcd(b, a % b);
}
