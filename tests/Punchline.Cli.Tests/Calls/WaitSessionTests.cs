using System.Threading.Channels;
using Punchline.Cli.Calls;
using Punchline.Cli.Chat;
using Punchline.Cli.Settings;
using Punchline.Cli.Tests.Chat;
using Punchline.Server.Tests.Coordination;

namespace Punchline.Cli.Tests.Calls;

public sealed class WaitSessionTests : IDisposable
{
    private readonly Channel<IWaitingCall> _calls = Channel.CreateUnbounded<IWaitingCall>();
    private readonly Channel<InputLine> _lines = Channel.CreateUnbounded<InputLine>();
    private readonly StringWriter _output = new() { NewLine = "\n" };
    private readonly WatchedWriter _error = new("The call is over.") { NewLine = "\n" };
    private readonly CancellationTokenSource _interruption = new();

    public void Dispose()
    {
        _interruption.Dispose();
        _output.Dispose();
        _error.Dispose();
    }

    [Fact]
    public async Task Yes_takes_a_call_which_then_is_a_chat_and_after_it_the_next_comes()
    {
        var (first, second) = (Ring("bob"), new FakeCall(this, "carol"));
        var session = Run();
        await first.Asked.Task;
        Type("yes", "hello");
        var room = await first.Accepted.Task;
        await room.HasSent.Task;
        room.Happen(new RoomEvent.Message(first.Peer, "bob", 1, "hi"));
        room.Happen(new RoomEvent.Left(first.Peer, LeaveReason.Left));
        await _error.Seen.Task;
        Assert.Equal((1, "hello"), (room.TimesLeft, Assert.Single(room.Sent)));

        _calls.Writer.TryWrite(second);
        await second.Asked.Task;
        Type("no");
        Assert.Equal(CallRefusal.Refused, await second.Refusal.Task);
        _lines.Writer.Complete();

        Assert.Equal(ExitCode.Done, await session);
        Assert.Equal("bob: hi\n", _output.ToString());
        Assert.Contains("* bob (", _error.ToString(), StringComparison.Ordinal);
        Assert.Contains("whom nobody knows", _error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_yes_that_was_typed_beside_a_call_takes_no_later_one()
    {
        var ownLines = Channel.CreateUnbounded<InputLine>();
        var (first, second) = (Ring("bob"), new FakeCall(this, "carol"));
        first.Lines = ownLines.Reader;
        var session = Run();
        await first.Asked.Task;
        Type("yes");
        var room = await first.Accepted.Task;
        Type("yes");
        ownLines.Writer.TryWrite(new InputLine("hello", 5));
        ownLines.Writer.Complete();
        await room.HasSent.Task;
        room.Delivery.SetResult();
        await _error.Seen.Task;
        Assert.Equal((1, "hello"), (room.TimesLeft, Assert.Single(room.Sent)));

        _calls.Writer.TryWrite(second);
        await second.Asked.Task;
        Type("no");
        Assert.Equal(CallRefusal.Refused, await second.Refusal.Task);
        _lines.Writer.Complete();
        Assert.Equal(ExitCode.Done, await session);
        Assert.Contains("During the call, nobody heard", _error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Whoever_calls_during_a_call_hears_that_it_is_busy()
    {
        var first = Ring("bob");
        var second = Ring("carol");
        var session = Run();
        await first.Asked.Task;
        Type("y");
        await first.Accepted.Task;
        Assert.Equal(CallRefusal.Busy, await second.Refusal.Task);
        Assert.Equal(CallRefusal.Busy, await Ring("dave").Refusal.Task);
        await _interruption.CancelAsync();
        Assert.Equal(ExitCode.Done, await session);
    }

    [Fact]
    public async Task A_list_takes_calls_without_asking_and_others_are_asked_about_or_refused()
    {
        var bob = new FakeCall(this, "bob");
        var session = Run(accepted: [bob.Peer], refusesOthers: true);
        var eve = Ring("eve");
        Assert.Equal(CallRefusal.Refused, await eve.Refusal.Task);
        _calls.Writer.TryWrite(bob);
        await bob.Accepted.Task;
        Assert.DoesNotContain("yes or no", _error.ToString(), StringComparison.Ordinal);
        await _interruption.CancelAsync();
        Assert.Equal(ExitCode.Done, await session);
    }

    [Fact]
    public async Task A_call_that_is_withdrawn_while_it_is_asked_about_is_over_and_an_answer_then_is_none()
    {
        var bob = Ring("bob");
        var session = Run();
        await bob.Asked.Task;
        bob.Ending.SetResult();
        var carol = Ring("carol");
        await carol.Asked.Task;
        Type("yes");
        await carol.Accepted.Task;
        Assert.Contains("bob (" + bob.Peer.ToString()[..8] + "…) calls no more.", _error.ToString(), StringComparison.Ordinal);
        Assert.False(bob.Accepted.Task.IsCompleted || bob.Refusal.Task.IsCompleted);
        await _interruption.CancelAsync();
        await session;
    }

    [Fact]
    public async Task Without_anybody_to_ask_only_the_list_counts()
    {
        _lines.Writer.Complete();
        var session = Run(stays: true);
        Assert.Equal(CallRefusal.Refused, await Ring("bob").Refusal.Task);
        Assert.Contains("--accept", _error.ToString(), StringComparison.Ordinal);
        Assert.False(session.IsCompleted);
        await _interruption.CancelAsync();
        Assert.Equal(ExitCode.Done, await session);
    }

    [Fact]
    public async Task The_end_of_input_ends_the_waiting_and_refuses_whom_it_was_asked_about()
    {
        var bob = Ring("bob");
        var session = Run();
        await bob.Asked.Task;
        _lines.Writer.Complete();
        Assert.Equal(CallRefusal.Refused, await bob.Refusal.Task);
        Assert.Equal(ExitCode.Done, await session);
    }

    [Fact]
    public async Task An_inbox_that_fails_ends_the_waiting_with_its_reason()
    {
        var session = Run();
        _calls.Writer.Complete(new PunchlineException(PunchlineError.Closed, "Taken over."));
        Assert.Equal("Taken over.", (await Assert.ThrowsAsync<PunchlineException>(() => session)).Message);
    }

    private FakeCall Ring(string name)
    {
        var call = new FakeCall(this, name);
        _calls.Writer.TryWrite(call);
        return call;
    }

    private void Type(params string[] lines)
    {
        foreach (var line in lines) _lines.Writer.TryWrite(new InputLine(line, line.Length));
    }

    private Task<int> Run(PeerId[]? accepted = null, bool refusesOthers = false, bool stays = false) => new WaitSession(
        _calls.Reader.ReadAllAsync(CancellationToken.None), _lines.Reader, new PlainCallOutput(_error),
        new WaitSettings
        {
            Meeting = new MeetingSettings { Bootstraps = null, Server = "h", Name = "me", HasLines = false, IsJson = false, HasNoHistory = false, HidesHostCandidates = false, HasNoMdns = false, UsesDht = false, MapsNoPort = true, UdpPort = null, TcpPort = null, QlogDirectory = null, StateDirectory = null, Stays = stays, TrustsFirst = false },
            AcceptedPeers = (accepted ?? []).ToHashSet(),
            AcceptsAnyone = false,
            RefusesOthers = refusesOthers,
        },
        stays, Describe, new ManualTime()).RunAsync(_interruption.Token);

    private string Describe(PeerId peer, string name)
    {
        FakeCall.AskedAbout(peer);
        return "It is one whom nobody knows.";
    }

    private sealed class WatchedWriter(string awaited) : StringWriter
    {
        public TaskCompletionSource Seen { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override void WriteLine(string? value)
        {
            base.WriteLine(value);
            if (value?.Contains(awaited, StringComparison.Ordinal) == true) Seen.TrySetResult();
        }
    }

    private sealed class FakeCall : IWaitingCall
    {
        private static readonly System.Collections.Concurrent.ConcurrentDictionary<PeerId, FakeCall> All = new();
        private readonly WaitSessionTests _test;

        public FakeCall(WaitSessionTests test, string name)
        {
            _test = test;
            Name = name;
            using var identity = PeerIdentity.Create();
            Peer = identity.Id;
            All[Peer] = this;
        }

        public PeerId Peer { get; }

        public string Name { get; }

        public ChannelReader<InputLine>? Lines { get; set; }

        public Task Withdrawn => Ending.Task;

        public TaskCompletionSource Ending { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Asked { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource<FakeRoom> Accepted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource<CallRefusal> Refusal { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public static void AskedAbout(PeerId peer) => All[peer].Asked.TrySetResult();

        public ValueTask<CallRoom> AcceptAsync()
        {
            var room = new FakeRoom();
            Accepted.SetResult(room);
            return new(new CallRoom(room, new PlainOutput(_test._output, TextWriter.Null), Lines));
        }

        public ValueTask RefuseAsync(CallRefusal refusal)
        {
            Refusal.TrySetResult(refusal);
            return ValueTask.CompletedTask;
        }
    }
}
