using System.Globalization;
using Punchline.Protocols.Rooms;

namespace Punchline.Cli.Chat;

/// <summary>Where the verb <c>peers</c> says what it found and did.</summary>
internal interface IPeersOutput
{
    void Show(KnownPeer peer);

    void ShowForgotten(PeerId peer);

    void ShowBlocked(PeerId peer, bool isBlocked);
}

/// <summary>For people, one line a peer; ids whole, for they are what is compared.</summary>
internal sealed class PlainPeersOutput(TextWriter output) : IPeersOutput
{
    public void Show(KnownPeer peer)
    {
        var name = PeerText.Clean(peer.Name);
        var called = peer.Alias is { } alias ? $"{PeerText.Clean(alias)} (calls itself {name})" : $"calls itself {name}";
        output.WriteLine($"{peer.Id}  {called}, met {peer.FirstMet.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}{(peer.IsVerified ? ", verified" : "")}");
    }

    public void ShowForgotten(PeerId peer) => output.WriteLine($"{peer} is forgotten.");

    public void ShowBlocked(PeerId peer, bool isBlocked) => output.WriteLine($"{peer}  {(isBlocked ? "blocked" : "not blocked any more")}");
}

/// <summary>For programs, one JSON object a line.</summary>
internal sealed class JsonPeersOutput(TextWriter output) : IPeersOutput
{
    private readonly JsonLine _line = new(output);

    public void Show(KnownPeer peer) => _line.Write("known", json =>
    {
        json.WriteString("peer", peer.Id.ToString());
        if (peer.Alias is { } alias) json.WriteString("alias", alias);
        json.WriteString("name", peer.Name);
        json.WriteString("since", peer.FirstMet.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
        json.WriteBoolean("verified", peer.IsVerified);
    });

    public void ShowForgotten(PeerId peer) => _line.Write("forgotten", json => json.WriteString("peer", peer.ToString()));

    public void ShowBlocked(PeerId peer, bool isBlocked) => _line.Write(isBlocked ? "blocked" : "unblocked", json => json.WriteString("peer", peer.ToString()));
}
