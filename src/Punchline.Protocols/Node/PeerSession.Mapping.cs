using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Node;

// Whether a path goes through a port that a router maps. The peer's is among its candidates; by which of our own router's ports a
// packet came in, nothing in it says.
internal sealed partial class PeerSession
{
    private PathAddress? _uninvited;

    // Where our router has a mapping, it alone lets somebody in to whom nothing of ours had gone.
    private void NoteUninvited(PathAddress source)
    {
        if (IsConnected) return;
        if (source.Local.Carrier == Carrier.Tcp)
        {
            if (_services.MappedTcp is null || _services.Tcp.Find(source.Local) is not { IsIncoming: true } link) return;
            if (_tcpPunch?.HasTried(source.Remote, before: link.Begun) is not true) _uninvited = source;
        }
        else if (_services.Mapped is not null && source.Local == SocketId.Main && _punch?.HasSentTo(source) is not true)
        {
            _uninvited = source;
        }
    }

    /// <summary>Whether the path goes through a port that a router maps, as far as one side can tell.</summary>
    public bool IsMapped(PathAddress path) =>
        path == _uninvited || ((path.Local == SocketId.Main || path.Local.Carrier == Carrier.Tcp)
            && Introduction.Candidates.Contains(new Candidate(CandidateKind.Mapped, path.Remote) { Carrier = path.Local.Carrier }));
}
