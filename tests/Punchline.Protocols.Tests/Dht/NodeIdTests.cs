using Punchline.Protocols.Dht;
using Punchline.Protocols.Primitives;
using Punchline.Simulation;

namespace Punchline.Protocols.Tests.Dht;

public sealed class NodeIdTests
{
    [Theory] // BEP 42's table.
    [InlineData("124.31.75.21", "5fbfbff10c5d6a4ec8a88e4c6ab4c28b95eee401")]
    [InlineData("21.75.31.124", "5a3ce9c14e7a08645677bbd1cfe7d8f956d53256")]
    [InlineData("65.23.51.170", "a5d43220bc8f112a3d426c84764f8c2a1150e616")]
    [InlineData("84.124.73.14", "1b0321dd1bb1fe518101ceef99462b947a01ff41")]
    [InlineData("43.213.53.83", "e56f6cbf5b7c4be0237986d5243b87aa6d51305a")]
    public void Ids_of_BEP_42_fit_their_addresses_and_no_other(string address, string hex)
    {
        Assert.True(NodeId.TryParse(hex, out var id));
        Assert.Equal(hex, id.ToString());
        Assert.True(SecureNodeId.IsValid(id, Endpoint.Parse($"{address}:6881")));
        Assert.True(SecureNodeId.IsValid(id, Endpoint.Parse($"{address}:1")));
        Assert.False(SecureNodeId.IsValid(id, Endpoint.Parse("124.31.75.23:6881")));
        for (var bit = 0; bit < SecureNodeId.PrefixBits; bit++)
            Assert.False(SecureNodeId.IsValid(id with { High = id.High ^ (UInt128.One << (127 - bit)) }, Endpoint.Parse($"{address}:6881")));
        Assert.True(SecureNodeId.IsValid(id with { High = id.High ^ (UInt128.One << (127 - SecureNodeId.PrefixBits)) }, Endpoint.Parse($"{address}:6881")));
    }

    [Theory]
    [InlineData("198.51.100.7:40000")]
    [InlineData("[2001:db8:1234:5678::1]:6881")]
    public void Created_ids_fit_and_there_are_eight_prefixes(string text)
    {
        var (endpoint, random) = (Endpoint.Parse(text), new SeededRandom(1));
        var prefixes = new HashSet<UInt128>();
        for (var i = 0; i < 200; i++)
        {
            var id = SecureNodeId.Create(endpoint, random);
            Assert.True(SecureNodeId.IsValid(id, endpoint));
            prefixes.Add(id.High >> (128 - SecureNodeId.PrefixBits));
        }
        Assert.Equal(8, prefixes.Count);
    }

    [Theory]
    [InlineData("192.168.1.2:6881", true)]
    [InlineData("10.0.0.1:6881", true)]
    [InlineData("127.0.0.1:6881", true)]
    [InlineData("[fd00::1]:6881", true)]
    [InlineData("8.8.8.8:6881", false)]
    public void Local_addresses_may_have_any_id(string text, bool isExempt) => Assert.Equal(isExempt, SecureNodeId.IsValid(default, Endpoint.Parse(text)));

    [Fact]
    public void Random_ids_at_a_prefix_have_exactly_that_in_common()
    {
        var random = new SeededRandom(2);
        var id = NodeId.Generate(random);
        for (var bits = 0; bits < NodeId.BitLength; bits++) Assert.Equal(bits, id.CommonPrefix(id.RandomAt(bits, random)));
        Assert.Equal(NodeId.BitLength, id.CommonPrefix(id));
    }

    [Fact]
    public void Distances_are_compared_as_numbers()
    {
        var zero = default(NodeId);
        Assert.True(new NodeId(0, 1).CompareTo(zero) > 0);
        Assert.True(new NodeId(1, 0).CompareTo(new NodeId(0, uint.MaxValue)) > 0);
        Assert.Equal(new NodeId(3, 5), new NodeId(1, 4) ^ new NodeId(2, 1));
    }
}
