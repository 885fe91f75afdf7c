using Punchline.Engine;

namespace Punchline.Tests.Engine;

public sealed class KnownServersTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("punchline-");

    private string FilePath => Path.Combine(_directory.FullName, KnownServers.FileName);

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void Remembers_across_processes_and_replaces_in_place()
    {
        var known = new KnownServers(_directory.FullName);
        Assert.Null(known.Find("a.example"));
        known.Remember(new KnownServer("a.example", "one", TrustOrigin.Pin));
        known.Remember(new KnownServer("a.example:8080", "two", TrustOrigin.CertificateStore));
        known.Remember(new KnownServer("a.example", "three", TrustOrigin.CertificateStore));

        var again = new KnownServers(_directory.FullName);
        Assert.Equal(new KnownServer("a.example", "three", TrustOrigin.CertificateStore), again.Find("a.example"));
        Assert.Equal(new KnownServer("a.example:8080", "two", TrustOrigin.CertificateStore), again.Find("a.example:8080"));
        Assert.Equal("a.example:8080 store two\na.example store three\n", File.ReadAllText(FilePath));
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(FilePath));
        Assert.Single(_directory.GetFiles());
    }

    [Fact]
    public void Lines_of_a_later_version_are_kept()
    {
        File.WriteAllText(FilePath, "# by hand\na.example dane three\n");
        var known = new KnownServers(_directory.FullName);
        Assert.Null(known.Find("a.example"));
        known.Remember(new KnownServer("a.example", "one", TrustOrigin.Pin));
        Assert.Equal("# by hand\na.example dane three\na.example pin one\n", File.ReadAllText(FilePath));
        Assert.Equal("one", known.Find("a.example")?.Pin);
    }

    [Fact]
    public void The_oldest_go_first()
    {
        File.WriteAllLines(FilePath, Enumerable.Range(0, KnownServers.MaxLines).Select(i => $"{i}.example pin one"));
        var known = new KnownServers(_directory.FullName);
        known.Remember(new KnownServer("new.example", "one", TrustOrigin.Pin));
        Assert.Equal(KnownServers.MaxLines, File.ReadAllLines(FilePath).Length);
        Assert.Null(known.Find("0.example"));
        Assert.NotNull(known.Find("1.example"));
    }
}
