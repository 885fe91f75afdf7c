namespace Punchline.Protocols.Mdns;

/// <summary>Types of records (RFC 1035 §3.2.2, RFC 2782, RFC 3596).</summary>
internal enum DnsType : ushort
{
    A = 1,
    Pointer = 12,
    Text = 16,
    Aaaa = 28,
    Service = 33,

    /// <summary>In questions only.</summary>
    Any = 255,
}

/// <summary>
/// What is asked (RFC 1035 §4.1.2):
/// <code>
/// name, type (2), class (2): the top bit asks for an answer by unicast (RFC 6762 §5.4)
/// </code>
/// </summary>
/// <param name="Name">Whose records.</param>
/// <param name="Type">Of which type.</param>
/// <param name="IsOfInternet">The class is IN, or any.</param>
internal readonly record struct DnsQuestion(DnsName Name, DnsType Type, bool IsOfInternet)
{
    /// <summary>Whether a record of that type would answer it.</summary>
    public bool Asks(DnsName name, params ReadOnlySpan<DnsType> types) => IsOfInternet && (Type == DnsType.Any || types.Contains(Type)) && Name.Equals(name);
}

/// <summary>
/// A resource record (RFC 1035 §4.1.3), as far as its type says something here:
/// <code>
/// name, type (2), class (2): the top bit has caches flushed (RFC 6762 §10.2), time-to-live in seconds (4), data's length (2), data
/// </code>
/// </summary>
/// <param name="Name">Whose it is.</param>
/// <param name="TimeToLive">In seconds; 0 is a goodbye (RFC 6762 §10.1).</param>
internal abstract record DnsRecord(DnsName Name, uint TimeToLive)
{
    /// <summary>PTR: another name.</summary>
    internal sealed record Pointer(DnsName Name, uint TimeToLive, DnsName Target) : DnsRecord(Name, TimeToLive);

    /// <summary>SRV: where a service is. Priority and weight choose among several; there is one.</summary>
    internal sealed record Service(DnsName Name, uint TimeToLive, ushort Port, DnsName Target) : DnsRecord(Name, TimeToLive);

    /// <summary>A or AAAA: an address, mapped where it is IPv4's.</summary>
    internal sealed record Address(DnsName Name, uint TimeToLive, UInt128 Value) : DnsRecord(Name, TimeToLive);

    /// <summary>Of another type or class, which is passed over.</summary>
    internal sealed record Other(DnsName Name, uint TimeToLive) : DnsRecord(Name, TimeToLive);
}
