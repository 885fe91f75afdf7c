using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Dht;

/// <summary>Where the nodes see us.</summary>
/// <param name="Mapped">Address and port that most of them see. The port is 0 where no two thirds of them agree on one.</param>
internal readonly record struct ExternalView(Endpoint Mapped)
{
    /// <summary>Another port for each node: the mapping depends on the destination (RFC 4787's address-dependent, or symmetric).</summary>
    public bool IsMappingDependent => Mapped.Port == 0;
}

/// <summary>
/// What the nodes' <c>ip</c> fields say of our own address (BEP 42), one vote for each IP address: a STUN without a server,
/// of which no single answer is believed.
/// </summary>
internal sealed class ExternalAddressVotes
{
    /// <summary>Votes that count: the latest. A mapping that moved is seen after half as many answers.</summary>
    public const int MaxVotes = 16;

    /// <summary>Voters that it takes.</summary>
    public const int MinVoters = 3;

    private readonly List<Vote> _votes = new(MaxVotes);

    /// <summary>Votes that count now.</summary>
    public int Count => _votes.Count;

    /// <summary>What the majority sees; null before there is one.</summary>
    public ExternalView? View { get; private set; }

    /// <summary>Those whose vote is for <see cref="View"/>'s address, the latest last.</summary>
    public IEnumerable<Endpoint> Agreeing => _votes.Where(vote => vote.Mapped.Address == View?.Mapped.Address).Select(vote => vote.Voter);

    /// <summary>Counts a node's vote. True: <see cref="View"/> has changed.</summary>
    public bool Add(Endpoint voter, Endpoint mapped)
    {
        _votes.RemoveAll(vote => vote.Voter.Address == voter.Address);
        if (_votes.Count == MaxVotes) _votes.RemoveAt(0);
        _votes.Add(new Vote(voter, mapped));
        var view = Judge();
        if (view is null || view == View) return false;
        View = view;
        return true;
    }

    private ExternalView? Judge()
    {
        if (_votes.Count < MinVoters) return null;
        foreach (var candidate in _votes)
        {
            var sameAddress = 0;
            foreach (var vote in _votes) sameAddress += vote.Mapped.Address == candidate.Mapped.Address ? 1 : 0;
            if (2 * sameAddress <= _votes.Count) continue;
            return new ExternalView(candidate.Mapped.WithPort(CommonPort(candidate.Mapped.Address, sameAddress)));
        }
        return null;
    }

    private ushort CommonPort(UInt128 address, int voters)
    {
        foreach (var candidate in _votes)
        {
            if (candidate.Mapped.Address != address) continue;
            var samePort = 0;
            foreach (var vote in _votes) samePort += vote.Mapped == candidate.Mapped ? 1 : 0;
            if (3 * samePort >= 2 * voters) return candidate.Mapped.Port;
        }
        return 0;
    }

    private readonly record struct Vote(Endpoint Voter, Endpoint Mapped);
}
