using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Dht;

/// <summary>
/// The iterative search for the nodes nearest to a target, in one family's network: ask the nearest ones known for nearer ones until
/// the 8 nearest have answered (BEP 5, and Kademlia's paper, §2.3). A pure list: it neither sends nor waits.
/// </summary>
/// <remarks>
/// Nodes whose id is their address's (BEP 42) come before all others, however near these claim to be. So who wants to be what is found near a
/// target needs addresses whose hash lies there; and who has one address is asked once. Who names nodes that don't answer is not
/// listened to for long.
/// </remarks>
internal sealed class Lookup(NodeId target)
{
    /// <summary>The nearest nodes that have to answer, and where things are stored: BEP 5's K.</summary>
    public const int Width = RoutingTable.BucketSize;

    /// <summary>Queries under way, those not counted that are slow.</summary>
    public const int Parallelism = 5;

    /// <summary>Nodes asked, at most: each may be an entry in our router's table.</summary>
    public const int MaxAsked = 32;

    /// <summary>Candidates kept, the best ones.</summary>
    public const int MaxCandidates = 64;

    /// <summary>Nodes taken of one answer, each family's: BEP 5 has 8, some send twice that.</summary>
    public const int MaxNodesPerAnswer = 16;

    /// <summary>
    /// Of the nodes that one node named, so many are asked before one has answered; when they all don't, and fewer did, it counts for a liar.
    /// </summary>
    public const int MaxUnansweredPerTeller = 2;

    /// <summary>Addresses asked whose node's id we don't know: bootstrap hosts.</summary>
    public const int MaxSeeds = 8;

    private readonly List<Candidate> _candidates = []; // best first
    private int _underWay;

    private enum State
    {
        Known,
        Asked,
        Slow,
        Answered,
        Failed,
    }

    public NodeId Target { get; } = target;

    /// <summary>Nodes that a query went to.</summary>
    public int Asked { get; private set; }

    /// <summary>Nodes that answered.</summary>
    public int Answered { get; private set; }

    /// <summary>Rounds of questions until the last answer: nodes learnt by answers of the first are asked in the second.</summary>
    public int Rounds { get; private set; }

    /// <summary>Whether there is somebody to ask now.</summary>
    public bool HasNext => NextIndex() >= 0;

    /// <summary>The nearest nodes have answered, or there is nobody left to ask and to wait for.</summary>
    public bool IsDone
    {
        get
        {
            var left = Width;
            var isSlowAwaited = false;
            foreach (var candidate in _candidates)
            {
                switch (candidate.State)
                {
                    case State.Known when Asked < MaxAsked: return false;
                    case State.Asked: return false;
                    case State.Answered when --left == 0: return true;
                    case State.Slow: isSlowAwaited = true; break;
                }
            }
            return !isSlowAwaited;
        }
    }

    /// <summary>An address with a node whose id is not known; it is asked first.</summary>
    public void OfferSeed(Endpoint endpoint)
    {
        if (_candidates.Count(candidate => candidate.Id is null) < MaxSeeds) Add(new Candidate(null, endpoint, Target, teller: null));
    }

    /// <summary>A node that may be asked.</summary>
    /// <param name="id">Its id.</param>
    /// <param name="endpoint">Its address.</param>
    /// <param name="teller">The node that named it; null for our own table.</param>
    public void Offer(NodeId id, Endpoint endpoint, Endpoint? teller = null)
    {
        var source = teller is { } told ? Find(told) : null;
        if (source?.IsLiar != true) Add(new Candidate(id, endpoint, Target, source));
    }

    /// <summary>The next to be asked, and its id where that is known. It counts as asked from now on.</summary>
    public bool TryTakeNext(out Endpoint endpoint, out NodeId? node)
    {
        (endpoint, node) = (default, null);
        var index = NextIndex();
        if (index < 0) return false;
        _candidates[index].State = State.Asked;
        if (_candidates[index].Teller is { } teller) teller.NamedAndAsked++;
        _underWay++;
        Asked++;
        (endpoint, node) = (_candidates[index].Endpoint, _candidates[index].Id);
        return true;
    }

    /// <summary>The one that <see cref="TryTakeNext"/> would take.</summary>
    public bool TryPeekNext(out Endpoint endpoint)
    {
        var index = NextIndex();
        endpoint = index < 0 ? default : _candidates[index].Endpoint;
        return index >= 0;
    }

    /// <summary>A node answered, with the token that lets us store something there, if it gave one.</summary>
    public void HandleAnswer(Endpoint endpoint, NodeId id, ReadOnlySpan<byte> token)
    {
        if (Find(endpoint) is not { } candidate || candidate.State is not (State.Asked or State.Slow)) return;
        Settle(candidate, State.Answered);
        if (candidate.Teller is { } teller) teller.NamedRightly++;
        Answered++;
        Rounds = Math.Max(Rounds, candidate.Round);
        candidate.Token = token.ToArray();
        if (candidate.Id is not null) return;
        // A seed has a place now.
        _candidates.Remove(candidate);
        candidate.Identify(id, Target);
        Place(candidate);
    }

