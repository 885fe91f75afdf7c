using Punchline.Protocols.Coordination;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Rooms;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Node;

/// <summary>What we say of ourselves to the members of one room, in ever higher generations.</summary>
/// <param name="services">The node's.</param>
/// <param name="instance">Which process of ours it is about.</param>
/// <param name="name">What we call ourselves.</param>
internal sealed class OwnIntroduction(NodeServices services, InstanceId instance, string name)
{
    private readonly List<PortOffer> _offers = [];
    private readonly List<SearchOrigin> _origins = [];
    private uint _generation;

    /// <summary>Of the last introduction; 0 before the first.</summary>
    public uint Generation => _generation;

    public IntroducedPeer Peer => new(services.Id, instance);

    /// <summary>Says from the next generation on that a peer is expected at some port. False where too many are.</summary>
    public bool TryOffer(PortOffer offer)
    {
        if (_offers.Count == PortOffer.MaxPerPeer) return false;
        _offers.Add(offer);
        return true;
    }

    /// <summary>Says from the next generation on where a search between a peer and us begins. False where too many are.</summary>
    public bool TryName(SearchOrigin origin)
    {
        if (_origins.Count == SearchOrigin.MaxPerPeer) return false;
        _origins.Add(origin);
        return true;
    }

    /// <summary>The peer is expected there no more.</summary>
    public void Withdraw(ulong target, Carrier carrier) => _offers.RemoveAll(offer => offer.Target == target && offer.Carrier == carrier);

    /// <summary>There is no search between the peer and us any more.</summary>
    public void WithdrawOrigin(ulong target) => _origins.RemoveAll(origin => origin.Target == target);

    /// <summary>With the candidates of now, in a new generation.</summary>
    /// <param name="allowLoopback">Loopback's too, since the server was reached there.</param>
    public IntroductionBlob Renew(bool allowLoopback)
    {
        _generation++;
        return Create(allowLoopback);
    }

    /// <summary>With the candidates of now, in the generation that was last.</summary>
    /// <param name="allowLoopback">Loopback's too, since the server was reached there.</param>
    public IntroductionBlob Create(bool allowLoopback)
    {
        var candidates = new List<Candidate>();
        // Where STUN sees the same endpoint both are told: who knows no mappings takes the other.
        if ((services.Mapped ?? services.Middle) is { } mapped) candidates.Add(new Candidate(CandidateKind.Mapped, mapped));
        if (services.MappedTcp is { } mappedTcp) candidates.Add(new Candidate(CandidateKind.Mapped, mappedTcp) { Carrier = Carrier.Tcp });
        foreach (var seen in services.OfUse(services.Reflexive.Concat(services.VouchedAddresses))) candidates.Add(new Candidate(KindOf(seen), seen));
        if (services.Tcp.Port != 0 && services.TcpReflexive.Mapped is { } reflexive) candidates.Add(new Candidate(CandidateKind.ServerReflexive, reflexive) { Carrier = Carrier.Tcp });
        if (services.TcpReflexiveIPv6 is { } seenByIPv6)
            candidates.Add(new Candidate(services.IsOwnTcp(seenByIPv6) ? CandidateKind.Host : CandidateKind.ServerReflexive, seenByIPv6) { Carrier = Carrier.Tcp });
        foreach (var host in services.HostAddresses)
        {
            if (AddressScope.IsLoopback(host.Endpoint) && !allowLoopback) continue;
            if (!services.Reflexive.Contains(host.Endpoint)) candidates.Add(new Candidate(CandidateKind.Host, host.Endpoint));
            AddTcp(candidates, host.Endpoint);
        }
        return new IntroductionBlob(services.PublicKey, instance, _generation, name, [.. candidates.Take(Candidate.MaxPerPeer)])
        {
            Offers = [.. _offers],
            Origins = [.. _origins],
            Profile = services.Profile,
        };
    }

    // An IPv6 address that no router changed is our own, which tells the other side that there is none to be careful with (PunchTarget.IsOwn).
    private CandidateKind KindOf(Endpoint reflexive) =>
        !reflexive.IsIPv4 && services.HostAddresses.Any(host => host.Endpoint == reflexive) ? CandidateKind.Host : CandidateKind.ServerReflexive;

    // Right behind UDP's of the same interface, so that where there are dozens the last of them are left out, and not all of TCP.
    private void AddTcp(List<Candidate> candidates, Endpoint host)
    {
        if (!services.Tcp.IsOf(host)) return;
        var endpoint = host.WithPort(services.Tcp.Port);
        if (endpoint != services.TcpReflexive.Mapped && endpoint != services.TcpReflexiveIPv6) candidates.Add(new Candidate(CandidateKind.Host, endpoint) { Carrier = Carrier.Tcp });
    }

    /// <summary>
    /// For an inbox, whose keys everybody has who knows the id: without candidates, and without the name, so that neither the
    /// server nor a stranger reads more than it proves anyway.
    /// </summary>
    public static IntroductionBlob WithoutAddresses(NodeServices services, InstanceId instance, uint generation) =>
        new(services.PublicKey, instance, generation, "", []);
}
