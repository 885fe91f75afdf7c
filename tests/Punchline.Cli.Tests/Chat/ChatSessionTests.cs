using System.Threading.Channels;
using Punchline.Cli.Chat;
using Punchline.Cli.Session;
using Punchline.Server.Tests.Coordination;

namespace Punchline.Cli.Tests.Chat;

public sealed class ChatSessionTests : IDisposable
{
    private readonly FakeRoom _room = new();
    private readonly Channel<InputLine> _lines = Channel.CreateUnbounded<InputLine>();
    private readonly StringWriter _output = new() { NewLine = "\n" };
    private readonly StringWriter _error = new() { NewLine = "\n" };
    private readonly CancellationTokenSource _interruption = new();
    private readonly ManualTime _time = new();

    public void Dispose()
    {
        _interruption.Dispose();
        _output.Dispose();
        _error.Dispose();
    }

    [Fact]
    public async Task The_end_of_input_waits_for_delivery_and_leaves()
    {
        Type("one", "two");
        _lines.Writer.Complete();
        var session = Run(stays: false);
        await _room.DeliveryIsAwaited.Task;
        Assert.Equal(0, _room.TimesLeft);

        _room.Happen(new RoomEvent.Message(default, "Bob", 1, "late"));
        _room.Delivery.SetResult();

        Assert.Equal(ExitCode.Done, await session);
        Assert.Equal(["one", "two"], _room.Sent);
        Assert.Equal(1, _room.TimesLeft);
        Assert.Equal("Bob: late\n", _output.ToString());
    }

    [Fact]
    public async Task The_wait_for_delivery_is_bounded_and_its_failure_said()
    {
        Type("one");
        _lines.Writer.Complete();
        var session = Run(stays: false);
        await _room.DeliveryIsAwaited.Task;

        _time.Advance(ChatSession.DeliveryTimeout);

        Assert.Equal(ExitCode.Failed, await session);
        Assert.Equal(1, _room.TimesLeft);
        Assert.Equal("* Some of what was sent did not arrive everywhere within 10 s.\n", _error.ToString());
    }

