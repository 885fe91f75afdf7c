namespace Punchline.Protocols.Traversal;

/// <summary>Whose packets a router lets in to a mapping (RFC 4787 §5).</summary>
internal enum FilteringBehavior : byte
{
    Unknown = 0,

    /// <summary>Anybody's.</summary>
    EndpointIndependent = 1,

    /// <summary>Those of addresses that were sent to.</summary>
    AddressDependent = 2,

    /// <summary>Those of addresses and ports that were sent to.</summary>
    AddressAndPortDependent = 3,
}
