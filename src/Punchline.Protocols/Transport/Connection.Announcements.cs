using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport.Frames;
using Punchline.Protocols.Transport.Recovery;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Transport;

/// <summary>
/// What the peers tell each other of addresses, sealed and without a server: where the sender may be reached, and where the
/// receiver's packets come from. Only to a peer that announced that it knows the frames.
/// </summary>
internal sealed partial class Connection
{
    private IReadOnlyList<Candidate> _announced = [];
    private ulong _announcedGeneration;
    private bool _isAnnouncementPending;
    private Endpoint? _observed;
    private ulong _observedSequence;
    private bool _isObservedPending;
    private ulong? _highestObservedSequence;

    /// <summary>The last that the peer said of its addresses, and its generation; 0 before the first.</summary>
    public (ulong Generation, IReadOnlyList<Candidate> Candidates) RemoteCandidates { get; private set; } = (0, []);

    /// <summary>Where the peer says that our packets come from; null before it has.</summary>
    public Endpoint? ObservedAddress { get; private set; }

    private bool HasAnnouncements => _isAnnouncementPending || _isObservedPending;

    /// <summary>Tells the peer where we may be reached. What was told before counts no more.</summary>
    /// <param name="generation">Above every earlier one.</param>
    /// <param name="candidates">At most <see cref="Candidate.MaxPerPeer"/>.</param>
    public void Announce(ulong generation, IReadOnlyList<Candidate> candidates)
    {
        if (!_remote.KnowsPathFrames || generation <= _announcedGeneration) return;
        (_announcedGeneration, _announced, _isAnnouncementPending) = (generation, candidates, true);
    }

    /// <summary>Tells the peer where its packets come from, unless it knows. Each later path tells it by itself.</summary>
    public void TellObservedAddress()
    {
        // The address of a carrier that is no datagram's is of no use to anybody.
        if (!_remote.KnowsPathFrames || Path.Local.Carrier != Carrier.Udp || _observed == Path.Remote) return;
        _observed = Path.Remote;
        _observedSequence++;
        _isObservedPending = true;
    }

    private void HandleCandidates(in CandidatesFrame frame)
    {
        if (frame.Generation <= RemoteCandidates.Generation) return;
        RemoteCandidates = (frame.Generation, frame.Candidates);
        Raise(ConnectionEventKind.CandidatesReceived);
    }

    private void HandleObservedAddress(in ObservedAddressFrame frame)
    {
        if (frame.Sequence <= _highestObservedSequence) return;
        _highestObservedSequence = frame.Sequence;
        if (ObservedAddress == frame.Address) return;
        ObservedAddress = frame.Address;
        Raise(ConnectionEventKind.AddressObserved);
    }

    private void WriteAnnouncements(ref SpanWriter writer, ref int frames)
    {
        if (_isObservedPending && writer.Free.Length >= ObservedAddressFrame.MaxLength)
        {
            _isObservedPending = false;
            new ObservedAddressFrame(_observedSequence, _observed!.Value).Write(ref writer);
            frames = _recovery.RecordFrame(frames, SentFrame.About(SentFrameKind.ObservedAddress, _observedSequence));
        }
        if (_isAnnouncementPending && writer.Free.Length >= CandidatesFrame.MaxLength)
        {
            _isAnnouncementPending = false;
            new CandidatesFrame(_announcedGeneration, _announced).Write(ref writer);
            frames = _recovery.RecordFrame(frames, SentFrame.About(SentFrameKind.Candidates, _announcedGeneration));
        }
    }
}
