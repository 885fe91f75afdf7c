using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport.Frames;
using Punchline.Protocols.Transport.PathMtu;

namespace Punchline.Protocols.Transport.Recovery;

/// <summary>
/// Loss detection and probes (RFC 9002 §6 and appendix A), for the one packet-number space that there is, whatever path a packet went
/// over. The handshake is over and the address validated, so that what the RFC says of those does not arise.
/// </summary>
internal sealed class LossRecovery
{
    /// <summary>§7.6.1: kPersistentCongestionThreshold.</summary>
    private const int PersistentCongestionThreshold = 3;

    /// <summary>§6.2.4: probes of one time-out; two, so that the loss of one does not cost another time-out.</summary>
    private const int ProbesPerTimeout = 2;

    /// <summary>2^6 time-outs of 25 ms are more than <see cref="LongestBackoff"/>.</summary>
    private const int MaxBackoffExponent = 6;

    /// <summary>
    /// Deviates from §6.2.1, whose backoff has no end: the interval grows to this, or to two time-outs where that is more, so
    /// that data flows within a second of a network's return. Two packets a second for an idle time-out of 30 s congest nothing.
    /// </summary>
    private static readonly TimeSpan LongestBackoff = TimeSpan.FromSeconds(1);

    private readonly ISentFrameOwner _owner;
    private readonly TimeSpan _peerMaxAckDelay;
    private readonly SentPackets _packets = new();
    private readonly LostPackets _lost = new();
    private readonly SentFrames _frames = new();
    private readonly List<(Timestamp SentAt, int Size)> _newlyAcknowledged = [];
    private ulong? _largestAcknowledged;
    private ulong _nextNumber;
    private ulong? _lastElsewhere;
    private Timestamp _lossTime = Timestamp.Never;
    private Timestamp _lastSentAt;
    private int _outstanding;
    private int _timeouts;

    /// <param name="owner">Hears what becomes of frames.</param>
    /// <param name="peerMaxAckDelay">The peer's max_ack_delay.</param>
    /// <param name="path">Which packets go over at first.</param>
    public LossRecovery(ISentFrameOwner owner, TimeSpan peerMaxAckDelay, PathRecovery path)
    {
        _owner = owner;
        _peerMaxAckDelay = peerMaxAckDelay;
        Path = path;
    }

    /// <summary>The path that packets go over now.</summary>
    public PathRecovery Path { get; private set; }

    public RttEstimator Rtt => Path.Rtt;

    public CongestionControl Congestion => Path.Congestion;

    public PathMtuDiscovery PathMtu => Path.PathMtu;

    /// <summary>Packets that must be sent now, whatever the window says.</summary>
    public int ProbesPending { get; private set; }

    /// <summary>Packets that were taken for lost.</summary>
    public ulong PacketsLost { get; private set; }

    /// <summary>Those of them that were acknowledged after all.</summary>
    public ulong SpuriousLosses { get; private set; }

    /// <summary>One probe time-out without backoff (§6.2.1): the unit of the closing and path timers.</summary>
    public TimeSpan ProbeTimeout => ProbeTimeoutOf(Path);

    /// <summary>When <see cref="HandleTimeout"/> is due.</summary>
    public Timestamp Deadline
    {
        get
        {
            if (_lossTime != Timestamp.Never) return _lossTime;
            return _outstanding == 0 || Path.IsReliable ? Timestamp.Never : _lastSentAt + Backoff;
        }
    }

    public bool IsCongested => Path.IsCongested || _packets.Count >= SentPackets.Limit;

    /// <summary>When the pacer lets the next packet go.</summary>
    public Timestamp NextPacedSend => Path.NextPacedSend;

    private TimeSpan Backoff
    {
        get
        {
            var timeout = ProbeTimeout;
            var interval = timeout * (1 << Math.Min(_timeouts, MaxBackoffExponent));
            var longest = 2 * timeout > LongestBackoff ? 2 * timeout : LongestBackoff;
            return interval < longest ? interval : longest;
        }
    }

    /// <summary>One probe time-out of any path.</summary>
    public TimeSpan ProbeTimeoutOf(PathRecovery path) => path.Rtt.ProbeTimeout(_peerMaxAckDelay);

    public bool IsPaced(Timestamp now) => Path.IsPaced(now);

    public int RecordFrame(int chain, in SentFrame frame) => _frames.Prepend(chain, frame);

    /// <summary>Records an ack-eliciting packet; the others are never in flight (§2).</summary>
    public void OnSent(ulong number, int size, int frames, ulong largestAcknowledged, Timestamp now, bool isPathMtuProbe = false)
    {
        _packets.Add(new SentPacket
        {
            Number = number,
            SentAt = now,
            Size = size,
            Frames = frames,
            LargestAcknowledged = largestAcknowledged,
            Path = Path,
            IsPathMtuProbe = isPathMtuProbe,
        });
        _nextNumber = number + 1;
        Path.OnSent(size);
        _lastSentAt = now;
        _outstanding++;
        if (ProbesPending > 0) ProbesPending--;
    }

