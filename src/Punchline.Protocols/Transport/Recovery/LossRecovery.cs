using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport.Frames;

namespace Punchline.Protocols.Transport.Recovery;

/// <summary>
/// Loss detection and probes (RFC 9002 §6 and appendix A), for the one packet-number space that there is. The handshake
/// is over and the address validated, so that what the RFC says of those does not arise.
/// </summary>
internal sealed class LossRecovery(ISentFrameOwner owner, int maxDatagramSize, TimeSpan peerMaxAckDelay)
{
    /// <summary>RFC 9002 §6.1.1: kPacketThreshold.</summary>
    private const ulong PacketThreshold = 3;

    /// <summary>§7.6.1: kPersistentCongestionThreshold.</summary>
    private const int PersistentCongestionThreshold = 3;

    /// <summary>§6.2.4: probes of one time-out; two, so that the loss of one does not cost another time-out.</summary>
    private const int ProbesPerTimeout = 2;

    /// <summary>2^10 time-outs of 25 ms are 25 s: any idle time-out strikes before.</summary>
    private const int MaxBackoffExponent = 10;

    private readonly SentPackets _packets = new();
    private readonly SentFrames _frames = new();
    private readonly List<(Timestamp SentAt, int Size)> _newlyAcknowledged = [];
    private Pacer _pacer = new(maxDatagramSize);
    private ulong? _largestAcknowledged;
    private Timestamp _lossTime = Timestamp.Never;
    private Timestamp _lastSentAt;
    private Timestamp? _firstSampleAt;
    private int _outstanding;
    private int _timeouts;
    private int _path;

    public RttEstimator Rtt { get; private set; } = new();

    public NewReno Congestion { get; private set; } = new(maxDatagramSize);

    /// <summary>Packets that must be sent now, whatever the window says.</summary>
    public int ProbesPending { get; private set; }

    public ulong PacketsLost { get; private set; }

    /// <summary>One probe time-out without backoff (§6.2.1): the unit of the closing and path timers.</summary>
    public TimeSpan ProbeTimeout => Rtt.ProbeTimeout(peerMaxAckDelay);

    /// <summary>When <see cref="HandleTimeout"/> is due.</summary>
    public Timestamp Deadline
    {
        get
        {
            if (_lossTime != Timestamp.Never) return _lossTime;
            return _outstanding == 0 ? Timestamp.Never : _lastSentAt + (ProbeTimeout * (1 << Math.Min(_timeouts, MaxBackoffExponent)));
        }
    }

    public void TakeSample(TimeSpan rtt, Timestamp now)
    {
        Rtt.Update(rtt, TimeSpan.Zero);
        _firstSampleAt ??= now;
    }

    public bool IsCongested => !Congestion.CanSend || _packets.Count >= SentPackets.Limit;

    public bool IsPaced(Timestamp now) => !_pacer.CanSend(Congestion.Window, Rtt.Smoothed, now);

    /// <summary>When the pacer lets the next packet go.</summary>
    public Timestamp NextPacedSend => _pacer.NextSend(Congestion.Window, Rtt.Smoothed);

    public int RecordFrame(int chain, in SentFrame frame) => _frames.Prepend(chain, frame);

