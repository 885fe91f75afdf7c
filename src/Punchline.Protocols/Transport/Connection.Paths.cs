using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport.Frames;
using Punchline.Protocols.Transport.Observation;
using Punchline.Protocols.Transport.Paths;
using Punchline.Protocols.Transport.Recovery;

namespace Punchline.Protocols.Transport;

/// <summary>
/// Following the peer to another address (RFC 9000 §8.2, §9.3): packets go on to the validated address until the new one has
/// answered a challenge.
/// </summary>
internal sealed partial class Connection
{
    /// <summary>Answers that wait to be sent; further challenges of one flight go unanswered, and are repeated by the peer.</summary>
    private const int MaxPathResponses = 4;

    // RFC 9000 §8.2.2: what answers a challenge from an address that is not validated.
    private const int AmplificationFactor = 3;

    private readonly Queue<(PathAddress Path, ulong Data, int DatagramLength)> _pathResponses = new(MaxPathResponses);
    private readonly int _largestDatagram;
    private readonly CongestionAlgorithm _congestionAlgorithm;
    private NetworkPath _path;
    private NetworkPath? _candidate;

    private Timestamp PathDeadline => _candidate?.Challenges.Deadline ?? Timestamp.Never;

    private PathRecovery NewPathRecovery(PathAddress address) => address.Local.Carrier == Carrier.Tcp
        ? new(PacketFraming.MaxPacket, _congestionAlgorithm, isReliable: true)
        : new(_largestDatagram, _congestionAlgorithm);

    // A single candidate at a time: whoever replays the peer's packets from many addresses makes us challenge one of them.
    private void OnPacketFrom(PathAddress source, bool isNewest, int length)
    {
        if (source == Path) return;
        if (_candidate is null && isNewest)
        {
            _candidate = new NetworkPath(source) { Recovery = NewPathRecovery(source) };
            _candidate.Challenges.Begin();
            ObserveMigration(MigrationStep.ProbingStarted, source.Remote);
        }
        if (_candidate?.Address == source) _candidate.BytesReceived += length;
    }

    private void HandlePathTimeout(Timestamp now)
    {
        if (_candidate is not { } candidate || candidate.Challenges.HandleTimeout(now)) return;
        _candidate = null;
        ObserveMigration(MigrationStep.ProbingAbandoned, candidate.Address.Remote);
    }

    private void HandlePathChallenge(in PathFrame frame, PathAddress source, int datagramLength)
    {
        // RFC 9000 §8.2.2: the answer goes to where the challenge came from, and is sent once.
        if (_pathResponses.Count < MaxPathResponses) _pathResponses.Enqueue((source, frame.Data, datagramLength));
    }

    private void HandlePathResponse(in PathFrame frame, Timestamp now)
    {
        if (_candidate is not { } candidate || !candidate.Challenges.TryAccept(frame.Data, now, out var roundTrip)) return;
        _candidate = null;
        candidate.IsValidated = true;
        candidate.Recovery.TakeSample(roundTrip, TimeSpan.Zero, now);
        MoveTo(candidate);
    }

    private void MoveTo(NetworkPath path)
    {
        _path = path;
        // RFC 9000 §9.5: another address, another id, or the peer's move could be followed by ours. Without one its own change must do.
        _remoteIds.TryAdvance();
        _recovery.MoveTo(path.Recovery, _sealer.NextNumber);
        ObserveMigration(MigrationStep.Completed, path.Address.Remote);
        Raise(ConnectionEventKind.PathChanged, path: path.Address);
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
        if (_candidate is not { Challenges.IsDue: true } candidate) return false;
        var allowance = candidate.Allow(BasePacketSize);
        var data = _random.NextUInt64();
        candidate.Challenges.OnSent(data, now, _recovery.ProbeTimeout);
        if (allowance < PacketHeader.Length + PathFrame.Length + PacketHeader.TagLength) return false;
        candidate.BytesSent += allowance;
        OnElicitingSent(now);
        _recovery.OnSentElsewhere(_sealer.NextNumber);
        return TrySendPathFrame(new PathFrame(FrameType.PathChallenge, data), candidate.Address, allowance, buffer, out transmit);
    }

    private bool TrySendPathFrame(PathFrame frame, PathAddress path, int size, Span<byte> buffer, out Transmit transmit)
    {
        var writer = FrameWriter(buffer, size);
        frame.Write(ref writer);
        writer.WriteZeros(writer.Free.Length); // PADDING
        return TrySend(buffer, writer.Length, path, out transmit);
    }
}
