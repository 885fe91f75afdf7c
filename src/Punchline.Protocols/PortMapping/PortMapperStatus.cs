using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.PortMapping;

/// <summary>By what a gateway's port is mapped.</summary>
internal enum PortMappingProtocol
{
    Pcp,
    NatPmp,
    Upnp,
}

/// <summary>Whether a gateway speaks a protocol. Unknown is not no.</summary>
internal enum GatewaySupport
{
    /// <summary>Not asked: there is no gateway, or mapping is off.</summary>
    Unknown,

    /// <summary>Asked, and nothing came so far.</summary>
    Silent,

    /// <summary>It says that it does not speak it.</summary>
    Lacks,

    /// <summary>It speaks it, and does not want to map.</summary>
    Refuses,

    /// <summary>It speaks it.</summary>
    Speaks,
}

/// <summary>What is known of the gateway.</summary>
/// <param name="Gateway">Its address on our side, without a port; null where there is none.</param>
/// <param name="Pcp">RFC 6887.</param>
/// <param name="NatPmp">RFC 6886.</param>
/// <param name="Upnp">Internet Gateway Device.</param>
/// <param name="UpnpVersion">1 or 2; 0 where that is not known.</param>
/// <param name="ExternalAddress">Its own address on the other side, as it says, without a port; null where it says none.</param>
/// <param name="Udp">What is mapped to our UDP port; null where nothing is.</param>
/// <param name="Tcp">What is mapped to our TCP port; null where nothing is.</param>
/// <param name="Protocol">By which the UDP port is mapped.</param>
internal readonly record struct PortMapperStatus(
    Endpoint? Gateway, GatewaySupport Pcp, GatewaySupport NatPmp, GatewaySupport Upnp, int UpnpVersion,
    Endpoint? ExternalAddress, Endpoint? Udp, Endpoint? Tcp, PortMappingProtocol? Protocol);
