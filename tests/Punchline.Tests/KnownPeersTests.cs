using Punchline.Protocols.Rooms;

namespace Punchline.Tests;

public sealed class KnownPeersTests : IDisposable
{
    private const string Lounge = "aaaaaaaa";
    private const string Attic = "bbbbbbbb";

    private static readonly DateTimeOffset Monday = new(2026, 11, 16, 23, 30, 0, TimeSpan.FromHours(-1));
    private static readonly DateOnly Tuesday = new(2026, 11, 17);

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("punchline-");

    private string FilePath => Path.Combine(_directory.FullName, "known-peers");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void Who_was_met_is_known_to_the_next_process()
    {
        Assert.Null(Meet(Lounge, 1, "Bob Builder", Monday).Before);

        var again = Meet(Lounge, 1, "Bob Builder", Monday.AddDays(9));

        Assert.Equal(new KnownPeer(Peer(1), "Bob Builder", Tuesday, IsVerified: false), again.Before);
        Assert.Equal($"{Peer(1)} met 2026-11-17 {Lounge} Bob Builder\n", File.ReadAllText(FilePath));
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(FilePath));
        Assert.Single(_directory.GetFiles());
    }

    [Fact]
    public void Who_is_blocked_need_not_be_known_and_is_not_pushed_out()
    {
        Known().SetBlocked(Peer(9), true);
        Known().SetBlocked(Peer(9), true);
        Assert.Equal($"{Peer(9)} blocked\n", File.ReadAllText(FilePath));
        for (var count = 0; count < KnownPeers.MaxLines; count++) Meet(Lounge, 1, $"Bob {count}", Monday);
        Assert.Empty(Meet(Lounge, 9, "Eve", Monday).Namesakes);
        File.AppendAllText(FilePath, string.Concat(Enumerable.Repeat($"{Peer(2)} met 2026-11-17 {Attic} Stranger\n", KnownPeers.MaxLines)));
        Known().SetVerified(Peer(2), false);
        Assert.Equal([Peer(9)], Known().ListBlocked());
        // Forgetting whom one met is not taking somebody back.
        Known().Forget(Peer(9));
        Assert.Equal([Peer(9)], Known().ListBlocked());
        Known().SetBlocked(Peer(9), false);
        Assert.Empty(Known().ListBlocked());
    }

    [Fact]
    public void A_block_list_has_an_end()
    {
        File.WriteAllLines(FilePath, Enumerable.Range(0, KnownPeers.MaxBlocked).Select(number => $"{new PeerId([.. BitConverter.GetBytes(number), .. new byte[28]])} blocked"));
        Known().SetBlocked(new PeerId(new byte[32]), true);
        Assert.Throws<InvalidOperationException>(() => Known().SetBlocked(Peer(250), true));
    }

    [Fact]
    public void Who_was_met_before_is_not_written_again()
    {
        Meet(Lounge, 1, "Bob", Monday);
        File.SetLastWriteTimeUtc(FilePath, DateTime.UnixEpoch);
        Meet(Lounge, 1, "Bob", Monday.AddDays(1));
        Assert.Equal(DateTime.UnixEpoch, File.GetLastWriteTimeUtc(FilePath));
    }

    [Theory]
    [InlineData("Bob", "Bob")]
    [InlineData("Bob", "bOB")]
    [InlineData("Bob", " Bob\a")]
    [InlineData("Bob", "Ｂｏｂ")]
    [InlineData("Zoé", "Zoe\u0301")]
    public void Another_key_under_a_name_of_the_room_is_a_namesake(string first, string second)
    {
        Meet(Lounge, 1, first, Monday);
        var meeting = Meet(Lounge, 2, second, Monday);
        Assert.Null(meeting.Before);
        Assert.Equal(Peer(1), Assert.Single(meeting.Namesakes).Id);
    }

    [Fact]
    public void Names_of_other_rooms_and_other_names_are_no_namesakes()
    {
        Meet(Attic, 1, "Bob", Monday);
        Meet(Lounge, 3, "Bobby", Monday);
        Assert.Empty(Meet(Lounge, 2, "Bob", Monday).Namesakes);
    }

    [Fact]
    public void A_peer_that_changes_its_name_keeps_its_day_and_meets_the_names_owners()
    {
        Meet(Lounge, 1, "Bob", Monday);
        Meet(Lounge, 2, "Eve", Monday);

        var meeting = Meet(Lounge, 2, "Bob", Monday.AddDays(5));

        Assert.Equal("Eve", meeting.Before?.Name);
        Assert.Equal(Peer(1), Assert.Single(meeting.Namesakes).Id);
        Assert.Equal(new KnownPeer(Peer(2), "Bob", Tuesday, false), Meet(Lounge, 2, "Bob", Monday).Before);
        Assert.Equal(2, File.ReadAllLines(FilePath).Length);
    }

    [Fact]
    public void Verified_is_the_peer_not_the_room()
    {
        Meet(Lounge, 1, "Bob", Monday);
        var known = new KnownPeers(_directory.FullName);
        Assert.True(known.SetVerified(Peer(1), true));
        Assert.False(known.SetVerified(Peer(9), true));

        Assert.True(Meet(Attic, 1, "Bob", Monday).IsVerified);
        Assert.Equal($"{Peer(1)} verified 2026-11-17 {Attic} Bob", File.ReadAllLines(FilePath)[1]);
        Assert.True(known.SetVerified(Peer(1), false));
        Assert.False(Meet(Attic, 1, "Bob", Monday).IsVerified);
    }

    [Fact]
    public void The_oldest_go_first_and_the_verified_last()
    {
        Meet(Lounge, 0, "first", Monday);
        new KnownPeers(_directory.FullName).SetVerified(Peer(0), true);
        File.AppendAllLines(FilePath, Enumerable.Range(1, KnownPeers.MaxLines - 1).Select(i => $"{Peer(i)} met 2026-11-17 {Lounge} n{i}"));

        Meet(Lounge, 5000, "new", Monday);

        var known = new KnownPeers(_directory.FullName);
        Assert.Equal(KnownPeers.MaxLines, File.ReadAllLines(FilePath).Length);
        Assert.NotNull(known.Find(Peer(0)));
        Assert.Null(known.Find(Peer(1)));
        Assert.NotNull(known.Find(Peer(2)));
        Assert.NotNull(known.Find(Peer(5000)));
    }

    [Fact]
    public void A_file_of_verified_peers_alone_is_bounded_too()
    {
        File.WriteAllLines(FilePath, Enumerable.Range(0, KnownPeers.MaxLines).Select(i => $"{Peer(i)} verified 2026-11-17 {Attic} n{i}"));
        // With one more, who is not verified and so has no place.
        Meet(Lounge, 5000, "new", Monday);
        Assert.Equal(KnownPeers.MaxLines, File.ReadAllLines(FilePath).Length);
        Assert.NotNull(new KnownPeers(_directory.FullName).Find(Peer(0)));
    }

    [Fact]
    public void Lines_of_a_later_version_are_kept()
    {
        var foreign = $"# by hand\n{Peer(1)} blocked 2026-11-17 {Lounge} Bob\n{Peer(1)} met yesterday {Lounge} Bob\nshort met\n";
        File.WriteAllText(FilePath, foreign);
        Assert.Null(Meet(Lounge, 1, "Bob", Monday).Before);
        Assert.Equal($"{foreign}{Peer(1)} met 2026-11-17 {Lounge} Bob\n", File.ReadAllText(FilePath));
    }

    [Fact]
    public void Rooms_have_marks_of_their_keys()
    {
        var keys = new RoomKeys(new byte[32]);
        Assert.Equal(8, KnownPeers.MarkOf(keys).Length);
        Assert.Equal(KnownPeers.MarkOf(keys), KnownPeers.MarkOf(new RoomKeys(new byte[32])));
        Assert.NotEqual(KnownPeers.MarkOf(keys), KnownPeers.MarkOf(new RoomKeys([1, .. new byte[31]])));
    }

    private KnownPeers Known() => new(_directory.FullName);

    private PeerMeeting Meet(string room, int peer, string name, DateTimeOffset now) => new KnownPeers(_directory.FullName).Meet(room, Peer(peer), name, now);

    private static PeerId Peer(int number)
    {
        var bytes = new byte[PeerId.ByteLength];
        (bytes[0], bytes[1]) = ((byte)(number >> 8), (byte)number);
        return new PeerId(bytes);
    }
}
