using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Dht;

/// <summary>The networks of IPv4 and of IPv6 nodes are two, which know of each other (BEP 32): this is what a node has of one.</summary>
internal sealed class DhtNetwork(bool isIPv4, NodeId id)
{
    /// <summary>Bootstrap hosts' addresses, at most.</summary>
    public const int MaxBootstraps = Lookup.MaxSeeds;

    /// <summary>Nodes of an earlier run, at most.</summary>
    public const int MaxRemembered = 128;

    /// <summary>Below as many usable nodes, bootstrap hosts and remembered nodes are asked too.</summary>
    public const int FewNodes = Lookup.Width;

    public bool IsIPv4 { get; } = isIPv4;

    /// <summary>We have an address in it.</summary>
    public bool IsReachable { get; set; } = true;

    public NodeId Id => Table.Self;

    public RoutingTable Table { get; private set; } = new(id);

    public ExternalAddressVotes Votes { get; } = new();

    public List<Endpoint> Bootstraps { get; } = [];

    public List<(NodeId Id, Endpoint Endpoint)> Remembered { get; } = [];

    public bool IsFewNodes => Table.UsableCount < FewNodes;

    public Timestamp NextBootstrap { get; set; } = Timestamp.Never;

    public TimeSpan BootstrapInterval { get; set; } = DhtNode.FirstBootstrapInterval;

    public Timestamp NextRefresh { get; set; } = Timestamp.Never;

    /// <summary>The same nodes around another id.</summary>
    public void ChangeId(NodeId id, Timestamp now)
    {
        var contacts = Table.Contacts.Where(contact => !contact.IsBad).ToList();
        Table = new RoutingTable(id);
        foreach (var contact in contacts) Table.HandleAnswer(contact.Id, contact.Endpoint, Timestamp.Min(contact.LastAnswer, now));
    }

    /// <summary>A remembered node answered, and is in the table, or it did not.</summary>
    public void Forget(Endpoint endpoint)
    {
        for (var i = Remembered.Count - 1; i >= 0; i--)
        {
            if (Remembered[i].Endpoint == endpoint) Remembered.RemoveAt(i);
        }
    }

    /// <summary>A lookup that begins with the nearest nodes we know; with few, also with those that we hope are there.</summary>
    public Lookup BeginLookup(NodeId target)
    {
        var lookup = new Lookup(target);
        var closest = new DhtContact[Lookup.MaxCandidates / 2];
        foreach (var contact in closest.AsSpan(0, Table.FindClosest(target, closest))) lookup.Offer(contact.Id, contact.Endpoint);
        if (!IsFewNodes) return lookup;
        foreach (var contact in Table.Contacts) lookup.Offer(contact.Id, contact.Endpoint);
        foreach (var (id, endpoint) in Remembered) lookup.Offer(id, endpoint);
        foreach (var bootstrap in Bootstraps) lookup.OfferSeed(bootstrap);
        return lookup;
    }
}
