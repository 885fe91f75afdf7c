using System.Text.Json.Serialization;

namespace Punchline.Cli.Web;

// What a page is told: one JSON object a line, each a snapshot or an event. Nulls are left out.

/// <param name="Self">Only with a snapshot.</param>
/// <param name="Snapshot">All there is; what the page had is void.</param>
/// <param name="Event">What changed.</param>
internal sealed record WebLine(WebSelf? Self = null, WebSession? Snapshot = null, WebEvent? Event = null);

/// <param name="Id">This peer's.</param>
/// <param name="Name">Proposed.</param>
/// <param name="Place">Proposed: <see cref="WebPlace"/>.</param>
/// <param name="Server">Proposed; empty: none was given.</param>
/// <param name="Notices">What should be known before anything is done.</param>
internal sealed record WebSelf(string Id, string Name, string Place, string Server, IReadOnlyList<string> Notices);

/// <param name="Run">Names the process: events of another have nothing to do with these.</param>
/// <param name="LastEvent">Events after this one are not in it yet.</param>
/// <param name="Rooms">In the order in which they were opened.</param>
/// <param name="Inbox">Null: no calls are waited for.</param>
internal sealed record WebSession(string Run, long LastEvent, IReadOnlyList<WebRoom> Rooms, WebInbox? Inbox);

/// <param name="Number">The event's.</param>
/// <param name="Room">0: about none.</param>
/// <param name="Kind"><c>opened</c>, <c>ended</c>, <c>closed</c>, <c>server</c>, <c>member</c>, <c>gone</c>, <c>entry</c>, <c>earlier</c>, <c>quality</c>, <c>inbox</c> or <c>asked</c>, which says nothing to a page; which of the others is there follows from it.</param>
/// <param name="Opened">The room, whole.</param>
/// <param name="Server">The server's state.</param>
/// <param name="Member">The member, whole.</param>
/// <param name="Peer">Who is gone.</param>
/// <param name="Entry">The log's entry, whole.</param>
/// <param name="Inbox">The inbox, whole; null: there is none any more.</param>
/// <param name="Earlier">What was said in earlier sessions, whole.</param>
/// <param name="Quality">A sample more of each of these members.</param>
internal sealed record WebEvent(
    long Number, int Room, string Kind, WebRoom? Opened = null, string? Server = null, WebMember? Member = null, string? Peer = null, WebEntry? Entry = null, WebInbox? Inbox = null,
    IReadOnlyList<WebEntry>? Earlier = null, IReadOnlyList<WebQuality>? Quality = null);

/// <param name="Number">Names it in the session.</param>
/// <param name="Name">What its members call it; a call's is the other's id.</param>
/// <param name="SelfName">What this peer calls itself there.</param>
/// <param name="HasServer">False: members meet in the DHT, or on this network.</param>
/// <param name="Server">The server's state; null: it has not been reached.</param>
/// <param name="IsCall">Of two.</param>
/// <param name="IsOver">It stays to be read.</param>
/// <param name="Members">The others.</param>
/// <param name="Earlier">What was said in earlier sessions, by numbers up to 0.</param>
/// <param name="Log">What was said in this.</param>
/// <param name="Quality">How the connections did within the last hour.</param>
internal sealed record WebRoom(
    int Number, string Name, string SelfName, bool HasServer, string? Server, bool IsCall, bool IsOver, IReadOnlyList<WebMember> Members, IReadOnlyList<WebEntry> Earlier, IReadOnlyList<WebEntry> Log,
    IReadOnlyList<WebQuality> Quality);

internal sealed record WebMember(
    string Peer, string Name, string Trust, bool IsBlocked, string State, WebPath? Path, double? RttMs, string SafetyNumber, IReadOnlyList<WebStep> Story);

internal sealed record WebQuality(string Peer, IReadOnlyList<WebSample> Samples);

/// <param name="Time">The end of the while that it is about, which is some 10 s.</param>
/// <param name="RttMs">The round trip, as last measured.</param>
/// <param name="Loss">Of this peer's packets, 0 to 1.</param>
/// <param name="Sent">Bytes a second.</param>
/// <param name="Received">Bytes a second.</param>
internal sealed record WebSample(DateTimeOffset Time, double RttMs, double Loss, double Sent, double Received);

internal sealed record WebPath(string Kind, string Transport, string Local, string Remote);

/// <param name="Time">When it was told.</param>
/// <param name="Kind"><c>joined</c>, <c>probing</c>, <c>trying</c>, <c>connected</c>, <c>path</c>, <c>disconnected</c> or <c>failed</c>.</param>
/// <param name="Path">The way.</param>
/// <param name="RttMs">Its round trip.</param>
/// <param name="ElapsedMs">From hearing of the peer to the connection.</param>
/// <param name="Text">Why.</param>
/// <param name="Advice">What would help.</param>
/// <param name="Transport">Of what is probed.</param>
/// <param name="Addresses">What is probed.</param>
internal sealed record WebStep(
    DateTimeOffset Time, string Kind, WebPath? Path = null, double? RttMs = null, double? ElapsedMs = null, string? Text = null, string? Advice = null, string? Transport = null,
    IReadOnlyList<WebAddress>? Addresses = null);

/// <param name="Address">With its port.</param>
/// <param name="Origin">How it became known, in words.</param>
internal sealed record WebAddress(string Address, string Origin);

/// <param name="Number">Rises in a room.</param>
/// <param name="Time">When it was sent or came.</param>
/// <param name="Kind"><c>received</c>, <c>sent</c> or <c>notice</c>.</param>
/// <param name="Text">As it is to be shown.</param>
/// <param name="Peer">Who wrote it; null: it is ours, or a notice.</param>
/// <param name="Name">What it called itself.</param>
/// <param name="Recipients">How many were to have it.</param>
/// <param name="Delivered">How many of them have it.</param>
internal sealed record WebEntry(
    long Number, DateTimeOffset Time, string Kind, string Text, string? Peer = null, string? Name = null, int? Recipients = null, int? Delivered = null);

internal sealed record WebInbox(string Name, string Line, string? Server, IReadOnlyList<WebCall> Calls, string? Problem);

internal sealed record WebCall(int Number, DateTimeOffset Time, string Peer, string Name, string Acquaintance);

/// <summary>The answer to a command that opens a room.</summary>
internal sealed record RoomAnswer(int Room);

/// <summary>The answer to the token.</summary>
/// <param name="Key">What a page sends along with its cookie.</param>
internal sealed record OpenAnswer(string Key);

/// <summary>The answer to a command that cannot be done.</summary>
/// <param name="Error">Why, in a sentence.</param>
internal sealed record ErrorAnswer(string Error);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(WebLine))]
[JsonSerializable(typeof(RoomAnswer))]
[JsonSerializable(typeof(OpenAnswer))]
[JsonSerializable(typeof(WebCode))]
[JsonSerializable(typeof(WebDiagnosis))]
[JsonSerializable(typeof(ErrorAnswer))]
internal sealed partial class WebAnswerJson : JsonSerializerContext;
