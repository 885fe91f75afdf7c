using System.Net;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Tests.Traversal;

/// <summary>IPv4 in IPv6 with the table of RFC 6052 §2.4, and the prefix found as RFC 7050 finds it.</summary>
public sealed class Nat64PrefixTests
{
    [Theory]
    [InlineData("2001:db8::", 32, "2001:db8:c000:221::")]
    [InlineData("2001:db8:100::", 40, "2001:db8:1c0:2:21::")]
    [InlineData("2001:db8:122::", 48, "2001:db8:122:c000:2:2100::")]
    [InlineData("2001:db8:122:300::", 56, "2001:db8:122:3c0:0:221::")]
    [InlineData("2001:db8:122:344::", 64, "2001:db8:122:344:c0:2:2100::")]
    [InlineData("2001:db8:122:344::", 96, "2001:db8:122:344::192.0.2.33")]
    [InlineData("64:ff9b::", 96, "64:ff9b::192.0.2.33")]
    public void The_table_of_RFC_6052(string prefix, int length, string translated)
    {
        var nat64 = new Nat64Prefix(Endpoint.Parse($"[{prefix}]:0"), length);
        var ipv4 = Endpoint.Parse("192.0.2.33:5000");
        var ipv6 = Endpoint.Parse($"[{translated}]:5000");
        Assert.Equal(ipv6, nat64.Embed(ipv4));
        Assert.True(nat64.TryExtract(ipv6, out var extracted));
        Assert.Equal(ipv4, extracted);
    }

    [Theory]
    [InlineData("64:ff9b::c000:aa", "64:ff9b::", 96)]
    [InlineData("64:ff9b::c000:ab", "64:ff9b::", 96)]
    [InlineData("2001:db8:c000:aa::", "2001:db8::", 32)]
    [InlineData("2001:db8:1c0:0:aa::", "2001:db8:100::", 40)]
    [InlineData("2001:db8:122:c000::aa00:0:0", "2001:db8:122::", 48)]
    [InlineData("2001:db8:122:3c0:0:aa::", "2001:db8:122:300::", 56)]
    [InlineData("2001:db8:122:344:c0:0:aa00::", "2001:db8:122:344::", 64)]
    public void A_prefix_is_read_off_the_answer_for_ipv4only_arpa(string answer, string prefix, int length)
    {
        Assert.True(Nat64Prefix.TryDiscover([IPAddress.Parse("192.0.0.170"), IPAddress.Parse(answer)], out var discovered));
        Assert.Equal(new Nat64Prefix(Endpoint.Parse($"[{prefix}]:0"), length), discovered);
    }

    [Theory]
    [InlineData("192.0.0.170 192.0.0.171")]
    [InlineData("2001:db8::1")]
    [InlineData("::ffff:192.0.0.170")]
    [InlineData("64:ff9b::192.0.0.172")]
    [InlineData("")]
    public void Without_a_translator_there_is_no_prefix(string answers) => Assert.False(
        Nat64Prefix.TryDiscover(answers.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(IPAddress.Parse), out _));

    [Theory]
    [InlineData("[2001:db8:122:345:c0:2:2100::]:5000")] // another prefix
    [InlineData("[2001:db8:122:344:1c0:2:2100::]:5000")] // the reserved byte
    [InlineData("[2001:db8:122:344:c0:2:2100:1]:5000")] // the suffix
    [InlineData("192.0.2.33:5000")]
    public void What_is_not_the_translators_stays_as_it_is(string other) =>
        Assert.False(new Nat64Prefix(Endpoint.Parse("[2001:db8:122:344::]:0"), 64).TryExtract(Endpoint.Parse(other), out _));

    [Theory]
    [InlineData(0)]
    [InlineData(33)]
    [InlineData(128)]
    public void Other_lengths_are_refused(int length) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new Nat64Prefix(Endpoint.Parse("[64:ff9b::]:0"), length));
}
