using Punchline.Engine;
using Punchline.Protocols.Traversal;

namespace Punchline.Tests.Engine;

public sealed class KeptLifetimesTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("punchline-");

    [Fact]
    public void What_is_written_is_read_by_another_process()
    {
        KnownLifetime[] known = [new(0xffffffffffffffff, new MappingLifetime(TimeSpan.FromSeconds(29.5))), new(1, new MappingLifetime(TimeSpan.FromSeconds(118), TimeSpan.FromSeconds(450)))];
        new KeptLifetimes(_directory.FullName).Write(known);
        Assert.Equal(known, new KeptLifetimes(_directory.FullName).Read());
        Assert.Equal("punchline-networks-1\nffffffffffffffff 29.5 0\n0000000000000001 118 450\n", File.ReadAllText(Path.Combine(_directory.FullName, KeptLifetimes.FileName)));
    }

    [Fact]
    public void Without_a_file_nothing_is_known() => Assert.Empty(new KeptLifetimes(Path.Combine(_directory.FullName, "none")).Read());

    [Theory]
    [InlineData("", 0)]
    [InlineData("punchline-networks-2\n01 30 0\n", 0)]
    [InlineData("punchline-networks-1\n01 30 0\n", 1)]
    [InlineData("punchline-networks-1\n01 30\nxyz 30 0\n01 -30 0\n01 0 0\n01 NaN 0\n01 1e9 0\n01 999999999999 0\n01 30 later\n02 60 0\n", 1)]
    public void Lines_that_are_not_understood_are_passed_over(string text, int expected)
    {
        File.WriteAllText(Path.Combine(_directory.FullName, KeptLifetimes.FileName), text);
        Assert.Equal(expected, new KeptLifetimes(_directory.FullName).Read().Count);
    }

    public void Dispose() => _directory.Delete(recursive: true);
}