    /// <summary>Takes an ACK frame whose largest number was sent.</summary>
    /// <param name="frame">The frame.</param>
    /// <param name="delay">Its delay, decoded.</param>
    /// <param name="now">The time of its arrival.</param>
    /// <returns>The largest number up to which the peer knows our own ACKs, or <see cref="SentPacket.NoAck"/>.</returns>
    public ulong OnAck(in AckFrame frame, TimeSpan delay, Timestamp now)
    {
        _largestAcknowledged = Math.Max(_largestAcknowledged ?? 0, frame.Largest);
        // A number that nothing is known of is that of a packet which asked for no ACK.
        if (!(frame.Largest <= _lastElsewhere)) Path.NoteAcknowledged(frame.Largest);
        _newlyAcknowledged.Clear();
        var knownAcks = SentPacket.NoAck;
        var isProgress = false;
        foreach (var range in frame)
        {
            for (var i = _packets.FindFirst(range.Smallest); i < _packets.Count && _packets[i].Number <= range.Largest; i++)
            {
                ref var packet = ref _packets[i];
                if (packet.State != SentPacketState.Outstanding) continue;
                // §5.1: a sample is taken where the largest acknowledged packet is newly acknowledged.
                if (packet.Number == frame.Largest && packet.Path == Path) UpdateRtt(packet, delay, now);
                if (packet.LargestAcknowledged != SentPacket.NoAck && (knownAcks == SentPacket.NoAck || packet.LargestAcknowledged > knownAcks)) knownAcks = packet.LargestAcknowledged;
                Acknowledge(ref packet);
                isProgress = true;
            }
            while (_lost.TryTake(range.Smallest, range.Largest, out var lost))
            {
                AcknowledgeLost(lost, now);
                isProgress = true;
            }
        }
        DetectLost(now);
        foreach (var (sentAt, size) in _newlyAcknowledged) Congestion.OnAcknowledged(sentAt, size, Rtt.Smoothed, now);
        _packets.Trim();
        // §6.2.1: "The PTO backoff factor is reset when an acknowledgment is received"
        if (isProgress) (_timeouts, ProbesPending) = (0, 0);
        return knownAcks;
    }

    public void HandleTimeout(Timestamp now)
    {
        if (now < Deadline) return;
        if (_lossTime != Timestamp.Never)
        {
            DetectLost(now);
            _packets.Trim();
            return;
        }
        _timeouts++;
        ProbesPending = ProbesPerTimeout;
        RepeatOldest();
    }

    /// <summary>
    /// Packets go over another path from now on. What is in flight on the old one counts there, and is lost when a later packet of
    /// that path is acknowledged, or a probe time-out of it after it was sent.
    /// </summary>
    /// <param name="path">New, or one that is returned to.</param>
    /// <param name="nextNumber">Of the first packet over it.</param>
    public void MoveTo(PathRecovery path, ulong nextNumber)
    {
        if (path == Path) return;
        if (nextNumber > 0) _lastElsewhere = nextNumber - 1;
        (_timeouts, ProbesPending) = (0, 0);
        // It may be left because it is gone, and no timer asks for what went over it.
        if (Path.IsReliable) LoseAll(Path);
        Path = path;
    }

    /// <summary>A packet that is not recorded went over another path.</summary>
    public void OnSentElsewhere(ulong number) => _lastElsewhere = number;

    /// <summary>
    /// A path has fallen silent: what is in flight on it is sent again on another. An outage is no congestion, so its window
    /// stays as it is.
    /// </summary>
    public void LoseAll(PathRecovery path)
    {
        for (var i = 0; i < _packets.Count; i++)
        {
            ref var packet = ref _packets[i];
            if (packet.State != SentPacketState.Outstanding || packet.Path != path) continue;
            path.Congestion.OnGone(packet.Size);
            if (packet.IsPathMtuProbe) path.PathMtu.OnProbeLost(packet.Size);
            Lose(ref packet);
        }
        _packets.Trim();
    }

    private void UpdateRtt(in SentPacket largest, TimeSpan delay, Timestamp now)
    {
        // §5.3: the peer's delay is limited by its own max_ack_delay.
        Path.TakeSample(now - largest.SentAt, delay < _peerMaxAckDelay ? delay : _peerMaxAckDelay, now);
        Congestion.OnRoundTrip(Rtt.Latest, largest.Number, _nextNumber);
    }

    private void Acknowledge(ref SentPacket packet)
    {
        packet.State = SentPacketState.Acknowledged;
        _outstanding--;
        var path = packet.Path;
        path.NoteAcknowledged(packet.Number);
        path.Congestion.OnGone(packet.Size);
        // RFC 9000 §9.4: of what went over another path, nothing makes this one's window grow.
        if (path == Path) _newlyAcknowledged.Add((packet.SentAt, packet.Size));
        if (!packet.IsPathMtuProbe)
        {
            path.PathMtu.OnAcknowledged(packet.Number, packet.Size);
        }
        else
        {
            path.PathMtu.OnProbeAcknowledged(packet.Size);
            path.TakePacketSize();
        }
        ReportAcknowledged(packet.Frames);
        packet.Frames = SentFrames.None;
    }

