using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Tests.Traversal;

public sealed class HearsayBudgetTests
{
    private static readonly Timestamp Start = Timestamp.FromMilliseconds(0);

    private readonly HearsayBudget _budget = new();

    [Fact]
    public void A_member_names_so_many_addresses_an_hour_and_what_is_named_may_be_probed_for_that_hour()
    {
        Assert.Equal(HearsayBudget.MaxAddressesOfOne, Enumerable.Range(0, 1_000).Count(i => _budget.TryName(Member(1), Address(i), Start)));
        Assert.True(_budget.TryName(Member(1), Address(0).WithPort(9), Start));
        Assert.False(_budget.TryName(Member(1), Address(999), Start + HearsayBudget.Period - TimeSpan.FromSeconds(1)));
        Assert.True(_budget.TryName(Member(1), Address(999), Start + HearsayBudget.Period));
    }

    [Fact]
    public void All_members_together_name_no_more_than_four_do_and_private_addresses_and_those_of_one_64_count_little()
    {
        var named = Enumerable.Range(0, 20).Sum(member => Enumerable.Range(0, 100).Count(i => _budget.TryName(Member(member), Address((member * 100) + i), Start)));
        Assert.Equal(HearsayBudget.MaxAddresses, named);
        Assert.All(Enumerable.Range(1, 200), i => Assert.True(_budget.TryName(Member(1), Endpoint.Parse($"192.168.1.{i}:5000"), Start)));

        var other = new HearsayBudget();
        Assert.All(Enumerable.Range(1, 300), i => Assert.True(other.TryName(Member(1), Endpoint.Parse($"[2001:db8:0:1::{i:x}]:5000"), Start)));
        Assert.Equal(HearsayBudget.MaxAddressesOfOne - 1, Enumerable.Range(0, 300).Count(i => other.TryName(Member(1), Address(i), Start)));
    }

    [Fact]
    public void Searches_are_few_for_one_address_for_one_member_and_in_all()
    {
        Assert.Equal(HearsayBudget.MaxSearchesOfAddress, Enumerable.Range(0, 10).Count(i => _budget.TrySearch(Member(i), Address(0).WithPort((ushort)(5_000 + i)), Start)));
        Assert.Equal(HearsayBudget.MaxSearchesOfOne - 1, Enumerable.Range(1, 100).Count(i => _budget.TrySearch(Member(0), Address(i), Start)));
        Assert.Equal(HearsayBudget.MaxSearches - HearsayBudget.MaxSearchesOfOne - 3, Enumerable.Range(101, 100).Count(i => _budget.TrySearch(Member(i), Address(i), Start)));
        Assert.True(_budget.TrySearch(Member(0), Address(0), Start + HearsayBudget.Period));
    }

    private static Endpoint Address(int number) => Endpoint.Parse($"203.0.{number / 200}.{(number % 200) + 1}:7000");

    private static PeerId Member(int number)
    {
        var bytes = new byte[PeerId.ByteLength];
        bytes[0] = (byte)number;
        return new PeerId(bytes);
    }
}
