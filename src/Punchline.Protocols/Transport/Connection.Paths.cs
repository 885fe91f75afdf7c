using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport.Frames;
using Punchline.Protocols.Transport.Observation;

namespace Punchline.Protocols.Transport;

/// <summary>
/// Following the peer to another address (RFC 9000 §8.2, §9.3): packets go on to the validated address until the new one has
/// answered a challenge.
/// </summary>
internal sealed partial class Connection
{
    /// <summary>Challenges sent to one address, one probe time-out apart; then it is given up.</summary>
    private const int MaxChallenges = 3;

    /// <summary>Answers that wait to be sent; further challenges of one flight go unanswered, and are repeated by the peer.</summary>
    private const int MaxPathResponses = 4;

    // RFC 9000 §8.1: bytes sent to an address that is not validated, for each one received from it.
    private const int AmplificationFactor = 3;

    private readonly Queue<(PathAddress Path, ulong Data, int DatagramLength)> _pathResponses = new(MaxPathResponses);
    private PathCandidate? _candidate;

    /// <summary>An address that the peer's packets come from, and that has not yet answered.</summary>
    private sealed class PathCandidate(PathAddress path)
    {
        public readonly (ulong Data, Timestamp SentAt)[] Challenges = new (ulong, Timestamp)[MaxChallenges];
        public readonly PathAddress Path = path;
        public int Sent;
        public long BytesReceived;
        public long BytesSent;
        public Timestamp NextAt;
        public bool IsDue = true;

        public int Allowance => (int)Math.Clamp((BytesReceived * AmplificationFactor) - BytesSent, 0, BasePacketSize);
    }

    private Timestamp PathDeadline => _candidate is { IsDue: false } candidate ? candidate.NextAt : Timestamp.Never;

    // A single candidate at a time: whoever replays the peer's packets from many addresses makes us challenge one of them.
    private void OnPacketFrom(PathAddress source, bool isNewest, int length)
    {
        if (source == Path) return;
        if (_candidate is null && isNewest)
        {
            _candidate = new PathCandidate(source);
            ObserveMigration(MigrationStep.ProbingStarted, source.Remote);
        }
        if (_candidate?.Path == source) _candidate.BytesReceived += length;
    }

    private void HandlePathTimeout(Timestamp now)
    {
        if (now < PathDeadline || _candidate is not { } candidate) return;
        candidate.IsDue = candidate.Sent < MaxChallenges;
        if (candidate.IsDue) return;
        _candidate = null;
        ObserveMigration(MigrationStep.ProbingAbandoned, candidate.Path.Remote);
    }

    private void HandlePathChallenge(in PathFrame frame, PathAddress source, int datagramLength)
    {
        // RFC 9000 §8.2.2: the answer goes to where the challenge came from, and is sent once.
        if (_pathResponses.Count < MaxPathResponses) _pathResponses.Enqueue((source, frame.Data, datagramLength));
    }

    private void HandlePathResponse(in PathFrame frame, Timestamp now)
    {
        if (_candidate is not { } candidate) return;
        for (var i = 0; i < candidate.Sent; i++)
        {
            if (candidate.Challenges[i].Data != frame.Data) continue;
            _candidate = null;
            Path = candidate.Path;
            // RFC 9000 §9.5: another address, another id, or the peer's move could be followed by ours. Without one its own change must do.
            _remoteIds.TryAdvance();
            // RFC 9000 §9.4: congestion and round trip of the new path start anew; the challenge is its first sample.
            _recovery.OnPathChanged();
            _recovery.TakeSample(now - candidate.Challenges[i].SentAt, now);
            ObserveMigration(MigrationStep.Completed, Path.Remote);
            Raise(ConnectionEventKind.PathChanged, path: Path);
            return;
        }
    }

    // Deviates from RFC 9002 §2: packets that only challenge or answer are not counted in flight. They go to another path
    // than the controller governs, are few by the limits above, and are repeated by their own timer alone.
    private bool TryWritePathPacket(Timestamp now, Span<byte> buffer, out Transmit transmit)
    {
        if (_pathResponses.TryDequeue(out var response))
        {
            // RFC 9000 §8.2.2: as large as the smallest allowed maximum, but for the limit on amplification.
            var size = response.Path == Path ? BasePacketSize : Math.Min(BasePacketSize, AmplificationFactor * response.DatagramLength);
            return TrySendPathFrame(new PathFrame(FrameType.PathResponse, response.Data), response.Path, size, buffer, out transmit);
        }
        transmit = default;
        if (_candidate is not { IsDue: true } candidate) return false;
        var allowance = candidate.Allowance;
        candidate.IsDue = false;
        candidate.NextAt = now + _recovery.ProbeTimeout;
        var data = _random.NextUInt64();
        candidate.Challenges[candidate.Sent++] = (data, now);
        if (allowance < PacketHeader.Length + PathFrame.Length + PacketHeader.TagLength) return false;
        candidate.BytesSent += allowance;
        OnElicitingSent(now);
        return TrySendPathFrame(new PathFrame(FrameType.PathChallenge, data), candidate.Path, allowance, buffer, out transmit);
    }

    private bool TrySendPathFrame(PathFrame frame, PathAddress path, int size, Span<byte> buffer, out Transmit transmit)
    {
        var writer = FrameWriter(buffer, size);
        frame.Write(ref writer);
        writer.WriteZeros(writer.Free.Length); // PADDING
        return TrySend(buffer, writer.Length, path, out transmit);
    }
}