    /// <summary>Records an ack-eliciting packet; the others are never in flight (§2).</summary>
    public void OnSent(ulong number, int size, int frames, ulong largestAcknowledged, Timestamp now)
    {
        _packets.Add(new SentPacket { Number = number, SentAt = now, Size = size, Frames = frames, LargestAcknowledged = largestAcknowledged, Path = _path });
        Congestion.OnSent(size);
        _pacer.OnSent(size);
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
        _newlyAcknowledged.Clear();
        var knownAcks = SentPacket.NoAck;
        foreach (var range in frame)
        {
            for (var i = _packets.FindFirst(range.Smallest); i < _packets.Count && _packets[i].Number <= range.Largest; i++)
            {
                ref var packet = ref _packets[i];
                if (packet.State != SentPacketState.Outstanding) continue;
                // §5.1: a sample is taken where the largest acknowledged packet is newly acknowledged.
                if (packet.Number == frame.Largest && packet.Path == _path) UpdateRtt(now - packet.SentAt, delay, now);
                if (packet.LargestAcknowledged != SentPacket.NoAck && (knownAcks == SentPacket.NoAck || packet.LargestAcknowledged > knownAcks)) knownAcks = packet.LargestAcknowledged;
                Acknowledge(ref packet);
            }
        }
        DetectLost(now);
        foreach (var (sentAt, size) in _newlyAcknowledged) Congestion.OnAcknowledged(sentAt, size);
        _packets.Trim();
        // §6.2.1: "The PTO backoff factor is reset when an acknowledgment is received"
        if (_newlyAcknowledged.Count > 0) (_timeouts, ProbesPending) = (0, 0);
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

    /// <summary>§9.4 of RFC 9000: a new path starts anew; what is in flight on the old one no longer counts.</summary>
    public void OnPathChanged()
    {
        _path++;
        _timeouts = 0;
        _firstSampleAt = null;
        Rtt = new RttEstimator();
        Congestion = new NewReno(maxDatagramSize);
        _pacer = new Pacer(maxDatagramSize);
    }

    private void UpdateRtt(TimeSpan sample, TimeSpan delay, Timestamp now)
    {
        // §5.3: the peer's delay is limited by its own max_ack_delay.
        Rtt.Update(sample, delay < peerMaxAckDelay ? delay : peerMaxAckDelay);
        _firstSampleAt ??= now;
    }

    private void Acknowledge(ref SentPacket packet)
    {
        packet.State = SentPacketState.Acknowledged;
        _outstanding--;
        if (packet.Path == _path)
        {
            Congestion.OnGone(packet.Size);
            _newlyAcknowledged.Add((packet.SentAt, packet.Size));
        }
        else
        {
            // Of an old path: counts as progress, not for the window.
            _newlyAcknowledged.Add((packet.SentAt, 0));
        }
        for (var at = packet.Frames; at != SentFrames.None;)
        {
            var frame = _frames.At(at, out at);
            owner.OnFrameAcknowledged(frame);
        }
        _frames.Free(packet.Frames);
        packet.Frames = SentFrames.None;
    }

    // §A.10: a packet is lost where one sent three later, or 9/8 of a round trip later, is acknowledged.
    private void DetectLost(Timestamp now)
    {
        _lossTime = Timestamp.Never;
        if (_largestAcknowledged is not { } largest) return;
        var delay = Rtt.LossDelay;
        var persistence = new PersistentCongestion(_firstSampleAt);
        Timestamp? lastLost = null;
        for (var i = 0; i < _packets.Count && _packets[i].Number <= largest; i++)
        {
            ref var packet = ref _packets[i];
            if (packet.State != SentPacketState.Outstanding)
            {
                if (packet.State == SentPacketState.Acknowledged) persistence.OnAcknowledged();
                continue;
            }
            if (largest - packet.Number < PacketThreshold && packet.SentAt + delay > now)
            {
                _lossTime = Timestamp.Min(_lossTime, packet.SentAt + delay);
                continue;
            }
            if (packet.Path == _path)
            {
                Congestion.OnGone(packet.Size);
                lastLost = packet.SentAt;
                persistence.OnLost(packet.SentAt);
            }
            Lose(ref packet);
        }
        if (lastLost is not { } sentAt) return;
        Congestion.OnLoss(sentAt, now);
        if (persistence.Longest <= ProbeTimeout * PersistentCongestionThreshold) return;
        Congestion.OnPersistentCongestion();
        Rtt.ResetMin();
    }

    private void Lose(ref SentPacket packet)
    {
        packet.State = SentPacketState.Lost;
        _outstanding--;
        PacketsLost++;
        ReportLost(packet.Frames);
        _frames.Free(packet.Frames);
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

    private void ReportLost(int chain)
    {
        while (chain != SentFrames.None)
        {
            var frame = _frames.At(chain, out chain);
            owner.OnFrameLost(frame);
        }
    }

    /// <summary>
    /// §7.6.2: the longest span between two lost packets with no acknowledged one between them, both sent after the first
    /// RTT sample.
    /// </summary>
    private struct PersistentCongestion(Timestamp? firstSampleAt)
    {
        private Timestamp? _first;

        public TimeSpan Longest { get; private set; }

        public void OnAcknowledged() => _first = null;

        public void OnLost(Timestamp sentAt)
        {
            if (firstSampleAt is not { } sample || sentAt <= sample) return;
            _first ??= sentAt;
            if (sentAt - _first.Value > Longest) Longest = sentAt - _first.Value;
        }
    }
}
