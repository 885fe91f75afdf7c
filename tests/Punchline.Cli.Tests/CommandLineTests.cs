namespace Punchline.Cli.Tests;

public sealed class CommandLineTests
{
    [Theory]
    [InlineData(2)]
    [InlineData(2, "joni")]
    [InlineData(2, "join")]
    [InlineData(2, "join", "a", "b", "--server", "h")]
    [InlineData(2, "join", "a", "--server", "h", "--nope")]
    [InlineData(2, "join", "a", "--server", "h:0")]
    [InlineData(2, "join", "a", "--server", "h", "--secret", "@/no/such/file")]
    [InlineData(2, "serve", "80000")]
    [InlineData(2, "serve", "--listen", "everywhere")]
    [InlineData(2, "serve", "--certificate", "a.pem")]
    [InlineData(2, "serve", "--alternate", "127.0.0.2")]
    [InlineData(2, "serve", "--listen", "127.0.0.1", "--alternate", "127.0.0.1")]
    [InlineData(2, "serve", "--listen", "127.0.0.1", "--alternate", "::1")]
    [InlineData(2, "serve", "--listen", "127.0.0.1", "--alternate", "127.0.0.2", "--public", "203.0.113.1")]
    [InlineData(2, "serve", "--trusted-proxy", "127.0.0.1")]
    [InlineData(2, "serve", "--plain", "--certificate", "a.pem", "--key", "a.pem")]
    [InlineData(2, "id", "--state", "-")]
    [InlineData(2, "id", "--state")]
    [InlineData(1, "id", "--state", "/dev/null/no-directory")]
    [InlineData(1, "join", "a", "--server", "127.0.0.1:9", "--state", "-")]
    [InlineData(0, "--help")]
    [InlineData(0, "join", "--help")]
    [InlineData(0, "--version")]
    public async Task Exit_codes(int exitCode, params string[] args)
    {
        Assert.SkipWhen(Environment.GetEnvironmentVariables().Keys.Cast<string>().Any(name => name.StartsWith("PUNCHLINE_SE", StringComparison.Ordinal)), "The environment names a server.");
        Assert.Equal(exitCode, await CommandLine.RunAsync(args));
    }
}
