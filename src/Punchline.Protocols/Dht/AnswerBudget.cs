using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Dht;

/// <summary>
/// What may be answered: a query's source can be forged, so one address gets few answers and all together a bounded number.
/// </summary>
internal sealed class AnswerBudget
{
    /// <summary>To one IP address.</summary>
    public const int PerAddressPerSecond = 8;

    public const int PerAddressBurst = 32;

    /// <summary>To all. At 400 bytes each that is 40 kB/s.</summary>
    public const int PerSecond = 100;

    public const int Burst = 200;

    /// <summary>Addresses remembered: more than get an answer in the 4 s after which an address has its burst again, 200 + 4 · 100.</summary>
    public const int MaxAddresses = 1_024;

    private readonly Pacer _all = new(PerSecond, Burst);
    private readonly Dictionary<UInt128, Pacer> _addresses = [];
    private Timestamp _swept;

    public bool TryTake(Endpoint destination, Timestamp now)
    {
        // Whom there is no answer for needs no memory.
        if (_all.NextAllowed(now) > now) return false;
        var refill = TimeSpan.FromSeconds((double)PerAddressBurst / PerAddressPerSecond);
        if (_addresses.Count == MaxAddresses && now - _swept >= refill)
        {
            _addresses.Clear();
            _swept = now;
        }
        if (!_addresses.TryGetValue(destination.Address, out var address))
        {
            if (_addresses.Count == MaxAddresses) return false;
            _addresses.Add(destination.Address, address = new Pacer(PerAddressPerSecond, PerAddressBurst));
        }
        return address.TryTake(now) && _all.TryTake(now);
    }
}
