using Punchline.Protocols.Rooms;

namespace Punchline.Cli.Chat;

/// <summary>What happens in a room besides its messages, in sentences for people. One room's: it knows what it told.</summary>
internal sealed class RoomNarrator
{
    private readonly Dictionary<PeerId, string> _names = [];
    private readonly Dictionary<PeerId, string> _failures = [];
    private bool _hasSeenServer;
    private bool _hasSeenAnybody;
    private bool _hasWarnedOfPorts;

    /// <summary>Null: it is a message, or goes without saying.</summary>
    public string? Tell(RoomEvent roomEvent)
    {
        switch (roomEvent)
        {
            case RoomEvent.ServerChanged { State: ServerState.Connected }:
                // The first time it goes without saying.
                var isBack = _hasSeenServer;
                _hasSeenServer = true;
                return isBack ? "The server is back." : null;
            case RoomEvent.ServerChanged { Reason: { } reason }:
                return $"{reason} It is tried again and again; members on this network are found without it.";
            case RoomEvent.ServerChanged { State: ServerState.Lost }:
                return "The server is away. Members that are connected stay connected.";
            case RoomEvent.ServerChanged:
                return "This peer joined the room from another process, which takes its place.";
            case RoomEvent.DhtSearched searched:
                return TellSearch(searched);
            case RoomEvent.Joined joined:
                _hasSeenAnybody = true;
                _names[joined.Peer] = PeerText.Clean(joined.Name);
                return $"{NameOf(joined.Peer)} ({PlainOutput.ShortId(joined.Peer)}…) is here; connecting.";
            case RoomEvent.Left left:
                var goodbye = left.Reason == LeaveReason.Left ? $"{NameOf(left.Peer)} left." : $"{NameOf(left.Peer)} is gone without a goodbye.";
                _names.Remove(left.Peer);
                _failures.Remove(left.Peer);
                return goodbye;
            case RoomEvent.Connected connected:
                _failures.Remove(connected.Peer);
                _names[connected.Peer] = PeerText.Clean(connected.Name);
                return $"{NameOf(connected.Peer)} is connected {Way(connected.Path)}, in {Milliseconds(connected.Elapsed)} (round trip {Milliseconds(connected.RoundTrip)}).";
            case RoomEvent.PathChanged changed:
                return $"{NameOf(changed.Peer)} is now reached {Way(changed.Path)} (round trip {Milliseconds(changed.RoundTrip)}).";
            case RoomEvent.Disconnected { Reason: "left" }:
                // That it left follows, or was said.
                return null;
            case RoomEvent.Disconnected disconnected:
                return $"The connection to {NameOf(disconnected.Peer)} ended: {PeerText.Clean(disconnected.Reason).TrimEnd('.')}.";
            case RoomEvent.Trying trying:
                // The same before each end in vain is not news either.
                return _failures.ContainsKey(trying.Peer) ? null : $"Not connected to {NameOf(trying.Peer)} yet. {trying.Detail} {trying.Advice}";
            case RoomEvent.Failed failed when !IsTold(failed):
                return $"No way to {NameOf(failed.Peer)} ({failed.Cause}). {failed.Detail} {failed.Advice}";
            default:
                return null;
        }
    }

    /// <summary>Which addresses are probed, for who asks: there are too many for all.</summary>
    public static string Tell(RoomEvent.Probing probing) =>
        $"Tried by {(probing.Transport == PathTransport.Tcp ? "TCP" : "UDP")}: {string.Join(", ", probing.Addresses.Select(address => $"{address.EndPoint} ({Origin(address.Origin)})"))}.";

    /// <summary>How an address became known, in a word or two.</summary>
    public static string Origin(AddressOrigin origin) => origin switch
    {
        AddressOrigin.Interface => "its own",
        AddressOrigin.Mapped => "mapped by its router",
        AddressOrigin.Opened => "opened for us",
        AddressOrigin.Observed => "it came from there",
        _ => "seen from outside",
    };

    public static string Milliseconds(TimeSpan time) => $"{time.TotalMilliseconds:0.#} ms";

    // For who waits: once anybody has come it goes on unseen.
    private string? TellSearch(RoomEvent.DhtSearched searched)
    {
        var found = _hasSeenAnybody ? null : $"Asked the DHT: {searched.KnownNodes} nodes known, {(searched.FoundAddresses > 1 ? $"{searched.FoundAddresses} addresses under this room's topic, nobody met" : "nobody else under this room's topic")} yet.";
        if (!searched.IsPortPerDestination || _hasWarnedOfPorts) return found;
        _hasWarnedOfPorts = true;
        const string Ports = "This network's router gives every destination another port, which nobody finds in the DHT: only members whose own routers let in packets from any port can be met. Others need a coordination server.";
        return found is null ? Ports : $"{found} {Ports}";
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

    private string NameOf(PeerId peer) => _names.TryGetValue(peer, out var name) && name.Length > 0 ? name : $"{PlainOutput.ShortId(peer)}…";
}
