using System.Collections.Immutable;
using Punchline.Cli.Chat;
using Punchline.Cli.Session;

namespace Punchline.Cli.Screen;

/// <summary>A member in words.</summary>
internal static class MemberText
{
    // Of samples, which come every 10 s.
    private const int SparkLength = 8;
    private const string Levels = "▁▂▃▄▅▆▇█";

    /// <summary>What it calls itself, or the beginning of its id.</summary>
    public static string Name(MemberSnapshot member) => member.Name.Length > 0 ? member.Name : $"{PlainOutput.ShortId(member.Peer)}…";

    /// <summary>In a few cells: "LAN UDP 0.4 ms", and how the round trip went, where it was measured.</summary>
    /// <param name="member">Whom it is about.</param>
    /// <param name="quality">Of the connection, the oldest sample first.</param>
    public static string Short(MemberSnapshot member, ImmutableArray<QualitySample> quality) => member switch
    {
        { State: MemberState.Connected, Path: { } path, RoundTrip: { } atFirst } =>
            $"{Kind(path)} {Transport(path)} {RoomNarrator.Milliseconds(quality is [.., var last] ? last.RoundTrip : atFirst)}{(quality.Length > 1 ? $" {Spark(quality)}" : "")}",
        { State: MemberState.Unreachable } => "no way",
        _ => "connecting",
    };

    /// <summary>In a sentence's part, with the addresses.</summary>
    public static string State(MemberSnapshot member) => member switch
    {
        { State: MemberState.Connected, Path: { } path, RoundTrip: { } roundTrip } =>
            $"{Kind(path)}, {Transport(path)} from {path.Local} to {path.Remote}, round trip {RoomNarrator.Milliseconds(roundTrip)} when it was made",
        { State: MemberState.Unreachable } => "no way was found; it is tried again",
        _ => "a way is looked for",
    };

    public static string Trust(TrustMark mark) => mark switch
    {
        TrustMark.Verified => "verified",
        TrustMark.Known => "met before",
        TrustMark.New => "new",
        TrustMark.Changed => "ANOTHER KEY THAN BEFORE",
        _ => "not remembered",
    };

    private static string Kind(PeerPath path) => path.Kind switch
    {
        PathKind.Lan => "LAN",
        PathKind.Mapped => "mapped",
        _ => "direct",
    };

    private static string Transport(PeerPath path) => path.Transport == PathTransport.Tcp ? "TCP" : "UDP";

    // The last round trips between their shortest and longest. Where they hardly differ, the line is flat.
    private static string Spark(ImmutableArray<QualitySample> quality)
    {
        double[] times = [.. quality.Skip(quality.Length - SparkLength).Select(sample => sample.RoundTrip.TotalMilliseconds)];
        var shortest = times.Min();
        var span = Math.Max(Math.Max(times.Max() - shortest, shortest / 2), 1);
        return string.Concat(times.Select(time => Levels[(int)((time - shortest) / span * (Levels.Length - 1))]));
    }
}
