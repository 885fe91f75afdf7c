using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Traversal;

/// <summary>
/// What members may have us send to where only they say that others are, beside what <see cref="ProbeBudget"/> and <see cref="SearchBudget"/> leave to everybody:
/// so many public addresses and searches an hour, by one of them and by all, for a member can bring others of its own making. An IPv6 /64 counts as one address.
/// </summary>
internal sealed class HearsayBudget
{
    public static readonly TimeSpan Period = TimeSpan.FromHours(1);

    /// <summary>Addresses that one member may name: of a full room, each member's in both families.</summary>
    public const int MaxAddressesOfOne = 128;

    public const int MaxAddresses = 512;

    /// <summary>Searches for what one member may name: of a pair that does not meet at once, four members'.</summary>
    public const int MaxSearchesOfOne = 16;

    /// <summary>Of them, and of all others', for one address: at once, and when the pause behind a failure has ended for the third time.</summary>
    public const int MaxSearchesOfAddress = 4;

    public const int MaxSearches = 32;

    private readonly List<Use> _addresses = [];
    private readonly List<Use> _searches = [];

    /// <summary>
    /// Whether what a member names may be probed. What it or another has named within the hour may; and a private address, which is probed near us alone.
    /// </summary>
    public bool TryName(PeerId introducer, Endpoint endpoint, Timestamp now)
    {
        if (AddressScope.IsPrivate(endpoint)) return true;
        Expire(_addresses, now);
        var site = AddressScope.SiteOf(endpoint);
        if (_addresses.Exists(use => use.Site == site)) return true;
        if (_addresses.Count == MaxAddresses || _addresses.Count(use => use.Introducer == introducer) == MaxAddressesOfOne) return false;
        _addresses.Add(new Use(introducer, site, now));
        return true;
    }

    /// <summary>Begins a search at an address, if one more may be.</summary>
    public bool TrySearch(PeerId introducer, Endpoint endpoint, Timestamp now)
    {
        Expire(_searches, now);
        var site = AddressScope.SiteOf(endpoint);
        if (_searches.Count == MaxSearches || _searches.Count(use => use.Introducer == introducer) == MaxSearchesOfOne) return false;
        if (_searches.Count(use => use.Site == site) == MaxSearchesOfAddress) return false;
        _searches.Add(new Use(introducer, site, now));
        return true;
    }

    private static void Expire(List<Use> uses, Timestamp now) => uses.RemoveAll(use => now - use.At >= Period);

    private readonly record struct Use(PeerId Introducer, UInt128 Site, Timestamp At);
}
