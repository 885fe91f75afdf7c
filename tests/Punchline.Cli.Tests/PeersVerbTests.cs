using Punchline.Cli.Chat;

namespace Punchline.Cli.Tests;

public sealed class PeersVerbTests : IDisposable
{
    private static readonly PeerId Bob = PeerId.Parse("abcdefgh2a" + new string('a', 42));

    private readonly TemporaryDirectory _directory = new();

    public PeersVerbTests() => File.WriteAllText(
        Path.Combine(_directory.Path, "known-peers"), $"{Bob} met 2026-11-16 aaaaaaaa Bob\n{Bob} alias bobby\n");

    private KnownPeers Known => new(_directory.Path);

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(0, "--json")]
    [InlineData(0, "alias", "bobby", "Aunt May")]
    [InlineData(0, "alias", "abcdefgh", "Aunt May")]
    [InlineData(0, "verify", "bobby")]
    [InlineData(0, "forget", "abcdefgh2aaa")]
    [InlineData(0, "alias", "--help")]
    [InlineData(1, "verify", "zzzzzzzz2aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    [InlineData(2, "verify", "zzzzzzzz2aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    [InlineData(2, "verify", "Bob")]
    [InlineData(2, "verify", "abcdefg")]
    [InlineData(2, "verify")]
    [InlineData(2, "verify", "bobby", "more")]
    [InlineData(2, "alias", "bobby", "abcdefgh")]
    [InlineData(2, "aliass", "bobby", "x")]
    [InlineData(2, "--state", "-")]
    public async Task Exit_codes(int exitCode, params string[] args) => Assert.Equal(exitCode, await RunAsync(args));

    [Fact]
    public async Task What_was_noted_is_known()
    {
        await RunAsync("alias", "bobby", "Aunt May");
        await RunAsync("verify", "aunt may");
        Assert.Equal(new KnownPeer(Bob, "Bob", new DateOnly(2026, 11, 16), true, "Aunt May"), Assert.Single(Known.List()));

        await RunAsync("alias", "aunt may");
        Assert.Null(Known.Find(Bob)!.Alias);

        await RunAsync("forget", Bob.ToString());
        Assert.Empty(Known.List());
    }

    [Fact]
    public async Task Who_is_blocked_is_so_until_that_is_taken_back()
    {
        await RunAsync("block", "bobby");
        Assert.Equal([Bob], Known.ListBlocked());
        await RunAsync("unblock", "bobby");
        Assert.Empty(Known.ListBlocked());

        using var text = new StringWriter { NewLine = "\n" };
        new JsonPeersOutput(text).ShowBlocked(Bob, isBlocked: true);
        new PlainPeersOutput(text).ShowBlocked(Bob, isBlocked: true);
        Assert.Equal($$"""{"event":"blocked","peer":"{{Bob}}"}""" + $"\n{Bob}  blocked\n", text.ToString());
    }

    [Theory]
    [InlineData(false, null, false, "abcdefgh2aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa  calls itself Bob, met 2026-11-16\n")]
    [InlineData(false, "bobby", true, "abcdefgh2aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa  bobby (calls itself Bob), met 2026-11-16, verified\n")]
    [InlineData(true, null, true, """{"event":"known","peer":"abcdefgh2aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","name":"Bob","since":"2026-11-16","verified":true}""" + "\n")]
    [InlineData(true, "bobby", false, """{"event":"known","peer":"abcdefgh2aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","alias":"bobby","name":"Bob","since":"2026-11-16","verified":false}""" + "\n")]
    public void A_peer_is_a_line(bool isJson, string? alias, bool isVerified, string line)
    {
        using var text = new StringWriter { NewLine = "\n" };
        IPeersOutput output = isJson ? new JsonPeersOutput(text) : new PlainPeersOutput(text);
        output.Show(new KnownPeer(Bob, isJson ? "Bob" : "Bob\a", new DateOnly(2026, 11, 16), isVerified, alias));
        Assert.Equal(line, text.ToString());
    }

    private Task<int> RunAsync(params string[] args) =>
        CommandLine.RunAsync(args.Contains("--state") ? ["peers", .. args] : ["peers", .. args, "--state", _directory.Path]);
}
