using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Mdns;

/// <summary>An interface whose link takes part.</summary>
/// <param name="Number">What the system calls it.</param>
/// <param name="Addresses">Ours on it, with the punching socket's port.</param>
internal sealed record MdnsNetwork(int Number, IReadOnlyList<HostAddress> Addresses)
{
    /// <summary>Of one interface, at most: those of its link are on it with the others.</summary>
    public const int MaxAddresses = 4;

    public bool Equals(MdnsNetwork? other) => other is not null && Number == other.Number && Addresses.SequenceEqual(other.Addresses);

    public override int GetHashCode() => Number;

    public bool Has(bool ipv4) => Addresses.Any(ours => ours.Endpoint.IsIPv4 == ipv4);

    /// <summary>
    /// RFC 6762 §11: what does not come from the local link is to be ignored. A source of IPv6 is as a rule link-local.
    /// </summary>
    public bool IsOnLink(Endpoint other) => (!other.IsIPv4 && AddressScope.IsLinkLocal(other)) || Addresses.Any(ours => ours.IsOnLink(other));
}

/// <summary>A datagram for a group of one link.</summary>
/// <param name="Network">The interface's number.</param>
/// <param name="Group">Where to.</param>
/// <param name="Length">Bytes in the buffer.</param>
internal readonly record struct MdnsTransmit(int Network, Endpoint Group, int Length);

/// <summary>A process that is in one of our rooms has been heard on a link of ours; it may be another of ours. Only a handshake proves it.</summary>
/// <param name="Room">Ours.</param>
/// <param name="Label">What it is called there: the bytes of its <see cref="RoomLabel"/>.</param>
/// <param name="Addresses">Its own on that link, 1 to <see cref="MdnsNetwork.MaxAddresses"/>.</param>
internal sealed record MdnsSighting(int Room, ReadOnlyMemory<byte> Label, IReadOnlyList<Endpoint> Addresses);
