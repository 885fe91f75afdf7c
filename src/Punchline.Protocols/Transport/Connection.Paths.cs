using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport.Frames;
using Punchline.Protocols.Transport.Observation;
using Punchline.Protocols.Transport.Paths;
using Punchline.Protocols.Transport.Recovery;

namespace Punchline.Protocols.Transport;

/// <summary>
/// Which path packets go over (RFC 9000 §8.2, §9). No address gets data before it has answered a challenge. Of two paths that work, the
/// initiator of the handshake chooses the better one; both follow where the other's packets come from, and both leave a path that
/// has fallen silent for whatever answers first. So both end on one path: the responder has no other reason to move.
/// </summary>
internal sealed partial class Connection
{
    /// <summary>Bytes of a challenge that only looks for a way: what decides is that it arrives, and there may be many.</summary>
    public const int ProbeSize = 64;

    /// <summary>Answers that wait to be sent; further challenges of one flight go unanswered, and are repeated by the peer.</summary>
    private const int MaxPathResponses = 4;

    // RFC 9000 §8.1: what answers a packet of which nothing is remembered.
    private const int AmplificationFactor = 3;

    private const int LeastPathPacket = PacketHeader.Length + PathFrame.Length + PacketHeader.TagLength;

    private readonly Queue<(PathAddress Path, ulong Data, int DatagramLength)> _pathResponses = new(MaxPathResponses);
    private readonly PathTable _others = new();
    private readonly ConnectionRole _role;
    private readonly int _largestDatagram;
    private readonly CongestionAlgorithm _congestionAlgorithm;
    private NetworkPath _path;
    private NetworkPath? _followed;
    private bool _isChallengeDue;
    private Timestamp _challengeDeadline = Timestamp.Never;

    // We went over to a path by our own choice, and the peer's packets that were under way on the old one do not call us back.
    private bool _awaitsPeer;
    private Timestamp _awaitsPeerUntil = Timestamp.Never;

    /// <summary>The path is our choice, and nothing of the peer's has come over it yet.</summary>
    public bool AwaitsPeer => _awaitsPeer;

    /// <summary>Paths that are kept to return to, or asked, beside the one in use.</summary>
    public int OtherPathCount => _others.Count;

    /// <summary>
    /// Asks an address whether the peer is there, within a budget that is the caller's. What comes of it shows in events.
    /// </summary>
    /// <param name="address">Introduced, or of a path that there was.</param>
    /// <param name="isNear">It is on a link of ours.</param>
    /// <param name="now">The time.</param>
    /// <param name="buffer">At least <see cref="ProbeSize"/> bytes.</param>
    /// <param name="transmit">What to send.</param>
    public bool TryWriteProbe(PathAddress address, bool isNear, Timestamp now, Span<byte> buffer, out Transmit transmit)
    {
        transmit = default;
        if (IsClosed) return false;
        _observedAt = now;
        var path = address == Path ? _path : _others.Find(address);
        if (path is null)
        {
            path = NewPath(address);
            path.IsIntroduced = true;
            if (!_others.TryAdd(path, now)) return false;
            ObserveMigration(MigrationStep.ProbingStarted, address.Remote);
        }
        path.IsIntroduced = true;
        path.IsNear |= isNear;
        path.LastUsed = now;
        var data = _random.NextUInt64();
        path.Challenges.Note(data, isWhole: false, now);
        // Counted by the caller's budget, and not against what an answer may have: where ten were lost, the eleventh's is wanted all the more.
        if (path != _path) _recovery.OnSentElsewhere(_sealer.NextNumber);
        return TrySendPathFrame(new PathFrame(FrameType.PathChallenge, data), address, ProbeSize, buffer, out transmit);
    }

    /// <summary>
    /// The path in use is about to end, and another one of the same router takes its place, whichever side chooses. False where that has not answered.
    /// </summary>
    public bool TryMoveTo(PathAddress address, Timestamp now)
    {
        if (IsClosed || _isSilent || _others.Find(address) is not { IsValidated: true } path) return false;
        _observedAt = now;
        // It may be known from the peer's packets alone; where these come from is what the peer has named all along.
        path.IsIntroduced |= _path.IsIntroduced && path.Address.Remote == _path.Address.Remote;
        MoveTo(path, isOwnChoice: true, now);
        // The responder as well, for what the peer says meanwhile comes by the old one; but if the peer has just gone elsewhere itself, it is followed.
        _awaitsPeer = true;
        if (_role == ConnectionRole.Responder) _awaitsPeerUntil = now + MostSilence + (2 * _recovery.Rtt.Smoothed);
        return true;
    }

