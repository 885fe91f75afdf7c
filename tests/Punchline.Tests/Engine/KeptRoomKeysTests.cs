using Punchline.Engine;
using Punchline.Protocols.Rooms;

namespace Punchline.Tests.Engine;

public sealed class KeptRoomKeysTests : IDisposable
{
    private static readonly byte[] Key = [.. Enumerable.Range(0, RoomKeys.KeyLength).Select(i => (byte)i)];

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("punchline-");

    private string FilePath => Path.Combine(_directory.FullName, KeptRoomKeys.FileName);

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void What_was_kept_is_found_by_name_and_secret_alone()
    {
        Keep("lounge", "s");

        Assert.Equal(Key, Find("lounge", "s"));
        Assert.Null(Find("lounge", "t"));
        Assert.Null(Find("lounge", ""));
        Assert.Null(Find("attic", "s"));
        Assert.Null(Find("loung", "es"));
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(FilePath));
        Assert.Single(_directory.GetFiles());
    }

    [Fact]
    public void One_name_in_two_compositions_is_one_room()
    {
        Keep("caf\u00e9", "s");
        Assert.Equal(Key, Find("cafe\u0301", "s"));
    }

    [Fact]
    public void Open_rooms_are_kept_too()
    {
        Keep("lounge", "");
        Assert.Equal(Key, Find("lounge", ""));
    }

    [Fact]
    public void The_file_says_16_bits_of_a_room_and_others_in_another_directory()
    {
        Keep("lounge", "s");
        var (salt, line) = (File.ReadAllLines(FilePath)[0], File.ReadAllLines(FilePath)[1]);
        Assert.Matches("^punchline-room-keys-1 [a-z2-7]{26}$", salt);
        // 12 bytes of nonce, 32 of key, 16 of tag.
        Assert.Matches("^[0-9a-f]{4} [a-z2-7]{96}$", line);

        File.Delete(FilePath);
        Keep("lounge", "s");
        Assert.NotEqual(salt, File.ReadAllLines(FilePath)[0]);
        Assert.NotEqual(line, File.ReadAllLines(FilePath)[1]);
    }

    [Fact]
    public void Another_rooms_line_under_the_same_mark_is_passed_over()
    {
        Keep("lounge", "s");
        var lines = File.ReadAllLines(FilePath);
        var foreign = lines[1][..5] + (lines[1][5] == 'a' ? 'b' : 'a') + lines[1][6..];
        File.WriteAllLines(FilePath, [lines[0], foreign]);
        Assert.Null(Find("lounge", "s"));
        File.WriteAllLines(FilePath, [lines[0], foreign, lines[1]]);
        Assert.Equal(Key, Find("lounge", "s"));
    }

    [Fact]
    public void The_oldest_go_first()
    {
        Keep("first", "s");
        Keep("second", "s");
        var lines = File.ReadAllLines(FilePath);
        var filler = Enumerable.Repeat($"0000 {new string('a', 96)}", KeptRoomKeys.MaxRooms - 2);
        File.WriteAllLines(FilePath, [.. lines, .. filler]);

        Keep("new", "s");

        Assert.Equal(1 + KeptRoomKeys.MaxRooms, File.ReadAllLines(FilePath).Length);
        Assert.Null(Find("first", "s"));
        Assert.Equal(Key, Find("second", "s"));
        Assert.Equal(Key, Find("new", "s"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("something else\n")]
    [InlineData("punchline-room-keys-1\n")]
    [InlineData("punchline-room-keys-1 aaaa\n")]
    [InlineData("punchline-room-keys-2 aaaaaaaaaaaaaaaaaaaaaaaaaa\n")]
    [InlineData("punchline-room-keys-1 aaaaaaaaaaaaaaaaaaaaaaaaaa\nnonsense\n12345 aaaa\nzzzz aaaa\n0000 aaaa\n")]
    public void What_is_not_understood_is_derived_again(string content)
    {
        File.WriteAllText(FilePath, content);
        Assert.Null(Find("lounge", "s"));
        Keep("lounge", "s");
        Assert.Equal(Key, Find("lounge", "s"));
    }

    [Fact]
    public void Where_nothing_can_be_kept_nothing_is_thrown()
    {
        var file = Path.Combine(_directory.FullName, "file");
        File.WriteAllText(file, "");
        var kept = new KeptRoomKeys(Path.Combine(file, "below"));
        kept.Keep("lounge", "s", Key);
        Assert.Null(kept.Find("lounge", "s"));
    }

    private void Keep(string name, string secret) => new KeptRoomKeys(_directory.FullName).Keep(name, secret, Key);

    private byte[]? Find(string name, string secret) => new KeptRoomKeys(_directory.FullName).Find(name, secret);
}
