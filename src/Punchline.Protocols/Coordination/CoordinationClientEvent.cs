using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Coordination;

/// <summary>What a <see cref="CoordinationClient"/> tells its owner.</summary>
internal abstract record CoordinationClientEvent
{
    private CoordinationClientEvent()
    {
    }

    /// <summary>The server answered; these are its STUN addresses. The join goes out with the first blob.</summary>
    internal sealed record Challenged(IReadOnlyList<Endpoint> StunServers) : CoordinationClientEvent;

    /// <summary>We are a member; these are the others. Of <paramref name="OwnAddress"/> only the IP address means something.</summary>
    internal sealed record Welcomed(IReadOnlyList<MemberEntry> Members, Endpoint OwnAddress) : CoordinationClientEvent;

    /// <summary>A newcomer, or a known member's new instance: its handshake starts anew.</summary>
    internal sealed record MemberJoined(MemberEntry Member) : CoordinationClientEvent;

    /// <summary>Same instance, another blob or address.</summary>
    internal sealed record MemberUpdated(MemberEntry Member) : CoordinationClientEvent;

    /// <summary>The server has the member no more. A direct path may still (PROTOCOL §10).</summary>
    internal sealed record MemberLeft(PeerId Id, MemberLeftReason Reason) : CoordinationClientEvent;

    /// <summary>What a member of an inbox has for us.</summary>
    internal sealed record Signalled(PeerId From, ReadOnlyMemory<byte> Data) : CoordinationClientEvent;

    /// <summary>The answer to a heartbeat; <see cref="CoordinationClient.RequestEcho"/> says which.</summary>
    internal sealed record Echoed(uint Number) : CoordinationClientEvent;

    /// <summary>Another instance of this peer took over. The end of this client, and no reason to come back.</summary>
    internal sealed record Replaced : CoordinationClientEvent;

    /// <summary>The end of this client: the server refused (its code), or what it said is not this protocol.</summary>
    internal sealed record Refused(string Code, string Message) : CoordinationClientEvent;

    /// <summary>The end of this client: nothing came for <see cref="CoordinationLimits.SilenceLimit"/>.</summary>
    internal sealed record ServerSilent : CoordinationClientEvent;
}

internal enum MemberLeftReason
{
    Left,
    Timeout,
}
