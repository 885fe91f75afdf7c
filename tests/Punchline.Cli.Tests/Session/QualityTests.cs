using System.Collections.Immutable;
using System.Net;
using System.Threading.Channels;
using Punchline.Cli.Chat;
using Punchline.Cli.Session;
using Punchline.Cli.Tests.Chat;
using Punchline.Server.Tests.Coordination;

namespace Punchline.Cli.Tests.Session;

public sealed class QualityTests
{
    private static readonly PeerId Ann = new([1, .. new byte[31]]);
    private static readonly PeerId Bob = new([2, .. new byte[31]]);
    private static readonly PeerId Eve = new([3, .. new byte[31]]);
    private static readonly PeerPath Direct = new(PathKind.Direct, PathTransport.Udp, IPEndPoint.Parse("192.168.1.10:5000"), IPEndPoint.Parse("203.0.113.1:6000"));
    private static readonly TimeSpan RoundTrip = TimeSpan.FromMilliseconds(20);

    private static readonly PeerConnectionStatistics Counted = new()
    {
        RoundTrip = RoundTrip, RoundTripVariation = TimeSpan.FromMilliseconds(2), PacketsSent = 100, PacketsLost = 5, BytesSent = 50_000, BytesReceived = 20_000, PathChanges = 1,
    };

    private readonly ManualTime _time = new();

    [Fact]
    public void A_sample_is_what_was_counted_since_the_one_before()
    {
        var meter = new QualityMeter(_time);
        var connection = new object();
        _time.Advance(QualityMeter.Interval);
        // Of a new connection all of it.
        var first = Assert.Single(meter.Take([new(Bob, connection, Counted)])).Sample;
        Assert.Equal((100UL, 5UL, 1UL, RoundTrip, 0.05), (first.PacketsSent, first.PacketsLost, first.PathChanges, first.RoundTrip, first.Loss));
        Assert.Equal((QualityMeter.Interval, 5_000, 2_000), (first.Duration, first.BytesSentPerSecond, first.BytesReceivedPerSecond));

        _time.Advance(QualityMeter.Interval);
        var more = Counted with { PacketsSent = 110, BytesSent = 60_000, RoundTripVariation = TimeSpan.FromMilliseconds(7) };
        var second = Assert.Single(meter.Take([new(Bob, connection, more)])).Sample;
        Assert.Equal((10UL, 0UL, 0UL, 10_000UL, 0UL), (second.PacketsSent, second.PacketsLost, second.PathChanges, second.BytesSent, second.BytesReceived));
        Assert.Equal(TimeSpan.FromMilliseconds(7), second.Jitter);

        _time.Advance(QualityMeter.Interval);
        // The next connection with the same peer counts from nothing, whatever the last one had.
        Assert.Equal(120UL, Assert.Single(meter.Take([new(Bob, new object(), Counted with { PacketsSent = 120 })])).Sample.PacketsSent);
        Assert.Empty(meter.Take([new(Bob, connection, more)]));
    }

    [Fact]
    public void More_lost_than_sent_is_all_lost_and_nothing_sent_is_nothing_lost()
    {
        var sample = new QualitySample(default, QualityMeter.Interval, RoundTrip, RoundTrip, PacketsSent: 1, PacketsLost: 3, 0, 0, 0);
        Assert.Equal((1, 0), (sample.Loss, (sample with { PacketsSent = 0 }).Loss));
    }

    [Fact]
    public void An_hour_is_kept()
    {
        var start = new DateTimeOffset(2026, 11, 28, 12, 0, 0, TimeSpan.Zero);
        ImmutableArray<QualitySample> samples = [];
        for (var count = 0; count < 2 * QualityMeter.MaxSamples; count++) samples = QualityMeter.Append(samples, At(start + (count * QualityMeter.Interval)));
        Assert.Equal(QualityMeter.MaxSamples, samples.Length);
        Assert.Equal(start + (QualityMeter.MaxSamples * QualityMeter.Interval), samples[0].Time);
        // After a pause what is older than an hour goes, however few there are.
        samples = QualityMeter.Append(samples, At(samples[^1].Time + QualityMeter.Span - QualityMeter.Interval));
        Assert.Equal(3, samples.Length);
    }

