using Punchline.Protocols.Coordination;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Rooms;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Node;

/// <summary>What of a member others are told of, as it was last looked at.</summary>
internal readonly record struct MemberView(bool IsHeard, IntroductionBlob? Introduction, Endpoint? SeenAt, Timestamp Since);

// Members introduce each other (PROTOCOL §10; the idea is BEP 55's). Each tells the others to whom it is connected, and whoever is connected to two that are not
// connected to each other passes on to each what the other says of itself: at first, with every newer word, and from time to time.
internal sealed partial class RoomSession
{
    /// <summary>What the rendezvous gets to connect a newcomer by itself.</summary>
    public static readonly TimeSpan IntroductionGrace = TimeSpan.FromSeconds(1);

    /// <summary>What has not led to a connection is told again: two attempts of it fit in between.</summary>
    public static readonly TimeSpan RetellInterval = TimeSpan.FromSeconds(60);

    /// <summary>Members without a connection that one other may have introduced, and all others: as many places are left for those who come themselves.</summary>
    public const int MaxHearsayOfOne = 16;

    public const int MaxHearsay = CoordinationLimits.MaxMembersPerRoom / 2;

    // Several changes at once are one piece of news.
    private static readonly TimeSpan GatheringTime = TimeSpan.FromMilliseconds(20);

    private Timestamp _introduceAt = Timestamp.Never;
    private bool _hasWords;

    /// <summary>Its members introduce others. The two of a call have none.</summary>
    public bool HasMutualIntroductions => !_rendezvous.IsOfTwo;

    private Timestamp MutualTimeout => _hasWords ? Timestamp.Zero : _introduceAt;

    /// <summary>What we say of ourselves gets to a peer to which there is no connection: by the server, or by a member that is connected to it.</summary>
    public bool IsTold(PeerId peer) => IsServed || IsVouched(peer);

    /// <summary>Some member said something of others: it is heard when the packet has been handled.</summary>
    public void HandleWords(Timestamp now)
    {
        _hasWords = true;
        _introduceAt = Timestamp.Min(_introduceAt, now + GatheringTime);
    }

    // A member says that it is connected to that peer.
    private bool IsVouched(PeerId peer)
    {
        var target = PortOffer.TargetOf(peer);
        foreach (var member in _members)
        {
            if (member.Session.IsHeard && member.Session.Introductions.Connected.Contains(target)) return true;
        }
        return false;
    }

    private void NoteView(Member member, Timestamp now)
    {
        var (session, before) = (member.Session, member.View);
        var isHeard = session.IsHeard;
        var seenAt = isHeard && session.OpenPath is { } path && !AddressScope.IsPrivate(path.Remote) ? path.Remote : (Endpoint?)null;
        if (isHeard == before.IsHeard && ReferenceEquals(session.Introduction, before.Introduction) && seenAt == before.SeenAt) return;
        member.View = new MemberView(isHeard, session.Introduction, seenAt, isHeard == before.IsHeard ? before.Since : now);
        if (HasMutualIntroductions && (isHeard || before.IsHeard)) _introduceAt = Timestamp.Min(_introduceAt, now + GatheringTime);
    }

    private void HandleMutualTimeout(Timestamp now)
    {
        if (_hasWords)
        {
            _hasWords = false;
            for (var i = 0; i < _members.Count; i++)
            {
                var member = _members[i];
                while (!_isLeaving && member.Session.Introductions.TryDequeue(out var introduction)) HandleWord(member, introduction, now);
                NoteView(member, now);
            }
        }
        if (now >= _introduceAt) IntroduceAll(now);
    }

