using Punchline.Cli.Settings;

namespace Punchline.Cli.Tests.Settings;

public sealed class RoomSecretTests
{
    [Fact]
    public void Text_is_itself() => Assert.Equal(new RoomSecret("s3cret", false), RoomSecret.Parse("s3cret"));

    [Fact]
    public void Auto_is_made()
    {
        var secret = RoomSecret.Parse("auto");
        Assert.True(secret.IsInvented);
        Assert.Equal(23, secret.Text.Length);
        Assert.NotEqual(secret.Text, RoomSecret.Parse("auto").Text);
    }

    [Theory]
    [InlineData("from a file\n")]
    [InlineData("from a file\r\n")]
    [InlineData("from a file")]
    public void A_files_last_line_feed_is_not_part_of_it(string content)
    {
        using var directory = new TemporaryDirectory();
        var path = Path.Combine(directory.Path, "secret");
        File.WriteAllText(path, content);
        Assert.Equal("from a file", RoomSecret.Parse($"@{path}").Text);
    }

    [Fact]
    public void What_cannot_be_a_secret_is_wrong_usage()
    {
        Assert.Contains("cannot be empty", Assert.Throws<UsageException>(() => RoomSecret.Parse("")).Message, StringComparison.Ordinal);
        Assert.Contains("1024", Assert.Throws<UsageException>(() => RoomSecret.Parse(new string('x', 1025))).Message, StringComparison.Ordinal);
        Assert.Contains("/no/such/file", Assert.Throws<UsageException>(() => RoomSecret.Parse("@/no/such/file")).Message, StringComparison.Ordinal);
        Assert.Equal(1024, RoomSecret.Parse(new string('x', 1024)).Text.Length);
    }

    [Fact]
    public void A_file_that_is_too_long_is_wrong_usage()
    {
        using var directory = new TemporaryDirectory();
        var path = Path.Combine(directory.Path, "secret");
        File.WriteAllText(path, new string('x', 100_000));
        Assert.Throws<UsageException>(() => RoomSecret.Parse($"@{path}"));
    }
}