    private NetworkPath NewPath(PathAddress address) => new(address, _largestDatagram, _congestionAlgorithm);

    // Before the frames are handled: their answers count against what came in.
    private NetworkPath? OnPacketFrom(PathAddress source, bool isNewest, int length, Timestamp now)
    {
        if (source == Path)
        {
            OnHeard();
            return _path;
        }
        var path = _others.Find(source);
        // Whoever replays a packet from elsewhere has no TCP connection from there.
        if (path is null && (isNewest || source.Local.Carrier == Carrier.Tcp))
        {
            path = NewPath(source);
            if (!_others.TryAdd(path, now)) return null;
        }
        if (path is { IsValidated: false }) path.BytesReceived += length;
        return path;
    }

    // RFC 9000 §9.3: "an endpoint only changes the address to which it sends packets in response to the highest-numbered non-probing packet".
    private void FollowPeer(NetworkPath? path, bool isNonProbing)
    {
        if (!isNonProbing || path is null || path == _followed) return;
        if (path == _path)
        {
            (_awaitsPeer, _awaitsPeerUntil) = (false, Timestamp.Never);
            _followed = null;
            return;
        }
        // One at a time: whoever replays the peer's packets from many addresses makes us follow one of them. What answered before, or was named, comes first.
        if (_awaitsPeer || (_followed is { } other && (other.IsValidated || !path.IsValidated) && (other.IsIntroduced || !path.IsIntroduced))) return;
        _followed = path;
        // Deviates from §9.3.3, which trusts a path that was validated: that was long ago.
        if (path.Challenges.IsAsking) return;
        ObserveMigration(MigrationStep.ProbingStarted, path.Address.Remote);
        Ask(path);
    }

    private void Ask(NetworkPath path)
    {
        path.Challenges.Begin();
        _isChallengeDue = true;
    }

    private void HandlePathTimeout(Timestamp now)
    {
        HandleSilenceTimeout(now);
        if (now >= _awaitsPeerUntil)
        {
            // Where the answer comes from is where the peer is.
            (_awaitsPeer, _awaitsPeerUntil, _isPingPending) = (false, Timestamp.Never, true);
        }
        if (now < _challengeDeadline) return;
        for (var i = _others.Count - 1; i >= 0; i--)
        {
            var path = _others[i];
            if (!path.Challenges.HandleTimeout(now)) GiveUp(path);
            _isChallengeDue |= path.Challenges.IsDue;
        }
        ArmChallenges();
    }

    private void GiveUp(NetworkPath path)
    {
        ObserveMigration(MigrationStep.ProbingAbandoned, path.Address.Remote);
        if (path == _followed) _followed = null;
        // While nothing answers, that nothing answers says nothing of one path.
        if (path.IsValidated && _isSilent) return;
        if (path.IsValidated) RememberFormer(path.Address);
        _others.Remove(path);
    }

    private void ArmChallenges()
    {
        _challengeDeadline = Timestamp.Never;
        for (var i = 0; i < _others.Count; i++) _challengeDeadline = Timestamp.Min(_challengeDeadline, _others[i].Challenges.Deadline);
    }

    private void HandlePathChallenge(in PathFrame frame, in PacketContext packet)
    {
        // RFC 9000 §8.2.2: the answer goes to where the challenge came from, and is sent once.
        if (_pathResponses.Count < MaxPathResponses) _pathResponses.Enqueue((packet.Source, frame.Data, packet.Length));
        // Whoever asks us is looking for a way, so it may be one for us as well.
        if (packet.Path is { IsValidated: false, Challenges.IsAsking: false } path) Ask(path);
    }

    private void HandlePathResponse(in PathFrame frame, Timestamp now)
    {
        if (FindAnswered(frame.Data, now, out var roundTrip, out var isWhole) is not { } path) return;
        path.IsValidated = true;
        path.LastUsed = now;
        path.Recovery.TakeSample(roundTrip, TimeSpan.Zero, now);
        ArmChallenges();
        Raise(ConnectionEventKind.PathValidated, path: path.Address);
        if (path == _path) OnHeard();
        else if (path == _followed || _isSilent) MoveTo(path, isOwnChoice: _isSilent && path != _followed, now);
        else if (_role == ConnectionRole.Initiator && path.Rank.IsBetterThan(_path.Rank)) Prefer(path, isWhole, now);
    }

    private NetworkPath? FindAnswered(ulong data, Timestamp now, out TimeSpan roundTrip, out bool isWhole)
    {
        if (_path.Challenges.TryAccept(data, now, out roundTrip, out isWhole)) return _path;
        for (var i = 0; i < _others.Count; i++)
        {
            if (_others[i].Challenges.TryAccept(data, now, out roundTrip, out isWhole)) return _others[i];
        }
        return null;
    }

