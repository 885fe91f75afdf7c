using Punchline.Engine;
using Punchline.Protocols.Traversal;

namespace Punchline.Tests.Engine;

public sealed class KeptWaysTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("punchline-");

    [Fact]
    public void What_is_written_is_read_by_another_process_of_the_same_user_alone()
    {
        KnownWay[] known = [new(0xffffffffffffffff, WayKind.Search), new(1, WayKind.Tcp)];
        new KeptWays(_directory.FullName).Write(known);
        Assert.Equal(known, new KeptWays(_directory.FullName).Read());
        var path = Path.Combine(_directory.FullName, KeptWays.FileName);
        Assert.Equal("punchline-ways-1\nffffffffffffffff 2\n0000000000000001 3\n", File.ReadAllText(path));
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
    }

    [Fact]
    public void Without_a_file_nothing_is_known() => Assert.Empty(new KeptWays(Path.Combine(_directory.FullName, "none")).Read());

    [Theory]
    [InlineData("", 0)]
    [InlineData("punchline-ways-2\n01 1\n", 0)]
    [InlineData("punchline-ways-1\n01 1\n", 1)]
    [InlineData("punchline-ways-1\n01\nxyz 1\n01 0\n01 4\n01 256\n01 -1\n01 1 1\n02 2\n", 1)]
    public void Lines_that_are_not_understood_are_passed_over(string text, int expected)
    {
        File.WriteAllText(Path.Combine(_directory.FullName, KeptWays.FileName), text);
        Assert.Equal(expected, new KeptWays(_directory.FullName).Read().Count);
    }

    public void Dispose() => _directory.Delete(recursive: true);
}
