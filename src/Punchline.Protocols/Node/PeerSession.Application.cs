using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Node;

// The connection's other user, beside chat.
internal sealed partial class PeerSession
{
    // Another connection of the same peer's took its place before this one had heard that it is over.
    private static readonly CloseReason Replaced = new(CloseOrigin.Remote, IsApplication: true, CloseCodes.Superseded, "superseded");

    private static readonly CloseReason Forgotten = new(CloseOrigin.Local, IsApplication: true, CloseCodes.Left, "left");

    private ApplicationConnection? _application;

    /// <summary>Why the latest attempt found no way; null before its end, and where it found one.</summary>
    public PunchFailure? Failure { get; private set; }

    /// <summary>The connection, if there is one, as the application has it.</summary>
    public ApplicationConnection? Application => _application;

    /// <summary>The owner was told that there is a connection.</summary>
    public void OfferConnection() => _application?.Offer();

    /// <summary>The application ends a connection, which may have been replaced meanwhile.</summary>
    public void Close(Connection connection, ulong code, string reason, Timestamp now)
    {
        connection.Close(code, reason, now);
        DrainConnection(now);
    }

    private void EndApplication()
    {
        _application?.End(_connection?.CloseReason ?? (_isBeingReplaced ? Replaced : Forgotten));
        _application = null;
    }
}