    private void IntroduceAll(Timestamp now)
    {
        _introduceAt = Timestamp.Never;
        if (_isLeaving) return;
        var heard = _members.FindAll(member => member.View.IsHeard);
        foreach (var receiver in heard)
        {
            var channel = receiver.Session.Introductions;
            channel.TellConnected([.. heard.Where(other => other != receiver).Select(other => PortOffer.TargetOf(other.Session.Peer))]);
            foreach (var subject in heard)
            {
                if (subject == receiver) continue;
                if (channel.Connected.Contains(PortOffer.TargetOf(subject.Session.Peer)))
                {
                    channel.Forget(subject.Session.Peer);
                    continue;
                }
                var due = Timestamp.Max(receiver.View.Since, subject.View.Since) + IntroductionGrace;
                if (now >= due) due = channel.Introduce(subject.View.Introduction!, subject.View.SeenAt, RetellInterval, now);
                _introduceAt = Timestamp.Min(_introduceAt, due);
            }
        }
    }

    // To those who are connected to somebody to whom we are not: for anybody else it is no news.
    private void TellOfSelf(IntroductionBlob own, Timestamp now)
    {
        if (!HasMutualIntroductions || _isLeaving) return;
        var connected = _members.Where(member => member.Session.IsHeard).Select(member => PortOffer.TargetOf(member.Session.Peer)).ToHashSet();
        foreach (var member in _members)
        {
            if (member.Session.IsHeard && !connected.IsSupersetOf(member.Session.Introductions.Connected)) member.Session.Introductions.TellSelf(own);
        }
    }

    private void HandleWord(Member introducer, IntroductionBlob word, Timestamp now)
    {
        if (word.Id == introducer.Session.Peer)
        {
            introducer.Session.HandleOwnWord(word, now);
            return;
        }
        if (word.Id == _services.Id || !IsAllowed(word.Id)) return;
        if (_members.Find(known => known.Session.Peer == word.Id) is { } member)
        {
            if (member.Session.IsHeard) return;
            member.Session.HandleHearsay(Admit(introducer.Session.Peer, word, now), now);
            Drain(member, now);
            return;
        }
        if (_members.Count(IsHearsay) >= MaxHearsay || _members.Count(known => IsHearsay(known) && known.Session.Introduction.Introducer == introducer.Session.Peer) >= MaxHearsayOfOne) return;
        // One Diffie-Hellman a member, of those that nobody has proven to be there.
        if (!_services.AgreementPacer.TryTake(now, reserve: NodeServices.AgreementsForProven)) return;
        // The server has not said that it is there, so it lasts as long as somebody has it.
        if (TryAdd(Admit(introducer.Session.Peer, word, now), now) is { } added && IsServed) added.GivenUpAt = now + PunchPlan.Duration;
    }

    // As far as that member may still name addresses.
    private IntroductionBlob Admit(PeerId introducer, IntroductionBlob word, Timestamp now)
    {
        bool IsAdmitted(Endpoint endpoint) => _services.Hearsay.TryName(introducer, endpoint, now);
        var seenAt = word.SeenAt is { } seen && IsAdmitted(seen) ? word.SeenAt : null;
        return WithSeen(word with
        {
            Introducer = introducer,
            SeenAt = seenAt,
            Candidates = [.. word.Candidates.Where(candidate => IsAdmitted(candidate.Endpoint))],
            Offers = [.. word.Offers.Where(offer => offer.Target != _services.Target || IsAdmitted(offer.First))],
        });
    }

    // Where it comes from is where a router that gives all destinations the same port lets others in, whatever it knows of its own address.
    private static IntroductionBlob WithSeen(IntroductionBlob word) =>
        word.SeenAt is not { } seen || word.Profile.IsSymmetric || word.Candidates.Any(candidate => candidate.Endpoint == seen)
            ? word
            : word with { Candidates = [.. word.Candidates.Take(Candidate.MaxPerPeer - 1), new Candidate(CandidateKind.ServerReflexive, seen)] };

    private static bool IsHearsay(Member member) => !member.Session.IsConnected && member.Session.Introduction.Introducer is not null;

    // Who comes by itself takes the place of one of whom there is only hearsay.
    private void RemoveHearsay()
    {
        if (_members.Find(IsHearsay) is { } member) Remove(member, DepartureReason.Timeout);
    }
}