    /// <summary>A node has not answered yet; another may be asked meanwhile.</summary>
    public void HandleSlow(Endpoint endpoint)
    {
        if (Find(endpoint) is { State: State.Asked } candidate) Settle(candidate, State.Slow);
    }

    /// <summary>A node did not answer, or not as the one that it was taken for.</summary>
    public void HandleFailure(Endpoint endpoint)
    {
        if (Find(endpoint) is { State: State.Asked or State.Slow } candidate) Settle(candidate, State.Failed);
    }

    /// <summary>The best nodes that answered, at most <see cref="Width"/>: the next to have their turn at <see cref="TryTakeStore"/>.</summary>
    public void BeginStoring()
    {
        var left = Width;
        foreach (var candidate in _candidates)
        {
            candidate.IsToStore = candidate.State == State.Answered && candidate.Token.Length > 0 && left-- > 0;
        }
    }

    /// <summary>The one that <see cref="TryTakeStore"/> would take.</summary>
    public bool TryPeekStore(out Endpoint endpoint)
    {
        var next = _candidates.Find(candidate => candidate.IsToStore);
        endpoint = next?.Endpoint ?? default;
        return next is not null;
    }

    /// <summary>The next node to store something at.</summary>
    public bool TryTakeStore(out Endpoint endpoint, out ReadOnlyMemory<byte> token)
    {
        (endpoint, token) = (default, default);
        if (_candidates.Find(candidate => candidate.IsToStore) is not { } next) return false;
        next.IsToStore = false;
        (endpoint, token) = (next.Endpoint, next.Token);
        return true;
    }

    private int NextIndex()
    {
        if (_underWay >= Parallelism || Asked >= MaxAsked) return -1;
        // Beyond the nearest that have answered or may still do so nobody needs to be asked.
        var left = Width;
        for (var i = 0; i < _candidates.Count && left > 0; i++)
        {
            if (_candidates[i].State == State.Known && !_candidates[i].IsHeldBack) return i;
            if (_candidates[i].State is State.Answered or State.Asked) left--;
        }
        return -1;
    }

    private void Settle(Candidate candidate, State state)
    {
        if (candidate.State == State.Asked)
        {
            _underWay--;
            if (state != State.Answered && candidate.Teller is { } teller && teller.NameWrongly())
                _candidates.RemoveAll(named => named.State == State.Known && named.Teller == teller);
        }
        candidate.State = state;
    }

    private Candidate? Find(Endpoint endpoint) => _candidates.Find(candidate => candidate.Endpoint == endpoint);

    private void Add(Candidate candidate)
    {
        // One node an address; on the loopback, where tests run, one a port.
        var isLoopback = Traversal.AddressScope.IsLoopback(candidate.Endpoint);
        foreach (var known in _candidates)
        {
            if (known.Id is not null && known.Id == candidate.Id) return;
            if (isLoopback ? known.Endpoint == candidate.Endpoint : known.Endpoint.Address == candidate.Endpoint.Address) return;
        }
        Place(candidate);
        if (_candidates.Count <= MaxCandidates) return;
        // Those under way are waited for, those that failed are remembered as such.
        var last = _candidates.FindLastIndex(known => known.State == State.Known);
        _candidates.RemoveAt(last < 0 ? _candidates.Count - 1 : last);
    }

    private void Place(Candidate candidate)
    {
        var index = _candidates.FindIndex(known => candidate.IsBetterThan(known));
        _candidates.Insert(index < 0 ? _candidates.Count : index, candidate);
    }

    private sealed class Candidate(NodeId? id, Endpoint endpoint, NodeId target, Candidate? teller)
    {
        private NodeId _distance = (id ?? target) ^ target; // nothing is nearer than a seed
        private bool _isSecure = id is null || SecureNodeId.IsValid(id.Value, endpoint);
        private int _namedWrongly;

        public NodeId? Id { get; private set; } = id;

        public Endpoint Endpoint { get; } = endpoint;

        public Candidate? Teller { get; } = teller;

        public int Round { get; } = (teller?.Round ?? 0) + 1;

        /// <summary>Nodes it named that were asked.</summary>
        public int NamedAndAsked { get; set; }

        /// <summary>Its teller has yet to show that it names nodes that are there.</summary>
        public bool IsHeldBack => Teller is { NamedRightly: 0, NamedAndAsked: >= MaxUnansweredPerTeller };

        /// <summary>Nodes it named that answered.</summary>
        public int NamedRightly { get; set; }

        public bool IsLiar => _namedWrongly >= MaxUnansweredPerTeller && _namedWrongly > NamedRightly;

        public State State { get; set; }

        public byte[] Token { get; set; } = [];

        public bool IsToStore { get; set; }

        /// <summary>A node that it named was slow, or did not answer. True: it is a liar now.</summary>
        public bool NameWrongly()
        {
            _namedWrongly++;
            return IsLiar;
        }

        public void Identify(NodeId id, NodeId target)
        {
            Id = id;
            _distance = id ^ target;
            _isSecure = SecureNodeId.IsValid(id, Endpoint);
        }

        public bool IsBetterThan(Candidate other) => _isSecure != other._isSecure ? _isSecure : _distance.CompareTo(other._distance) < 0;
    }
}
