namespace Punchline.Protocols.Mdns;

/// <summary>The two names of one instance, and the records under them: <c>LABEL._punchline._udp.local</c> is the service at <c>LABEL.local</c>.</summary>
/// <param name="Instance">Of the service's records.</param>
/// <param name="Host">Of the addresses.</param>
internal sealed record MdnsNames(DnsName Instance, DnsName Host)
{
    /// <summary>Before there are any.</summary>
    public static readonly MdnsNames None = new(MdnsService.Name, MdnsService.Name);

    public static MdnsNames Of(string label) => new(DnsName.Of(label, "_punchline", "_udp", "local"), DnsName.Of(label, "local"));

    /// <summary>Asks whether anybody has the names, and says what we would have under them (RFC 6762 §8.2).</summary>
    public void WriteProbe(ref DnsMessageWriter writer, MdnsNetwork network)
    {
        writer.WriteQuestion(Instance, DnsType.Any);
        writer.WriteQuestion(Host, DnsType.Any);
        writer.WritePointer(DnsSection.Authority, MdnsService.Name, MdnsService.OtherTimeToLive, Instance);
        // §8.2: without the cache-flush bit, for they are nobody's yet.
        WriteOwn(ref writer, DnsSection.Authority, network, isUnique: false, isGoodbye: false);
    }

    /// <summary>All that there is under the names: an answer to whatever is asked of them, and an announcement.</summary>
    /// <param name="writer">Of a response.</param>
    /// <param name="network">Whose addresses.</param>
    /// <param name="isGoodbye">Caches are to forget it.</param>
    public void WriteRecords(ref DnsMessageWriter writer, MdnsNetwork network, bool isGoodbye)
    {
        writer.WritePointer(DnsSection.Answer, MdnsService.Name, isGoodbye ? 0 : MdnsService.OtherTimeToLive, Instance);
        WriteOwn(ref writer, DnsSection.Answer, network, isUnique: true, isGoodbye);
    }

    private void WriteOwn(ref DnsMessageWriter writer, DnsSection section, MdnsNetwork network, bool isUnique, bool isGoodbye)
    {
        var ofHost = isGoodbye ? 0 : MdnsService.HostTimeToLive;
        writer.WriteService(section, Instance, ofHost, network.Addresses[0].Endpoint.Port, Host, isUnique);
        writer.WriteEmptyText(section, Instance, isGoodbye ? 0 : MdnsService.OtherTimeToLive, isUnique);
        foreach (var ours in network.Addresses.Take(MdnsNetwork.MaxAddresses)) writer.WriteAddress(section, Host, ofHost, ours.Endpoint, isUnique);
    }
}
