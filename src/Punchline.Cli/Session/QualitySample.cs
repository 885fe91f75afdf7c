namespace Punchline.Cli.Session;

/// <summary>How a connection did for a while.</summary>
/// <param name="Time">The end of that while.</param>
/// <param name="Duration">How long it was: about <see cref="QualityMeter.Interval"/>.</param>
/// <param name="RoundTrip">Smoothed, as last measured: where little is said, that may be some time ago.</param>
/// <param name="Jitter">The round trip's variation (RFC 9002 §5.3's rttvar).</param>
/// <param name="PacketsSent">By this peer.</param>
/// <param name="PacketsLost">Of this peer's: those that were given up in this while, some of which may have been sent before.</param>
/// <param name="BytesSent">UDP payloads.</param>
/// <param name="BytesReceived">UDP payloads.</param>
/// <param name="PathChanges">How often another path was taken.</param>
internal readonly record struct QualitySample(
    DateTimeOffset Time, TimeSpan Duration, TimeSpan RoundTrip, TimeSpan Jitter, ulong PacketsSent, ulong PacketsLost, ulong BytesSent, ulong BytesReceived, ulong PathChanges)
{
    /// <summary>0 to 1; 0 where nothing was sent.</summary>
    public double Loss => PacketsSent == 0 ? 0 : Math.Min(1, (double)PacketsLost / PacketsSent);

    public double BytesSentPerSecond => BytesSent / Duration.TotalSeconds;

    public double BytesReceivedPerSecond => BytesReceived / Duration.TotalSeconds;
}

/// <summary>A member's sample.</summary>
internal readonly record struct MemberQuality(PeerId Peer, QualitySample Sample);
