using Punchline.Cli.Session;

namespace Punchline.Cli.Web;

/// <summary>From the session, whose text is clean already, to what a page is told.</summary>
/// <param name="run">Names the process.</param>
/// <param name="self">This peer.</param>
internal sealed class WebProjection(string run, PeerId self)
{
    public WebSession Of(SessionSnapshot session) => new(run, session.LastEvent, [.. session.Rooms.Select(Of)], Of(session.Inbox));

    public WebEvent Of(SessionEvent happened) => Of(happened.Change) with { Number = happened.Number, Room = happened.Room };

    private WebEvent Of(SessionChange change) => change switch
    {
        SessionChange.RoomOpened opened => new WebEvent(0, 0, "opened", Opened: Of(opened.Room)),
        SessionChange.RoomEnded => new WebEvent(0, 0, "ended"),
        SessionChange.RoomClosed => new WebEvent(0, 0, "closed"),
        SessionChange.ServerChanged changed => new WebEvent(0, 0, "server", Server: NameOf(changed.State)),
        SessionChange.MemberChanged changed => new WebEvent(0, 0, "member", Member: Of(changed.Member)),
        SessionChange.MemberGone gone => new WebEvent(0, 0, "gone", Peer: gone.Peer.ToString()),
        SessionChange.EarlierRead read => new WebEvent(0, 0, "earlier", Earlier: [.. read.Entries.Select(Of)]),
        SessionChange.QualityMeasured measured => new WebEvent(0, 0, "quality", Quality: [.. measured.Members.Select(member => new WebQuality(member.Peer.ToString(), [Of(member.Sample)]))]),
        SessionChange.LogChanged changed => new WebEvent(0, 0, "entry", Entry: Of(changed.Entry)),
        // Of a terminal, which has to be looked at.
        SessionChange.QuestionAsked => new WebEvent(0, 0, "asked"),
        SessionChange.InboxChanged changed => new WebEvent(0, 0, "inbox", Inbox: Of(changed.Inbox)),
        _ => throw new InvalidOperationException($"There is no word for {change}."),
    };

    private WebRoom Of(RoomSnapshot room) =>
        new(
            room.Number, room.Name, room.SelfName, room.HasServer, NameOf(room.Server), PeerId.TryParse(room.Name, out _), room.IsOver, [.. room.Members.Select(Of)], [.. room.Earlier.Select(Of)], [.. room.Log.Select(Of)],
            [.. room.Quality.Select(member => new WebQuality(member.Key.ToString(), [.. member.Value.Select(Of)]))]);

    private WebMember Of(MemberSnapshot member) => new(
        member.Peer.ToString(), member.Name, NameOf(member.Trust), member.IsBlocked, NameOf(member.State), Of(member.Path), Milliseconds(member.RoundTrip),
        SafetyNumber.Of(self, member.Peer), [.. member.Story.Select(Of)]);

    private static WebStep Of(ConnectionStep step) => step.Event switch
    {
        RoomEvent.Joined => new WebStep(step.Time, "joined"),
        RoomEvent.Probing probing => new WebStep(
            step.Time, "probing", Transport: NameOf(probing.Transport), Addresses: [.. probing.Addresses.Select(address => new WebAddress($"{address.EndPoint}", Chat.RoomNarrator.Origin(address.Origin)))]),
        RoomEvent.Connected connected =>
            new WebStep(step.Time, "connected", Of(connected.Path), Milliseconds(connected.RoundTrip), Milliseconds(connected.Elapsed)),
        RoomEvent.PathChanged changed => new WebStep(step.Time, "path", Of(changed.Path), Milliseconds(changed.RoundTrip)),
        RoomEvent.Disconnected disconnected => new WebStep(step.Time, "disconnected", Text: PeerTextOf(disconnected.Reason)),
        RoomEvent.Trying trying => new WebStep(step.Time, "trying", Text: trying.Detail, Advice: trying.Advice),
        RoomEvent.Failed failed => new WebStep(step.Time, "failed", Text: $"{failed.Detail} ({failed.Cause})", Advice: failed.Advice),
        _ => throw new InvalidOperationException($"{step.Event} is no step of a connection."),
    };

    private static WebEntry Of(LogEntry entry) => entry switch
    {
        LogEntry.Received received => new WebEntry(entry.Number, entry.Time, "received", entry.Text, received.Peer.ToString(), received.Name),
        LogEntry.Sent sent => new WebEntry(entry.Number, entry.Time, "sent", entry.Text, Recipients: sent.Recipients.Count, Delivered: sent.DeliveredTo.Count),
        _ => new WebEntry(entry.Number, entry.Time, "notice", entry.Text),
    };

    private WebInbox? Of(InboxSnapshot? inbox) => inbox is null
        ? null
        : new WebInbox(
            inbox.Name, $"punchline call {self} {inbox.Address}", NameOf(inbox.Server),
            [.. inbox.Calls.Select(call => new WebCall(call.Number, call.Time, call.Peer.ToString(), call.Name, call.Acquaintance))], inbox.Problem);

    private static WebPath? Of(PeerPath? path) => path is null
        ? null
        : new WebPath(
            path.Kind switch { PathKind.Lan => "lan", PathKind.Mapped => "mapped", _ => "direct" }, NameOf(path.Transport),
            path.Local.ToString(), path.Remote.ToString());

    private static WebSample Of(QualitySample sample) => new(
        sample.Time, Math.Round(sample.RoundTrip.TotalMilliseconds, 1), Math.Round(sample.Loss, 4), Math.Round(sample.BytesSentPerSecond), Math.Round(sample.BytesReceivedPerSecond));

    private static string NameOf(PathTransport transport) => transport == PathTransport.Tcp ? "tcp" : "udp";

    private static double? Milliseconds(TimeSpan? time) => time is { } known ? Math.Round(known.TotalMilliseconds, 1) : null;

    private static string? NameOf(ServerState? state) => state is { } known ? Chat.JsonOutput.NameOf(known) : null;

    private static string NameOf(MemberState state) => state switch
    {
        MemberState.Connected => "connected",
        MemberState.Unreachable => "unreachable",
        _ => "connecting",
    };

    private static string NameOf(TrustMark trust) => trust switch
    {
        TrustMark.New => "new",
        TrustMark.Known => "known",
        TrustMark.Verified => "verified",
        TrustMark.Changed => "changed",
        _ => "unknown",
    };

    // A connection's end says what the peer wrote.
    private static string PeerTextOf(string reason) => Protocols.Rooms.PeerText.Clean(reason);
}
