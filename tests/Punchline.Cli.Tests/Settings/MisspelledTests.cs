using Punchline.Cli.Settings;

namespace Punchline.Cli.Tests.Settings;

public sealed class MisspelledTests
{
    [Theory]
    [InlineData("There is no option --sevrer for join. Did you mean --server?", "join", "lounge", "--sevrer", "h")]
    [InlineData("There is no option --sevrer for join. Did you mean --server?", "join", "--sevrer", "h")]
    [InlineData("There is no option --secrets for join. Did you mean --secret?", "join", "lounge", "--secrets=x")]
    [InlineData("There is no option --nope for join.", "join", "lounge", "--nope")]
    [InlineData("There is no option --listne for serve. Did you mean --listen?", "serve", "--listne", "::")]
    [InlineData("There is no option --until-input-end for serve.", "serve", "--until-input-end")]
    [InlineData("There is no option --verison. Did you mean --version?", "--verison")]
    [InlineData("There is no joni. Did you mean join? `punchline --help` shows what there is.", "joni", "lounge")]
    [InlineData("There is no frobnicate. `punchline --help` shows what there is.", "frobnicate")]
    [InlineData(null, "join", "lounge", "--server", "h")]
    [InlineData(null, "join", "--server", "h", "--name", "--x")]
    [InlineData(null, "join", "a", "b")]
    [InlineData(null)]
    public void What_is_not_there_and_what_may_be_meant(string? sentence, params string[] args) => Assert.Equal(sentence, Misspelled.Find(CommandLine.Parse(args)));

    [Theory]
    [InlineData(0, "join", "join")]
    [InlineData(1, "join", "joni")]
    [InlineData(1, "join", "jon")]
    [InlineData(1, "join", "joins")]
    [InlineData(2, "join", "doin!")]
    [InlineData(4, "", "join")]
    public void Distance(int distance, string one, string other)
    {
        Assert.Equal(distance, NearestName.DistanceOf(one, other));
        Assert.Equal(distance, NearestName.DistanceOf(other, one));
    }
}
