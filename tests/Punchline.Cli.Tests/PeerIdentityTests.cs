using System.Diagnostics;

namespace Punchline.Cli.Tests;

public sealed class PeerIdentityTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    private string State => Path.Combine(_directory.Path, "state");

    private string FilePath => Path.Combine(State, "identity");

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Two_created_identities_are_two_peers()
    {
        using var one = PeerIdentity.Create();
        using var other = PeerIdentity.Create();
        Assert.NotEqual(one.Id, other.Id);
        Assert.False(one.IsTemporary);
    }

    [Fact]
    public void A_directory_keeps_its_identity()
    {
        var first = OpenAndClose();
        Assert.Equal(first, OpenAndClose());
        Assert.Equal(first, PeerIdentity.ReadId(State));
        Assert.Equal(["identity", "identity.lock"], Directory.GetFiles(State).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Only_its_owner_reads_it()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows has no such modes.");
            return;
        }
        OpenAndClose();
        const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        Assert.Equal(Owner, File.GetUnixFileMode(FilePath));
        Assert.Equal(Owner | UnixFileMode.UserExecute, File.GetUnixFileMode(State));
    }

    [Fact]
    public void While_it_is_held_others_are_temporary_and_the_id_can_be_asked_for()
    {
        PeerId temporaryId;
        using (var holder = PeerIdentity.Open(State))
        {
            using var second = PeerIdentity.Open(State);
            using var third = PeerIdentity.Open(State);
            Assert.False(holder.IsTemporary);
            Assert.True(second.IsTemporary);
            Assert.True(third.IsTemporary);
            Assert.Equal(3, new HashSet<PeerId> { holder.Id, second.Id, third.Id }.Count);
            Assert.Equal(holder.Id, PeerIdentity.ReadId(State));
            temporaryId = second.Id;
        }
        using var next = PeerIdentity.Open(State);
        Assert.False(next.IsTemporary);
        Assert.NotEqual(temporaryId, next.Id);
    }

    [Theory]
    [InlineData(true, "")]
    [InlineData(false, "punchline-identity-2\nsomething newer\n")]
    [InlineData(true, "punchline-identity-1\n")]
    [InlineData(true, "punchline-identity-1\nAAAA\nBBBB\n")]
    [InlineData(true, "punchline-identity-1\naaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\naaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n")]
    public void What_is_damaged_is_told_and_left_alone(bool isOurs, string content)
    {
        Directory.CreateDirectory(State);
        File.WriteAllText(FilePath, content);

        var message = Assert.Throws<InvalidDataException>(() => PeerIdentity.Open(State)).Message;

        Assert.Contains(FilePath, message, StringComparison.Ordinal);
        Assert.Contains(isOurs ? "damaged" : "not an identity that this version reads", message, StringComparison.Ordinal);
        Assert.Equal(content, File.ReadAllText(FilePath));
        // And the lock is free again.
        Assert.Throws<InvalidDataException>(() => PeerIdentity.Open(State));
    }

    [Fact]
    public void One_wrong_character_of_the_key_is_noticed()
    {
        OpenAndClose();
        var lines = File.ReadAllLines(FilePath);
        lines[1] = (lines[1][0] == 'b' ? 'c' : 'b') + lines[1][1..];
        File.WriteAllLines(FilePath, lines);
        Assert.Throws<InvalidDataException>(() => PeerIdentity.Open(State));
    }

    [Fact]
    public async Task Another_process_is_another_peer()
    {
        using var holder = PeerIdentity.Open(State);
        Assert.Equal($"{holder.Id}\n", await RunToolAsync("id", "--state", State));
    }

    private PeerId OpenAndClose()
    {
        using var identity = PeerIdentity.Open(State);
        return identity.Id;
    }

    private static async Task<string> RunToolAsync(params string[] args)
    {
        var tool = Path.Combine(AppContext.BaseDirectory, "Punchline.Cli.dll");
        using var process = Process.Start(new ProcessStartInfo("dotnet", [tool, .. args]) { RedirectStandardOutput = true, UseShellExecute = false })!;
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, process.ExitCode);
        return output;
    }
}
