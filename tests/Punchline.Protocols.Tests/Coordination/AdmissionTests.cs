using Punchline.Protocols.Coordination;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Tests.Coordination;

public sealed class AdmissionTests
{
    private static readonly AdmissionLimits Few = new()
    {
        MaxHalfOpen = 3,
        MaxHalfOpenPerAddress = 2,
        MaxConnections = 3,
        MaxConnectionsPerAddress = 2,
        JoinsPerSecondPerAddress = 2,
        JoinBurst = 4,
        MaxAddresses = 3,
    };

    private static readonly Timestamp Start = Timestamp.FromMilliseconds(1_000);
    private static readonly Endpoint Alice = Endpoint.Parse("198.51.100.1:50000");
    private static readonly Endpoint Bob = Endpoint.Parse("198.51.100.2:50000");
    private readonly Admission _admission = new(Few);

    [Fact]
    public void Half_open_connections_are_limited_in_all_and_by_address()
    {
        Assert.True(_admission.TryOpen(Alice, Start));
        Assert.True(_admission.TryOpen(Alice.WithPort(1), Start));
        Assert.False(_admission.TryOpen(Alice, Start));
        Assert.True(_admission.TryOpen(Bob, Start));
        Assert.False(_admission.TryOpen(Bob, Start));
        Assert.Equal(3, _admission.HalfOpen);
        _admission.EndHalfOpen(Alice);
        Assert.True(_admission.TryOpen(Bob, Start));
    }

    [Fact]
    public void Connections_are_limited_in_all_and_by_address()
    {
        Assert.Null(_admission.Connect(Alice, Start));
        Assert.Null(_admission.Connect(Alice, Start));
        Assert.Equal(AdmissionRefusal.TooManyFromAddress, _admission.Connect(Alice, Start));
        Assert.Null(_admission.Connect(Bob, Start));
        Assert.Equal(AdmissionRefusal.ServerFull, _admission.Connect(Bob, Start));
        Assert.Equal(3, _admission.Connections);
        _admission.Disconnect(Alice);
        Assert.Null(_admission.Connect(Bob, Start));
    }

    [Fact]
    public void A_trusted_proxys_half_open_connections_count_in_the_total_only()
    {
        for (var i = 0; i < 3; i++) Assert.True(_admission.TryOpen(null, Start));
        Assert.False(_admission.TryOpen(null, Start));
        Assert.Equal(0, _admission.Addresses);
        _admission.EndHalfOpen(null);
        Assert.Equal(2, _admission.HalfOpen);
    }

    [Theory]
    [InlineData("[2001:db8:0:1::1]:1", "[2001:db8:0:1:ffff::2]:2", true)]
    [InlineData("[2001:db8:0:1::1]:1", "[2001:db8:0:2::1]:1", false)]
    [InlineData("198.51.100.1:1", "198.51.100.2:1", false)]
    [InlineData("198.51.100.1:1", "[::ffff:198.51.100.1]:1", true)]
    public void An_address_of_IPv6_is_its_64_bit_prefix(string one, string other, bool isSame)
    {
        Assert.Null(_admission.Connect(Endpoint.Parse(one), Start));
        Assert.Null(_admission.Connect(Endpoint.Parse(one), Start));
        Assert.Equal(isSame ? AdmissionRefusal.TooManyFromAddress : null, _admission.Connect(Endpoint.Parse(other), Start));
    }

    [Fact]
    public void Joins_come_in_a_burst_and_then_by_the_second()
    {
        for (var i = 0; i < 4; i++) Assert.True(_admission.TryJoin(Alice, Start));
        Assert.False(_admission.TryJoin(Alice, Start));
        Assert.True(_admission.TryJoin(Bob, Start));

        var half = TimeSpan.FromMilliseconds(500);
        Assert.False(_admission.TryJoin(Alice, Start + half - TimeSpan.FromTicks(1)));
        Assert.True(_admission.TryJoin(Alice, Start + half));
        Assert.False(_admission.TryJoin(Alice, Start + half));

        // The burst has grown back after four halves of a second, and no further.
        for (var i = 0; i < 4; i++) Assert.True(_admission.TryJoin(Alice, Start + (100 * half)));
        Assert.False(_admission.TryJoin(Alice, Start + (100 * half)));
    }

    [Fact]
    public void Addresses_are_remembered_while_they_matter_and_no_more_of_them_than_the_limit()
    {
        Assert.Null(_admission.Connect(Alice, Start));
        Assert.True(_admission.TryJoin(Bob, Start));
        Assert.True(_admission.TryOpen(Endpoint.Parse("198.51.100.3:1"), Start));
        var late = Endpoint.Parse("198.51.100.4:1");
        Assert.Equal(AdmissionRefusal.ServerFull, _admission.Connect(late, Start));
        Assert.False(_admission.TryOpen(late, Start));
        Assert.False(_admission.TryJoin(late, Start));
        Assert.Equal(3, _admission.Addresses);

        // Bob's join is paid off; Alice and the third still have connections.
        Assert.Null(_admission.Connect(late, Start + TimeSpan.FromSeconds(2)));
        Assert.Equal(3, _admission.Addresses);
        Assert.False(_admission.TryJoin(Bob, Start + TimeSpan.FromSeconds(2)));
    }
}
