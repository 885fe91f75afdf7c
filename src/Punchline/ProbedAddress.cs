using System.Net;

namespace Punchline;

/// <summary>How an address of a member, which is probed, became known.</summary>
public enum AddressOrigin
{
    /// <summary>One of the member's machine itself.</summary>
    Interface,

    /// <summary>Where it is seen from outside: by a STUN server, the DHT or another member.</summary>
    Outside,

    /// <summary>The member's router maps it to the member.</summary>
    Mapped,

    /// <summary>The member has opened it for this peer alone.</summary>
    Opened,

    /// <summary>A packet of the member's came from there.</summary>
    Observed,
}

/// <summary>An address at which a member is probed.</summary>
/// <param name="Origin">How it became known.</param>
/// <param name="EndPoint">The address.</param>
public sealed record ProbedAddress(AddressOrigin Origin, IPEndPoint EndPoint);
