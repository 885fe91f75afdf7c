using System.Diagnostics.Tracing;
using FsCheck;
using FsCheck.Fluent;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport;
using Punchline.Protocols.Transport.Streams;
using Punchline.Simulation;

namespace Punchline.Protocols.Tests.Transport;

/// <summary>
/// Whatever two applications do with their streams, in whatever order and over whatever link: once both are through with
/// them, nothing is left of any. <c>PUNCHLINE_SEED</c> replays one run.
/// </summary>
public sealed class StreamOperationsTests
{
    private const int Runs = 170;
    private const int OperationsPerRun = 600;

    // What the runs have to come to in all.
    private const int LeastStreams = 10_000;

    private static readonly Gen<Operation> Operations = Gen.Frequency(
        (5, Of(Kind.OpenBidirectional)), (4, Of(Kind.OpenUnidirectional)), (8, Of(Kind.Write)), (3, Of(Kind.Complete)), (2, Of(Kind.Reset)),
        (2, Of(Kind.Stop)), (5, Of(Kind.Read)), (1, Of(Kind.SendDatagram)), (1, Of(Kind.ChangeConnectionId)), (6, Of(Kind.Wait)));

    private enum Kind
    {
        OpenBidirectional,
        OpenUnidirectional,
        Write,
        Complete,
        Reset,
        Stop,
        Read,
        SendDatagram,
        ChangeConnectionId,
        Wait,
    }

    [Fact]
    public void Ten_thousand_streams_leave_nothing_behind()
    {
        var streams = 0;
        foreach (var seed in SimulationSeeds.Take(Runs))
        {
            try
            {
                streams += Run(seed);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                throw new SimulationFailedException($"{e.Message}\n  replay: {SimulationSeeds.Variable}={seed} dotnet test --project tests/Punchline.Protocols.Tests --filter-class \"*StreamOperations*\"", e);
            }
        }
        if (Environment.GetEnvironmentVariable(SimulationSeeds.Variable) is null) Assert.InRange(streams, LeastStreams, int.MaxValue);
    }

    // Returns how many streams were opened.
    private static int Run(ulong seed)
    {
        using var pool = new PoolBalance();
        var budget = new ReceiveBudget();
        var random = new SeededRandom(seed);
        // Windows that are soon used up, so that every kind of frame about them occurs.
        var parameters = TransportParameters.Default with
        {
            IdleTimeout = TimeSpan.Zero,
            InitialMaxData = 60_000,
            InitialMaxStreamDataBidiLocal = 10_000,
            InitialMaxStreamDataBidiRemote = 8_000,
            InitialMaxStreamDataUni = 6_000,
            InitialMaxStreamsBidi = 20,
            InitialMaxStreamsUni = 10,
        };
        var link = new LinkBehaviour { Loss = 0.05 * random.NextDouble(), Duplication = 0.02, Reordering = 0.2 * random.NextDouble() };
        var pair = new Pair(seed, link, parameters, new AeadLimits { RekeyPackets = 200 }, hasManyIds: true, budget: budget);
        User[] users = [new(pair.Initiator), new(pair.Responder)];
        foreach (var operation in Gen.Sample(Gen.ArrayOf(Operations, OperationsPerRun), 1, new Rnd(seed), 10)[0])
        {
            if (operation.Kind == Kind.Wait) pair.Run(TimeSpan.FromMilliseconds(operation.Amount / 100));
            else users[operation.User].Do(operation);
        }
        foreach (var user in users) user.Finish();
        Assert.True(
            pair.RunUntil(() => users.All(user => user.Side.Connection.StreamCount == 0), TimeSpan.FromMinutes(10)),
            $"seed {seed}: {users[0].Side.Connection.StreamCount} and {users[1].Side.Connection.StreamCount} streams are left");
        pair.Run(TimeSpan.FromSeconds(60));

        foreach (var (user, other) in ((User, User)[])[(users[0], users[1]), (users[1], users[0])])
        {
            var (sender, receiver) = (user.Side.Connection.Statistics, other.Side.Connection.Statistics);
            Assert.Null(user.Side.Connection.CloseReason);
            Assert.Equal(sender.StreamBytesSent, receiver.StreamBytesReceived);
            Assert.Equal(receiver.StreamBytesReceived, receiver.StreamBytesConsumed);
            Assert.Equal(0UL, sender.Forgeries);
            user.Side.Connection.Dispose();
        }
        Assert.Equal(0UL, budget.Taken);
        Assert.Equal(pool.Rented, pool.Returned);
        Assert.NotEqual(0, pool.Rented);
        return users.Sum(user => user.Opened);
    }