    [Fact]
    public async Task An_interruption_leaves_at_once()
    {
        Type("one");
        _lines.Writer.Complete();
        var session = Run(stays: false);
        await _room.DeliveryIsAwaited.Task;

        await _interruption.CancelAsync();

        Assert.Equal(ExitCode.Done, await session);
        Assert.Equal(1, _room.TimesLeft);
        Assert.Equal("", _error.ToString());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_a_program_says_waits_for_somebody_where_no_server_says_who_is_there(bool comes)
    {
        Type("one");
        _lines.Writer.Complete();
        _room.Delivery.SetResult();
        var session = Run(stays: false, TimeSpan.FromSeconds(3));
        Assert.Empty(_room.Sent);

        if (comes) _room.Happen(new RoomEvent.ServerChanged(ServerState.Connected));
        else _time.Advance(TimeSpan.FromSeconds(3));

        Assert.Equal(comes ? ExitCode.Done : ExitCode.Failed, await session);
        Assert.Equal(["one"], _room.Sent);
        Assert.Equal(!comes, _error.ToString().StartsWith("* Nobody was met within 3 s.", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Who_stays_is_not_moved_by_the_end_of_input()
    {
        Type("one");
        _lines.Writer.Complete();
        var session = Run(stays: true);
        _time.Advance(TimeSpan.FromDays(1));
        Assert.False(session.IsCompleted);

        await _interruption.CancelAsync();

        Assert.Equal(ExitCode.Done, await session);
        Assert.Equal(["one"], _room.Sent);
        Assert.False(_room.WasDeliveryAwaited);
        Assert.Equal(1, _room.TimesLeft);
    }

    [Fact]
    public async Task A_line_that_is_too_long_is_said_and_the_others_are_sent()
    {
        Type("one");
        _lines.Writer.TryWrite(new InputLine(null, 2_000_000));
        Type("two");
        _lines.Writer.Complete();
        _room.Delivery.SetResult();

        Assert.Equal(ExitCode.Failed, await Run(stays: false));
        Assert.Equal(["one", "two"], _room.Sent);
        Assert.Equal("* A line of 2000000 bytes was not sent: a message has at most 1048576 (1 MiB).\n", _error.ToString());
    }

    [Fact]
    public async Task Who_is_replaced_ends()
    {
        _room.Happen(new RoomEvent.ServerChanged(ServerState.Replaced));

        Assert.Equal(ExitCode.Failed, await Run(stays: true));
        Assert.Equal(1, _room.TimesLeft);
    }

    [Theory]
    [InlineData("left", ExitCode.Done)]
    [InlineData("gone", ExitCode.Failed)]
    [InlineData("unreachable", ExitCode.NoPath)]
    public async Task A_call_is_over_with_its_other_side(string end, int exitCode)
    {
        Type("one");
        var session = new ChatSession(_room, _lines.Reader, new PlainOutput(_output, _error), stays: true, _time) { IsCall = true }.RunAsync(_interruption.Token);
        await _room.HasSent.Task;
        _room.Happen(end switch
        {
            "left" => new RoomEvent.Left(default, LeaveReason.Left),
            "gone" => new RoomEvent.Left(default, LeaveReason.Timeout),
            _ => new RoomEvent.Failed(default, "no-answer", "Nothing came back.", "Try another network."),
        });
        Assert.Equal(exitCode, await session);
        Assert.Equal(1, _room.TimesLeft);
    }

    // When the search for a way has failed nothing more can be delivered: that, and not the delivery, is what is told.
    [Fact]
    public async Task A_call_without_a_way_says_so_also_when_its_input_has_ended()
    {
        Type("one");
        _lines.Writer.Complete();
        var session = new ChatSession(_room, _lines.Reader, new PlainOutput(_output, _error), stays: false, _time) { IsCall = true }.RunAsync(_interruption.Token);
        await _room.DeliveryIsAwaited.Task;
        _time.Advance(ChatSession.DeliveryTimeout);
        _room.Happen(new RoomEvent.Failed(default, "no-answer", "Nothing came back.", "Try another network."));
        _room.Delivery.SetResult();
        Assert.Equal(ExitCode.NoPath, await session);
    }

    [Fact]
    public async Task Whoever_takes_calls_lets_the_caller_find_out_first_that_there_is_no_way()
    {
        var session = new ChatSession(_room, _lines.Reader, new PlainOutput(_output, _error), stays: true, _time) { IsCall = true, NoPathDelay = TimeSpan.FromSeconds(3) };
        var running = session.RunAsync(_interruption.Token);
        _room.Happen(new RoomEvent.Failed(default, "no-answer", "Nothing came back.", "Try another network."));
        await _time.ArmedFor(TimeSpan.FromSeconds(3));
        Assert.Equal(0, _room.TimesLeft);
        _time.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal(ExitCode.NoPath, await running);
    }

    [Fact]
    public async Task What_is_typed_is_in_the_session_by_its_number_until_the_room_is_left()
    {
        var model = new SessionModel(_time);
        Type("one");
        _lines.Writer.Complete();
        var session = new ChatSession(_room, _lines.Reader, model.Open("lounge", default, "ann", new PlainOutput(_output, _error)), stays: false, _time).RunAsync(_interruption.Token);
        await _room.DeliveryIsAwaited.Task;
        var sent = Assert.IsType<LogEntry.Sent>(Assert.Single(Assert.Single(model.Snapshot().Rooms).Log));
        Assert.Equal((1UL, "one"), (sent.Id, sent.Text));
        _room.Delivery.SetResult();
        Assert.Equal(ExitCode.Done, await session);
        Assert.Empty(model.Snapshot().Rooms);
    }

    [Fact]
    public async Task A_room_that_fails_is_in_the_session_no_more()
    {
        var model = new SessionModel(_time);
        var room = new FakeRoom { Problem = new PunchlineException(PunchlineError.Closed, "The room was left.") };
        Type("one");
        var output = model.Open("lounge", default, "ann", new PlainOutput(_output, _error));
        await Assert.ThrowsAsync<PunchlineException>(() => new ChatSession(room, _lines.Reader, output, stays: false, _time).RunAsync(_interruption.Token));
        Assert.Empty(model.Snapshot().Rooms);
    }

    private void Type(params string[] lines)
    {
        foreach (var line in lines) _lines.Writer.TryWrite(new InputLine(line, line.Length));
    }

    private Task<int> Run(bool stays, TimeSpan meetingPatience = default) =>
        new ChatSession(_room, _lines.Reader, new PlainOutput(_output, _error), stays, _time) { MeetingPatience = meetingPatience }.RunAsync(_interruption.Token);
}
