namespace Punchline.Tests;

public sealed class KnownPeersNamingTests : IDisposable
{
    private static readonly DateTimeOffset Monday = new(2026, 11, 16, 12, 0, 0, TimeSpan.Zero);
    private static readonly PeerId Bob = PeerId.Parse("abcdefgh2a" + new string('a', 42));
    private static readonly PeerId Eve = PeerId.Parse("abcdefgh3a" + new string('a', 42));
    private static readonly PeerId Stranger = PeerId.Parse("zzzzzzzz2a" + new string('a', 42));

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("punchline-");
    private readonly KnownPeers _known;

    public KnownPeersNamingTests()
    {
        _known = new KnownPeers(_directory.FullName);
        _known.Meet("aaaaaaaa", Bob, "Bob", Monday);
        _known.Meet("aaaaaaaa", Eve, "Eve", Monday.AddDays(1));
        _known.Meet("bbbbbbbb", Bob, "Robert", Monday.AddDays(2));
    }

    private string FilePath => Path.Combine(_directory.FullName, "known-peers");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void Listed_once_with_the_first_day_and_the_latest_name()
    {
        _known.SetVerified(Eve, true);
        _known.SetAlias(Bob, "bobby");
        Assert.Equal(
            [new KnownPeer(Eve, "Eve", new DateOnly(2026, 11, 17), true), new KnownPeer(Bob, "Robert", new DateOnly(2026, 11, 16), false, "bobby")],
            _known.List());
        Assert.Equal("bobby", _known.Find(Bob)?.Alias);
        Assert.Null(_known.Find(Stranger));
    }

    [Theory]
    [InlineData("abcdefgh2")]
    [InlineData("ABCDEFGH2A")]
    [InlineData("Aunt May")]
    [InlineData("aunt may")]
    public void Found_by_alias_or_beginning_of_the_id(string text)
    {
        Assert.True(_known.SetAlias(Bob, "Aunt May"));
        Assert.Equal(Bob, _known.Resolve(text));
    }

    [Fact]
    public void A_whole_id_need_not_be_known()
    {
        Assert.Equal(Stranger, _known.Resolve(Stranger.ToString()));
        Assert.Equal(Bob, _known.Resolve(Bob.ToString().ToUpperInvariant()));
    }

    [Theory]
    [InlineData("Robert", "There is no known peer Robert: give an id, an alias, or at least the first 8 characters of the id of a peer that was met. A name that a peer gives itself does not count, for anybody can take it.")]
    [InlineData("nobody", "There is no known peer nobody: give an id, an alias, or at least the first 8 characters of the id of a peer that was met.")]
    [InlineData("", "There is no known peer : give an id, an alias, or at least the first 8 characters of the id of a peer that was met.")]
    [InlineData("abcdefg", "abcdefg is too short for the beginning of an id: at least 8 characters.")]
    [InlineData("abcdefgh", "2 known peers have ids that begin with abcdefgh: abcdefgh3aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, abcdefgh2aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa. Give more of the id.")]
    public void Nobody_or_several_is_told(string text, string message)
    {
        var exception = Assert.Throws<PunchlineException>(() => _known.Resolve(text));
        Assert.Equal(PunchlineError.InvalidInput, exception.Error);
        Assert.Equal(message, exception.Message);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" bob")]
    [InlineData("bob\t")]
    [InlineData("b\u202eob")]
    [InlineData("-bob")]
    [InlineData("EVE-1")]
    [InlineData("ｅｖｅ-1")]
    [InlineData("abcdefgh")]
    [InlineData("abcdefgh3aa")]
    [InlineData("ntdwbl76")]
    [InlineData("12345678901234567890123456789012345678901234567890123456789012345")]
    public void Aliases_that_are_refused(string alias)
    {
        Assert.True(_known.SetAlias(Eve, "eve-1"));
        Assert.Equal(PunchlineError.InvalidInput, Assert.Throws<PunchlineException>(() => _known.SetAlias(Bob, alias)).Error);
        Assert.Null(_known.Find(Bob)!.Alias);
    }

    [Fact]
    public void An_alias_is_kept_changed_and_taken_away()
    {
        Assert.True(_known.SetAlias(Bob, "christina"));
        Assert.True(_known.SetAlias(Bob, "Christina"));
        _known.Meet("aaaaaaaa", Bob, "Bert", Monday.AddDays(3));
        Assert.Equal($"{Bob} alias Christina", File.ReadAllLines(FilePath).Single(line => line.Contains(" alias ", StringComparison.Ordinal)));
        Assert.Equal("Christina", new KnownPeers(_directory.FullName).Find(Bob)?.Alias);

        Assert.True(_known.SetAlias(Bob, null));
        Assert.Null(_known.Find(Bob)?.Alias);
        Assert.False(_known.SetAlias(Stranger, "x"));
    }

    [Fact]
    public void Forgotten_is_as_never_met()
    {
        _known.SetVerified(Bob, true);
        _known.SetAlias(Bob, "bobby");
        Assert.True(_known.Forget(Bob));
        Assert.False(_known.Forget(Bob));
        Assert.Equal(Eve, Assert.Single(_known.List()).Id);
        Assert.Single(File.ReadAllLines(FilePath));
        Assert.Null(_known.Meet("aaaaaaaa", Bob, "Bob", Monday).Before);
    }

    [Fact]
    public void Who_has_an_alias_is_not_pushed_out_by_strangers()
    {
        _known.SetAlias(Eve, "eve-1");
        File.AppendAllLines(FilePath, Enumerable.Range(0, KnownPeers.MaxLines).Select(i => $"{Numbered(i)} met 2026-11-17 aaaaaaaa n{i}"));

        _known.Meet("aaaaaaaa", Stranger, "new", Monday);

        Assert.Equal(KnownPeers.MaxLines, File.ReadAllLines(FilePath).Length);
        Assert.Equal(Eve, _known.Resolve("eve-1"));
        Assert.Null(_known.Find(Bob));
        Assert.NotNull(_known.Find(Stranger));
    }

    private static PeerId Numbered(int number)
    {
        var bytes = new byte[PeerId.ByteLength];
        (bytes[0], bytes[1], bytes[2]) = (0xff, (byte)(number >> 8), (byte)number);
        return new PeerId(bytes);
    }
}