    [Fact]
    public void The_model_keeps_samples_of_members_that_are_connected()
    {
        var session = new SessionModel(_time);
        var view = new Recorder();
        var room = session.Open("lounge", Ann, "ann", view);
        room.Show(new RoomEvent.Joined(Bob, "bob"));
        room.Show(new RoomEvent.Connected(Bob, "bob", Direct, RoundTrip, RoundTrip));
        room.Show(new RoomEvent.Joined(Eve, "eve"));
        var before = session.Snapshot().LastEvent;

        room.ShowQuality([new(Bob, At(default)), new(Eve, At(default))]);
        room.ShowQuality([new(Eve, At(default))]);

        Assert.True(session.TryReadAfter(before, out var events));
        Assert.Equal([Bob], Assert.IsType<SessionChange.QualityMeasured>(Assert.Single(events).Change).Members.Select(quality => quality.Peer));
        Assert.Equal([Bob], Assert.Single(view.Qualities).Select(quality => quality.Peer));
        var quality = Assert.Single(Assert.Single(session.Snapshot().Rooms).Quality);
        Assert.Equal((Bob, 1), (quality.Key, quality.Value.Length));
        // An interruption leaves them, a departure does not.
        room.Show(new RoomEvent.Disconnected(Bob, "idle"));
        Assert.Single(Assert.Single(session.Snapshot().Rooms).Quality);
        room.Show(new RoomEvent.Left(Bob, LeaveReason.Left));
        Assert.Empty(Assert.Single(session.Snapshot().Rooms).Quality);
    }

    [Fact]
    public async Task A_chat_tells_samples_between_events()
    {
        var room = new FakeRoom();
        room.Measurements.Add(new(Bob, new object(), Counted));
        var view = new Recorder();
        var lines = Channel.CreateUnbounded<InputLine>();
        using var interruption = new CancellationTokenSource();
        var running = new ChatSession(room, lines.Reader, new AcquaintanceOutput(view, null, null), stays: true, _time).RunAsync(interruption.Token);

        for (var time = 0; time < 2; time++)
        {
            var told = view.NextQuality;
            _time.Advance(QualityMeter.Interval - TimeSpan.FromSeconds(1));
            Assert.False(told.IsCompleted);
            _time.Advance(TimeSpan.FromSeconds(1));
            await told;
            var shown = view.NextEvent;
            room.Happen(new RoomEvent.Joined(Bob, "bob"));
            await shown;
        }
        await interruption.CancelAsync();

        Assert.Equal(ExitCode.Done, await running);
        Assert.Equal([100UL, 0UL], view.Qualities.Select(qualities => qualities[0].Sample.PacketsSent));
    }

    [Fact]
    public void Programs_get_a_line_a_member()
    {
        using var output = new StringWriter { NewLine = "\n" };
        new JsonOutput(output, TextWriter.Null).ShowQuality(
            [new(Bob, new QualitySample(default, QualityMeter.Interval, RoundTrip, TimeSpan.FromMicroseconds(1_260), 100, 5, 50_000, 20_000, 1))]);
        Assert.Equal(
            $$"""{"event":"quality","peer":"{{Bob}}","overMs":10000,"rttMs":20,"jitterMs":1.3,"packetsSent":100,"packetsLost":5,"bytesSent":50000,"bytesReceived":20000,"pathChanges":1}""" + "\n",
            output.ToString());
    }

    private static QualitySample At(DateTimeOffset time) => new(time, QualityMeter.Interval, RoundTrip, RoundTrip, 1, 0, 100, 100, 0);

    private sealed class Recorder : IChatOutput
    {
        private TaskCompletionSource _nextQuality = NewSignal();
        private TaskCompletionSource _nextEvent = NewSignal();

        public List<ImmutableArray<MemberQuality>> Qualities { get; } = [];

        public Task NextQuality => _nextQuality.Task;

        public Task NextEvent => _nextEvent.Task;

        public void ShowReady(PeerId self, string name, string room)
        {
        }

        public void Notice(string text)
        {
        }

        public void Show(RoomEvent roomEvent) => Signal(ref _nextEvent);

        public void ShowQuality(ImmutableArray<MemberQuality> qualities)
        {
            Qualities.Add(qualities);
            Signal(ref _nextQuality);
        }

        private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

        private static void Signal(ref TaskCompletionSource signal)
        {
            var heard = signal;
            signal = NewSignal();
            heard.SetResult();
        }
    }
}