    // RFC 9000 §8.2.1: a path in use carries whole packets. Where there is one already, that is found out first.
    private void Prefer(NetworkPath path, bool isWhole, Timestamp now)
    {
        if (isWhole) MoveTo(path, isOwnChoice: true, now);
        else Ask(path);
    }

    private void MoveTo(NetworkPath path, bool isOwnChoice, Timestamp now)
    {
        var old = _path;
        _others.Remove(path);
        _path = path;
        _pathSince = now;
        _followed = null;
        _awaitsPeer = isOwnChoice && _role == ConnectionRole.Initiator;
        _awaitsPeerUntil = Timestamp.Never;
        // RFC 9000 §9.5: another address, another id, or the peer's move could be followed by ours. Without one its own change must do.
        _remoteIds.TryAdvance();
        _recovery.MoveTo(path.Recovery, _sealer.NextNumber);
        if (_isSilent) _recovery.LoseAll(old.Recovery);
        OnHeard();
        // Shows the peer where we are, and whether it hears us there.
        _isPingPending = true;
        // RFC 9000 §9.3.3: the old path is asked too, and kept if it answers.
        if (!IsGone(old) && _others.TryAdd(old, now)) Ask(old);
        ObserveMigration(MigrationStep.Completed, path.Address.Remote);
        Raise(ConnectionEventKind.PathChanged, path: path.Address);
        TellObservedAddress();
    }

    // Deviates from RFC 9002 §2: packets that only challenge or answer are not counted in flight. They go to another path
    // than the controller governs, are few by the limits above, and are repeated by their own timer alone.
    private bool TryWritePathPacket(Timestamp now, Span<byte> buffer, out Transmit transmit)
    {
        if (_pathResponses.TryDequeue(out var response) && TryWritePathResponse(response, buffer, out transmit)) return true;
        transmit = default;
        if (!_isChallengeDue) return false;
        for (var i = 0; i < _others.Count; i++)
        {
            if (_others[i].Challenges.IsDue && TryWriteChallenge(_others[i], now, buffer, out transmit)) return true;
        }
        _isChallengeDue = false;
        return false;
    }

    private bool TryWritePathResponse((PathAddress Path, ulong Data, int DatagramLength) response, Span<byte> buffer, out Transmit transmit)
    {
        transmit = default;
        var path = response.Path == Path ? _path : _others.Find(response.Path);
        // RFC 9000 §8.2.2: as large as the smallest allowed maximum, but for the limit on amplification. To where a challenge of ours has to
        // follow, no larger than what it answers.
        var size = path switch
        {
            null => Math.Min(BasePacketSize, AmplificationFactor * response.DatagramLength),
            { IsValidated: true } => BasePacketSize,
            _ => path.Allow(Math.Min(BasePacketSize, response.DatagramLength)),
        };
        if (size < LeastPathPacket) return false;
        if (path is { IsValidated: false }) path.BytesSent += size;
        if (path != _path) _recovery.OnSentElsewhere(_sealer.NextNumber);
        return TrySendPathFrame(new PathFrame(FrameType.PathResponse, response.Data), response.Path, size, buffer, out transmit);
    }

    private bool TryWriteChallenge(NetworkPath path, Timestamp now, Span<byte> buffer, out Transmit transmit)
    {
        transmit = default;
        var size = path.Allow(BasePacketSize);
        var data = _random.NextUInt64();
        path.Challenges.OnSent(data, isWhole: size == BasePacketSize, now, ChallengeInterval(path));
        _challengeDeadline = Timestamp.Min(_challengeDeadline, path.Challenges.Deadline);
        if (size < LeastPathPacket) return false;
        if (!path.IsValidated) path.BytesSent += size;
        OnElicitingSent(now);
        _recovery.OnSentElsewhere(_sealer.NextNumber);
        return TrySendPathFrame(new PathFrame(FrameType.PathChallenge, data), path.Address, size, buffer, out transmit);
    }

    private TimeSpan ChallengeInterval(NetworkPath path)
    {
        if (path.IsTcp) return ChallengeIntervalOverTcp;
        return path.Recovery.Rtt.HasSample ? _recovery.ProbeTimeoutOf(path.Recovery) : _recovery.ProbeTimeout;
    }

    private bool TrySendPathFrame(PathFrame frame, PathAddress path, int size, Span<byte> buffer, out Transmit transmit)
    {
        var writer = FrameWriter(buffer, size);
        frame.Write(ref writer);
        writer.WriteZeros(writer.Free.Length); // PADDING
        return TrySend(buffer, writer.Length, path, out transmit);
    }
}
