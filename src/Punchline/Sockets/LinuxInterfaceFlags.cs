using System.Globalization;
using System.Net;
using Punchline.Protocols.Primitives;

namespace Punchline.Sockets;

/// <summary>What Linux says of its IPv6 addresses, and .NET does not.</summary>
internal static class LinuxInterfaceFlags
{
    private const string File = "/proc/net/if_inet6";

    // linux/if_addr.h
    private const int Temporary = 0x01, Optimistic = 0x04, DuplicateFound = 0x08, Deprecated = 0x20, Tentative = 0x40;

    /// <summary>Empty where the system has no IPv6.</summary>
    public static Dictionary<IPAddress, InterfaceAddressTraits> Read()
    {
        try
        {
            return Parse(System.IO.File.ReadLines(File));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>Lines of 32 digits of address, then index, prefix length, scope and flags, each hexadecimal, and the interface's name (net/ipv6/addrconf.c, if6_seq_show).</summary>
    public static Dictionary<IPAddress, InterfaceAddressTraits> Parse(IEnumerable<string> lines)
    {
        var known = new Dictionary<IPAddress, InterfaceAddressTraits>();
        foreach (var line in lines)
        {
            var fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (fields.Length < 5 || !UInt128.TryParse(fields[0], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var address)
                || !int.TryParse(fields[4], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var flags)) continue;
            known[new Endpoint(address, 0).ToIPAddress()] = ToTraits(flags);
        }
        return known;
    }

    private static InterfaceAddressTraits ToTraits(int flags)
    {
        var traits = InterfaceAddressTraits.None;
        if ((flags & Temporary) != 0) traits |= InterfaceAddressTraits.Temporary;
        if ((flags & Deprecated) != 0) traits |= InterfaceAddressTraits.Deprecated;
        // RFC 4429 §2.1: an optimistic one is used while it is being asked for.
        if ((flags & DuplicateFound) != 0 || ((flags & Tentative) != 0 && (flags & Optimistic) == 0)) traits |= InterfaceAddressTraits.Unusable;
        return traits;
    }
}
