using Punchline.Engine;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Tests.Engine;

public sealed class NetworkLookTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly HostAddress[] Home = [new(Endpoint.Parse("192.168.1.10:4000"), 24)];
    private static readonly HostAddress[] Cafe = [new(Endpoint.Parse("10.0.0.7:4000"), 24)];

    [Fact]
    public void Other_addresses_are_news_once()
    {
        var look = new NetworkLook(Home, Noon, TimeSpan.Zero);
        Assert.Equal(NetworkNews.None, look.Compare([.. Home], Noon + TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(5)));
        Assert.Equal(NetworkNews.Moved, look.Compare(Cafe, Noon + TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(10)));
        Assert.Equal(NetworkNews.None, look.Compare(Cafe, Noon + TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(15)));
        Assert.Equal(NetworkNews.Moved, look.Compare([], Noon + TimeSpan.FromSeconds(20), TimeSpan.FromSeconds(20)));
    }

    [Theory]
    [InlineData(15, 5, nameof(NetworkNews.Woke))] // the monotonic clock stood still for 10 s
    [InlineData(14.9, 5, nameof(NetworkNews.None))]
    [InlineData(15, 15, nameof(NetworkNews.Woke))] // it went on, and nothing ran
    [InlineData(14.9, 14.9, nameof(NetworkNews.None))]
    [InlineData(-3_600, 5, nameof(NetworkNews.None))] // the clock was put back
    public void Sleep_shows_by_the_clocks(double wallSeconds, double monotonicSeconds, string news)
    {
        var look = new NetworkLook(Home, Noon, TimeSpan.Zero);
        Assert.Equal(news, look.Compare(Home, Noon + TimeSpan.FromSeconds(wallSeconds), TimeSpan.FromSeconds(monotonicSeconds)).ToString());
        Assert.Equal(NetworkNews.None, look.Compare(Home, Noon + TimeSpan.FromSeconds(wallSeconds + 5), TimeSpan.FromSeconds(monotonicSeconds + 5)));
    }
}
