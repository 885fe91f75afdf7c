using Punchline.Protocols.Rooms;

namespace Punchline.Cli.Chat;

/// <summary>
/// For people: members' messages on standard output, and what else happens, marked with an asterisk, on standard error,
/// so that a pipe gets the messages alone.
/// </summary>
/// <param name="output">For messages.</param>
/// <param name="error">For all else.</param>
/// <param name="prompt">What asks for the next line, and has both of these; null: nothing does.</param>
internal sealed class PlainOutput(TextWriter output, TextWriter error, PromptLine? prompt = null) : IChatOutput
{
    // Of an id's 52 characters; a stranger would try 2^40 keys to have them too.
    private const int ShortIdLength = 8;

    private readonly Dictionary<PeerId, string> _names = [];
    private readonly Dictionary<PeerId, string> _failures = [];
    private bool _hasSeenServer;
    private bool _hasSeenAnybody;
    private bool _hasWarnedOfPorts;

    public static string ShortId(PeerId peer) => peer.ToString()[..ShortIdLength];

    public void ShowReady(PeerId self, string name, string room) => Notice($"In the room {room} as {name} ({ShortId(self)}…).");

    public void Notice(string text) => error.WriteLine($"* {text}");

    public void AwaitLine() => prompt?.Ask();

    public void Show(RoomEvent roomEvent)
    {
        switch (roomEvent)
        {
            case RoomEvent.ServerChanged { State: ServerState.Connected }:
                // The first time it goes without saying.
                if (_hasSeenServer) Notice("The server is back.");
                _hasSeenServer = true;
                break;
            case RoomEvent.ServerChanged { Reason: { } reason }:
                Notice($"{reason} It is tried again and again; members on this network are found without it.");
                break;
            case RoomEvent.ServerChanged { State: ServerState.Lost }:
                Notice("The server is away. Members that are connected stay connected.");
                break;
            case RoomEvent.ServerChanged:
                Notice("This peer joined the room from another process, which takes its place.");
                break;
            case RoomEvent.DhtSearched searched:
                ShowSearch(searched);
                break;
            case RoomEvent.Joined joined:
                _hasSeenAnybody = true;
                _names[joined.Peer] = PeerText.Clean(joined.Name);
                Notice($"{NameOf(joined.Peer)} ({ShortId(joined.Peer)}…) is here; connecting.");
                break;
            case RoomEvent.Left left:
                Notice(left.Reason == LeaveReason.Left ? $"{NameOf(left.Peer)} left." : $"{NameOf(left.Peer)} is gone without a goodbye.");
                _names.Remove(left.Peer);
                _failures.Remove(left.Peer);
                break;
            case RoomEvent.Connected connected:
                _failures.Remove(connected.Peer);
                _names[connected.Peer] = PeerText.Clean(connected.Name);
                Notice($"{NameOf(connected.Peer)} is connected {Way(connected.Path)}, in {Milliseconds(connected.Elapsed)} (round trip {Milliseconds(connected.RoundTrip)}).");
                break;
            case RoomEvent.PathChanged changed:
                Notice($"{NameOf(changed.Peer)} is now reached {Way(changed.Path)} (round trip {Milliseconds(changed.RoundTrip)}).");
                break;
            case RoomEvent.Disconnected { Reason: "left" }:
                // That it left follows, or was said.
                break;
            case RoomEvent.Disconnected disconnected:
                Notice($"The connection to {NameOf(disconnected.Peer)} ended: {PeerText.Clean(disconnected.Reason).TrimEnd('.')}.");
                break;
            case RoomEvent.Failed failed when !IsTold(failed):
                Notice($"No way to {NameOf(failed.Peer)} ({failed.Cause}). {failed.Detail} {failed.Advice}");
                break;
            case RoomEvent.Message message:
                // Further lines are set in, so that nobody writes a line that looks like another's.
                output.WriteLine($"{PeerText.Clean(message.Name)}: {PeerText.Clean(message.Text, multiline: true).Replace("\n", "\n    ", StringComparison.Ordinal)}");
                break;
        }
    }

    // For who waits: once anybody has come it goes on unseen.
    private void ShowSearch(RoomEvent.DhtSearched searched)
    {
        if (!_hasSeenAnybody) Notice($"Asked the DHT: {searched.KnownNodes} nodes known, {(searched.FoundAddresses > 1 ? $"{searched.FoundAddresses} addresses under this room's topic, nobody met" : "nobody else under this room's topic")} yet.");
        if (!searched.IsPortPerDestination || _hasWarnedOfPorts) return;
        _hasWarnedOfPorts = true;
        Notice("This network's router gives every destination another port, which nobody finds in the DHT: only members whose own routers let in packets from any port can be met. Others need a coordination server.");
    }

    // It is tried again and again; what ends as before is not news.
    private bool IsTold(RoomEvent.Failed failed)
    {
        var isTold = _failures.TryGetValue(failed.Peer, out var cause) && string.Equals(cause, failed.Cause, StringComparison.Ordinal);
        _failures[failed.Peer] = failed.Cause;
        return isTold;
    }

    private static string Way(PeerPath path) => path.Kind switch
    {
        PathKind.Lan => $"on this network at {path.Remote}",
        PathKind.Mapped => $"directly, by a port that a router maps, at {path.Remote}",
        _ => $"directly at {path.Remote}",
    };

    private static string Milliseconds(TimeSpan time) => $"{time.TotalMilliseconds:0.#} ms";

    private string NameOf(PeerId peer) => _names.TryGetValue(peer, out var name) && name.Length > 0 ? name : $"{ShortId(peer)}…";
}