    // What arrived late need not be sent again, and was no sign of congestion.
    private void AcknowledgeLost(in LostPacket packet, Timestamp now)
    {
        SpuriousLosses++;
        ReportAcknowledged(packet.Frames);
        if (packet.Path != Path) return;
        Path.NoteAcknowledged(packet.Number);
        Path.Tolerance.OnSpuriousLoss(Path.LargestAcknowledged!.Value - packet.Number, now - packet.SentAt, Rtt);
        Congestion.OnSpuriousLoss(packet.CongestionEvent);
    }

    // §A.10: a packet is lost where one sent some later, or some time later, is acknowledged.
    private void DetectLost(Timestamp now)
    {
        _lossTime = Timestamp.Never;
        if (_largestAcknowledged is not { } largest) return;
        var losses = new LossBatch(Path.FirstSampleAt);
        for (var i = 0; i < _packets.Count && (_packets[i].Number <= largest || _packets[i].Path != Path); i++)
        {
            ref var packet = ref _packets[i];
            if (packet.State != SentPacketState.Outstanding)
            {
                if (packet.State == SentPacketState.Acknowledged && packet.Path == Path) losses.OnAcknowledged();
                continue;
            }
            if (LostAt(packet) is var lostAt && lostAt > now)
            {
                _lossTime = Timestamp.Min(_lossTime, lostAt);
                continue;
            }
            LoseOnPath(packet, ref losses, now);
            Lose(ref packet);
        }
        if (losses.Count == 0 || losses.LongestSpan <= ProbeTimeout * PersistentCongestionThreshold) return;
        Congestion.OnPersistentCongestion();
        Rtt.ResetMin();
    }

    // Never where only a time-out can tell.
    private Timestamp LostAt(in SentPacket packet)
    {
        var path = packet.Path;
        if (path.IsReliable) return Timestamp.Never;
        if (path.LargestAcknowledged is { } largest && packet.Number <= largest)
            return largest - packet.Number >= (ulong)path.Tolerance.Packets ? Timestamp.Zero : packet.SentAt + path.Tolerance.Delay(path.Rtt);
        // Time-outs are the present path's; the last packets of another have none to come.
        return path == Path ? Timestamp.Never : packet.SentAt + ProbeTimeoutOf(path);
    }

    private void LoseOnPath(in SentPacket packet, ref LossBatch losses, Timestamp now)
    {
        var path = packet.Path;
        path.Congestion.OnGone(packet.Size);
        if (packet.IsPathMtuProbe)
        {
            path.PathMtu.OnProbeLost(packet.Size);
            return;
        }
        if (path == Path) losses.OnLost(packet.SentAt);
        path.Congestion.OnLost(packet.SentAt, now);
        if (path.PathMtu.OnLost(packet.Number, packet.SentAt, packet.Size, now)) path.TakePacketSize();
    }

    private void Lose(ref SentPacket packet)
    {
        packet.State = SentPacketState.Lost;
        _outstanding--;
        PacketsLost++;
        _owner.OnPacketLost(packet.Number);
        ReportLost(packet.Frames);
        if (packet.IsPathMtuProbe) _frames.Free(packet.Frames);
        else if (_lost.Add(new LostPacket(packet.Number, packet.SentAt, packet.Frames, packet.Path, packet.Path.Congestion.Event), out var forgotten)) _frames.Free(forgotten.Frames);
        packet.Frames = SentFrames.None;
    }

    // §6.2.4: a probe repeats data that may be lost; the packets themselves stay in flight until that is known.
    private void RepeatOldest()
    {
        var repeated = 0;
        for (var i = 0; i < _packets.Count && repeated < ProbesPerTimeout; i++)
        {
            if (_packets[i].State != SentPacketState.Outstanding) continue;
            ReportLost(_packets[i].Frames);
            repeated++;
        }
    }

    private void ReportAcknowledged(int chain)
    {
        for (var at = chain; at != SentFrames.None;)
        {
            var frame = _frames.At(at, out at);
            _owner.OnFrameAcknowledged(frame);
        }
        _frames.Free(chain);
    }

    private void ReportLost(int chain)
    {
        while (chain != SentFrames.None)
        {
            var frame = _frames.At(chain, out chain);
            _owner.OnFrameLost(frame);
        }
    }

    /// <summary>
    /// §7.6.2: what is lost at one moment, and the longest span between two lost packets with no acknowledged one between
    /// them, both sent after the first RTT sample.
    /// </summary>
    private struct LossBatch(Timestamp? firstSampleAt)
    {
        private Timestamp? _first;

        public int Count { get; private set; }

        public TimeSpan LongestSpan { get; private set; }

        public void OnAcknowledged() => _first = null;

        public void OnLost(Timestamp sentAt)
        {
            Count++;
            if (firstSampleAt is not { } sample || sentAt <= sample) return;
            _first ??= sentAt;
            if (sentAt - _first.Value > LongestSpan) LongestSpan = sentAt - _first.Value;
        }
    }
}