    private static Gen<Operation> Of(Kind kind) =>
        Gen.Zip(Gen.Choose(0, 1), Gen.Zip(Gen.Choose(0, 1 << 20), Gen.Choose(1, 20_000)), (user, rest) => new Operation(kind, user, rest.Item1, rest.Item2));

    private readonly record struct Operation(Kind Kind, int User, int Pick, int Amount);

    /// <summary>An application at one end, which knows the streams that it opened and those that it heard of.</summary>
    private sealed class User
    {
        private readonly List<StreamId> _streams = [];
        private readonly byte[] _buffer = new byte[20_000];
        private bool _isFinishing;

        public User(Side side)
        {
            Side = side;
            side.ReadsAtOnce = false;
            side.Raised = Hear;
        }

        public Side Side { get; }

        public int Opened { get; private set; }

        public void Do(in Operation operation)
        {
            var connection = Side.Connection;
            switch (operation.Kind)
            {
                case Kind.OpenBidirectional:
                    Open(StreamDirection.Bidirectional);
                    return;
                case Kind.OpenUnidirectional:
                    Open(StreamDirection.Unidirectional);
                    return;
                case Kind.SendDatagram:
                    connection.TrySendDatagram(_buffer.AsSpan(0, operation.Amount % 1_000));
                    return;
                case Kind.ChangeConnectionId:
                    connection.TryChangeConnectionId();
                    return;
            }
            if (_streams.Count == 0) return;
            var id = _streams[operation.Pick % _streams.Count];
            switch (operation.Kind)
            {
                case Kind.Write:
                    connection.Write(id, _buffer.AsSpan(0, operation.Amount));
                    break;
                case Kind.Complete:
                    connection.CompleteWrites(id);
                    break;
                case Kind.Reset:
                    connection.ResetStream(id, (ulong)operation.Amount);
                    break;
                case Kind.Stop:
                    connection.StopSending(id, (ulong)operation.Amount);
                    break;
                case Kind.Read:
                    connection.Read(id, _buffer.AsSpan(0, operation.Amount), out _);
                    break;
            }
        }

        /// <summary>Ends what it knows in good order, and from now on whatever it hears of.</summary>
        public void Finish()
        {
            _isFinishing = true;
            foreach (var id in _streams) End(id);
        }

        private void Open(StreamDirection direction)
        {
            if (!Side.Connection.TryOpenStream("operations", direction, out var id)) return;
            Opened++;
            _streams.Add(id);
        }

        private void Hear()
        {
            var raised = Side.Events[^1];
            if (raised.Kind == ConnectionEventKind.StreamOpened) _streams.Add(raised.Stream);
            if (!_isFinishing) return;
            if (raised.Kind is ConnectionEventKind.StreamOpened or ConnectionEventKind.StreamReadable) End(raised.Stream);
            if (raised.Kind == ConnectionEventKind.DatagramReceived) TakeDatagrams();
        }

        private void End(StreamId id)
        {
            Side.Connection.CompleteWrites(id);
            while (Side.Connection.Read(id, _buffer, out _) > 0) continue;
        }

        private void TakeDatagrams()
        {
            while (Side.Connection.TryReceiveDatagram(_buffer, out _)) continue;
        }
    }

    /// <summary>Counts what this thread takes from the shared array pools, and gives back.</summary>
    private sealed class PoolBalance : EventListener
    {
        private const string Source = "System.Buffers.ArrayPoolEventSource";
        private const int BufferRented = 1;
        private const int BufferReturned = 3;

        private readonly int _thread = Environment.CurrentManagedThreadId;

        public int Rented { get; private set; }

        public int Returned { get; private set; }

        protected override void OnEventSourceCreated(EventSource eventSource)
        {
            if (eventSource.Name == Source) EnableEvents(eventSource, EventLevel.Verbose);
        }

        protected override void OnEventWritten(EventWrittenEventArgs eventData)
        {
            // Written on the thread that rents or returns.
            if (Environment.CurrentManagedThreadId != _thread) return;
            if (eventData.EventId == BufferRented) Rented++;
            if (eventData.EventId == BufferReturned) Returned++;
        }
    }
}
