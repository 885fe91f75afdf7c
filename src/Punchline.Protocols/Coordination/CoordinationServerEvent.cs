using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Coordination;

/// <summary>What happened at a <see cref="CoordinationServer"/>, for logs and metrics: nothing depends on it.</summary>
internal abstract record CoordinationServerEvent
{
    private CoordinationServerEvent()
    {
    }

    internal sealed record Joined(long Connection, PeerId Id, Endpoint Address) : CoordinationServerEvent;

    /// <summary>Same id and instance on a new connection.</summary>
    internal sealed record Rejoined(long Connection, PeerId Id, Endpoint Address) : CoordinationServerEvent;

    /// <summary>Another instance took the id over.</summary>
    internal sealed record Replaced(PeerId Id) : CoordinationServerEvent;

    internal sealed record Left(PeerId Id, MemberLeftReason Reason) : CoordinationServerEvent;

    internal sealed record Refused(long Connection, Endpoint Address, string Code) : CoordinationServerEvent;
}
