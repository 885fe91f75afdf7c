using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Node;

// What made a connection between these two networks before is begun at once, beside the plain punch.
internal sealed partial class PeerSession
{
    private bool IsRemembered(WayKind kind) => Pair is { } pair && _services.Ways.Find(pair) == kind;

    private ulong? Pair => _services.Keeper.Network is { } network ? WayMemory.Identify(network, Peer, Introduction.Candidates) : null;

    // Of a connection that an attempt has led to, before what it used is given back.
    private void RememberWay(PathAddress path)
    {
        if (_punch is null || Pair is not { } pair) return;
        _services.Ways.Note(pair, path.Local switch
        {
            { Carrier: Carrier.Tcp } => WayKind.Tcp,
            _ when _opening?.Has(path.Local) is true || _origin?.Id == path.Local => WayKind.Search,
            _ when _fresh.Exists(socket => socket.Id == path.Local) => WayKind.FreshSocket,
            _ => null,
        });
    }

    private void ForgetWay()
    {
        if (Pair is { } pair) _services.Ways.Note(pair, null);
    }
}
