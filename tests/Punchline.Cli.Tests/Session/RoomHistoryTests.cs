using Punchline.Cli.Chat;
using Punchline.Cli.Session;
using Punchline.Server.Tests.Coordination;

namespace Punchline.Cli.Tests.Session;

public sealed class RoomHistoryTests : IDisposable
{
    private static readonly PeerId Bob = new([2, .. new byte[31]]);
    private static readonly DateTimeOffset Noon = new(2026, 11, 28, 12, 0, 0, 123, TimeSpan.Zero);

    private readonly TemporaryDirectory _directory = new();
    private readonly PeerIdentity _identity = PeerIdentity.Create();

    private string FilePath => Assert.Single(Directory.GetFiles(Path.Combine(_directory.Path, HistoryStore.DirectoryName)));

    public void Dispose()
    {
        _identity.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public void What_was_said_is_there_in_the_next_sessions()
    {
        using (var first = Open())
        {
            Assert.Empty(first.Earlier);
            Assert.True(first.TryAppend(Received("hello\nünder €", 7)));
            Assert.True(first.TryAppend(new LogEntry.Notice(2, Noon, "not this")));
        }
        using (var second = Open())
        {
            Assert.Equal([Received("hello\nünder €", 7)], second.Earlier);
            second.TryAppend(new LogEntry.Sent(1, Noon, "hi", 4, [Bob], [Bob]));
        }
        using var third = Open();
        Assert.Null(third.Problem);
        Assert.Equal([-1L, 0L], third.Earlier.Select(entry => entry.Number));
        var sent = Assert.IsType<LogEntry.Sent>(third.Earlier[1]);
        Assert.Equal(("hi", Noon), (sent.Text, sent.Time));
    }

    [Fact]
    public void A_file_says_nothing_without_the_identity_and_is_the_owners()
    {
        using (var history = Open()) history.TryAppend(Received("a secret of ours"));
        Assert.DoesNotContain("lounge", FilePath, StringComparison.Ordinal);
        Assert.True(File.ReadAllBytes(FilePath).AsSpan().IndexOf("secret"u8) < 0);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(FilePath));
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Path.GetDirectoryName(FilePath)!));
        }
        var path = FilePath;
        using var other = PeerIdentity.Create();
        using (var another = new HistoryStore(_directory.Path, other).Open("room lounge")) Assert.Empty(another.Earlier);
        Assert.Equal(2, Directory.GetFiles(Path.GetDirectoryName(path)!).Length);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(17)]
    [InlineData(60)]
    public void A_torn_end_is_cut_off_and_said_and_writing_goes_on(int missing)
    {
        using (var history = Open())
        {
            history.TryAppend(Received("one"));
            history.TryAppend(Received("two"));
        }
        using (var file = File.Open(FilePath, FileMode.Open)) file.SetLength(file.Length - missing);
        using (var history = Open())
        {
            Assert.Equal(["one"], history.Earlier.Select(entry => entry.Text));
            Assert.NotNull(history.Problem);
            history.TryAppend(Received("three"));
        }
        using var next = Open();
        Assert.Equal((null, "one three"), (next.Problem, string.Join(' ', next.Earlier.Select(entry => entry.Text))));
    }

    // Every bit counts: of each byte one is turned, and what is behind it is not believed.
    [Fact]
    public void Whatever_is_damaged_nothing_false_is_read()
    {
        using (var history = Open()) history.TryAppend(Received("one"));
        using (var history = Open()) history.TryAppend(Received("two"));
        var path = FilePath;
        var whole = File.ReadAllBytes(path);
        for (var at = 0; at < whole.Length; at++)
        {
            var damaged = whole.ToArray();
            damaged[at] ^= 1;
            File.WriteAllBytes(path, damaged);
            using var history = Open();
            Assert.NotNull(history.Problem);
            Assert.True(history.Earlier.Length < 2);
            Assert.All(history.Earlier, entry => Assert.Equal("one", entry.Text));
        }
    }

    [Fact]
    public void No_key_has_a_number_twice_even_where_an_old_copy_is_written_on()
    {
        using (var history = Open()) history.TryAppend(Received("one"));
        var copy = File.ReadAllBytes(FilePath);
        using (var history = Open()) history.TryAppend(Received("same"));
        var one = File.ReadAllBytes(FilePath);
        File.WriteAllBytes(FilePath, copy);
        using (var history = Open()) history.TryAppend(Received("same"));
        var other = File.ReadAllBytes(FilePath);
        // Under one key the same message would be the same bytes.
        Assert.Equal(one.Length, other.Length);
        Assert.False(one.AsSpan(^20..).SequenceEqual(other.AsSpan(^20..)));
    }

    [Fact]
    public void A_file_has_an_end_and_then_the_older_half_goes()
    {
        var longest = new string('x', 2 * HistoryRecord.MaxTextCharacters);
        var count = (RoomHistory.MaxBytes / HistoryRecord.MaxTextCharacters) + 3;
        using (var history = Open())
        {
            for (var number = 1; number <= count; number++) Assert.True(history.TryAppend(Received(longest, (ulong)number)));
        }
        Assert.InRange(new FileInfo(FilePath).Length, RoomHistory.MaxBytes / 4, RoomHistory.MaxBytes);
        using var next = Open();
        Assert.Null(next.Problem);
        Assert.InRange(next.Earlier.Length, count / 3, (count / 2) + 8);
        Assert.Equal((ulong)count, Assert.IsType<LogEntry.Received>(next.Earlier[^1]).Id);
        Assert.Equal((HistoryRecord.MaxTextCharacters + 1, '…'), (next.Earlier[^1].Text.Length, next.Earlier[^1].Text[^1]));
    }

    [Fact]
    public void Of_many_messages_the_last_are_shown_and_of_many_rooms_the_last_are_kept()
    {
        using (var history = Open())
        {
            for (var number = 0; number < RoomHistory.MaxEarlier + 5; number++) history.TryAppend(Received($"{number}"));
        }
        using (var history = Open())
        {
            Assert.Equal((RoomHistory.MaxEarlier, "5", 0L), (history.Earlier.Length, history.Earlier[0].Text, history.Earlier[^1].Number));
        }
        File.SetLastWriteTimeUtc(FilePath, DateTime.UnixEpoch);
        for (var room = 0; room < HistoryStore.MaxFiles; room++) new HistoryStore(_directory.Path, _identity).Open($"room {room}").Dispose();
        Assert.Equal(HistoryStore.MaxFiles, Directory.GetFiles(Path.Combine(_directory.Path, HistoryStore.DirectoryName)).Length);
        using var again = Open();
        Assert.Empty(again.Earlier);
    }

    [Fact]
    public void Whoever_holds_the_file_keeps_others_out_and_they_are_told()
    {
        using var first = Open();
        using var second = Open();
        Assert.NotNull(second.Problem);
        Assert.True(second.TryAppend(Received("lost")));
        Assert.Null(first.Problem);
    }

    [Fact]
    public void Nothing_is_kept_without_a_place_or_a_lasting_identity_or_where_it_is_not_wanted()
    {
        Assert.Null(HistoryStore.Create(null, _identity, isWanted: true));
        Assert.Null(HistoryStore.Create(_directory.Path, _identity, isWanted: false));
        using var kept = PeerIdentity.Open(_directory.Path);
        using var temporary = PeerIdentity.Open(_directory.Path);
        Assert.NotNull(HistoryStore.Create(_directory.Path, kept, isWanted: true));
        Assert.Null(HistoryStore.Create(_directory.Path, temporary, isWanted: true));
    }

    [Fact]
    public void A_session_has_what_was_said_before_apart_from_what_is_said_now()
    {
        using var output = new StringWriter();
        foreach (var text in (string[])["yesterday", "today"])
        {
            var session = new SessionModel(new ManualTime());
            var room = session.Open("lounge", default, "ann", new PlainOutput(output, output));
            var before = session.Snapshot().LastEvent;
            room.Keep(Open());
            room.Show(new RoomEvent.Message(Bob, "bob", 1, text));
            room.ShowSent(1, $"about {text}");
            var snapshot = Assert.Single(session.Snapshot().Rooms);
            Assert.Equal([text, $"about {text}"], snapshot.Log.Select(entry => entry.Text));
            Assert.Equal(text == "today" ? ["yesterday", "about yesterday"] : [], snapshot.Earlier.Select(entry => entry.Text));
            Assert.True(session.TryReadAfter(before, out var events));
            Assert.Equal(text == "today", events[0].Change is SessionChange.EarlierRead);
            room.ShowEnded();
        }
        Assert.DoesNotContain("about", output.ToString(), StringComparison.Ordinal);
    }

    private RoomHistory Open() => new HistoryStore(_directory.Path, _identity).Open("room lounge");

    private static LogEntry.Received Received(string text, ulong id = 1) => new(0, Noon, text, Bob, "bob", id);
}
