using Punchline.Protocols.Transport.Paths;

namespace Punchline.Protocols.Tests.Transport.Paths;

public sealed class PathRankTests
{
    // near, named, milliseconds; the path in use likewise
    [Theory]
    [InlineData(true, true, 3, false, true, 8, true)] // the neighbourhood comes first
    [InlineData(true, true, 28, false, true, 8, true)] // and may cost 20 ms
    [InlineData(true, true, 29, false, true, 8, false)]
    [InlineData(false, true, 8, true, true, 32, false)]
    [InlineData(false, true, 8, true, true, 36, true)] // which is slower than that and a fifth
    [InlineData(false, true, 79, false, true, 100, true)] // a fifth less
    [InlineData(false, true, 80, false, true, 100, false)]
    [InlineData(false, true, 5, false, true, 10, false)] // and 5 ms at least
    [InlineData(false, true, 4.9, false, true, 10, true)]
    [InlineData(false, true, 40, false, false, 40, true)] // at equal round trips what was named comes first
    [InlineData(false, true, 51, false, false, 40, false)]
    [InlineData(false, false, 40, false, true, 40, false)]
    [InlineData(false, false, 31, false, true, 40, true)]
    public void One_path_is_better_than_another(bool isNear, bool isNamed, double milliseconds, bool presentIsNear, bool presentIsNamed, double presentMilliseconds, bool isBetter)
    {
        var rank = new PathRank(IsUdp: true, isNear, isNamed, TimeSpan.FromMilliseconds(milliseconds));
        Assert.Equal(isBetter, rank.IsBetterThan(new PathRank(IsUdp: true, presentIsNear, presentIsNamed, TimeSpan.FromMilliseconds(presentMilliseconds))));
    }

    [Fact]
    public void UDP_is_better_than_TCP_whatever_the_round_trips()
    {
        var udp = new PathRank(IsUdp: true, IsNear: false, IsIntroduced: false, TimeSpan.FromMilliseconds(400));
        var tcp = new PathRank(IsUdp: false, IsNear: true, IsIntroduced: true, TimeSpan.FromMilliseconds(1));
        Assert.True(udp.IsBetterThan(tcp));
        Assert.False(tcp.IsBetterThan(udp));
    }

    [Fact]
    public void Of_two_paths_at_most_one_is_better()
    {
        bool[] either = [false, true];
        var ranks = (from isNear in either from isNamed in either from isUdp in either from milliseconds in Enumerable.Range(0, 60) select new PathRank(isUdp, isNear, isNamed, TimeSpan.FromMilliseconds(milliseconds))).ToList();
        foreach (var one in ranks)
        {
            foreach (var other in ranks) Assert.False(one.IsBetterThan(other) && other.IsBetterThan(one), $"{one} and {other}");
        }
    }
}
