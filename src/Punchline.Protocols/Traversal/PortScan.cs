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
        var offset = (_start + ((long)_next * _stride)) % Offer.Ports;
        _next = (_next + 1) % Offer.Ports;
        return Offer.First.WithPort((ushort)(Offer.First.Port + offset));
    }

    private static int Gcd(int a, int b) => b == 0 ? a : Gcd(b, a % b);
}
