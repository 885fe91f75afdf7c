using Punchline.Protocols.Transport;

namespace Punchline.Protocols.Tests.Transport;

public sealed class UnidirectionalStreamTests
{
    private static readonly StreamId First = new(2);

    [Fact]
    public void Bytes_go_one_way_and_both_sides_forget_the_stream()
    {
        var pair = new Pair();
        Assert.True(pair.Initiator.Connection.TryOpenStream("log", StreamDirection.Unidirectional, out var id));
        Assert.Equal(First, id);
        pair.Initiator.SendOn(id, "hello"u8.ToArray());
        Assert.True(pair.RunUntil(() => pair.Responder.Finished.Contains(id)));
        pair.Run(TimeSpan.FromSeconds(1));
        Assert.Equal("hello", pair.Responder.TextOf(id));
        Assert.Equal(
            [
                new ConnectionEvent(ConnectionEventKind.StreamOpened, id, Text: "log"),
                new ConnectionEvent(ConnectionEventKind.StreamReadable, id),
            ],
            pair.Responder.Events);
        Assert.Equal([new ConnectionEvent(ConnectionEventKind.StreamDelivered, id)], pair.Initiator.Events);
        Assert.Equal((0, 0), (pair.Initiator.Connection.StreamCount, pair.Responder.Connection.StreamCount));
    }

    [Fact]
    public void The_part_that_is_not_there_takes_no_commands()
    {
        var pair = new Pair();
        pair.Initiator.Connection.TryOpenStream("log", StreamDirection.Unidirectional, out var id);
        pair.Run(TimeSpan.FromSeconds(1));
        Assert.Equal(0, pair.Responder.Connection.Write(id, [1]));
        pair.Responder.Connection.CompleteWrites(id);
        pair.Responder.Connection.ResetStream(id, 7);
        pair.Initiator.Connection.StopSending(id, 7);
        Assert.Equal(0, pair.Initiator.Connection.Read(id, new byte[1], out var isFinished));
        Assert.True(isFinished);
        pair.Run(TimeSpan.FromSeconds(1));
        Assert.Null(pair.Initiator.Connection.CloseReason);
        Assert.Null(pair.Responder.Connection.CloseReason);
        Assert.Equal((1, 1), (pair.Initiator.Connection.StreamCount, pair.Responder.Connection.StreamCount));
    }

    [Fact]
    public void Stopping_it_ends_it_on_both_sides()
    {
        var pair = new Pair();
        pair.Initiator.Connection.TryOpenStream("unknown", StreamDirection.Unidirectional, out var id);
        pair.Run(TimeSpan.FromSeconds(1));
        pair.Responder.Connection.StopSending(id, StreamErrorCodes.UnknownProtocol);
        pair.Run(TimeSpan.FromSeconds(1));
        Assert.Equal([new ConnectionEvent(ConnectionEventKind.StreamStopped, id, StreamErrorCodes.UnknownProtocol)], pair.Initiator.Events);
        Assert.Equal((0, 0), (pair.Initiator.Connection.StreamCount, pair.Responder.Connection.StreamCount));
    }

    [Fact]
    public void Each_direction_has_its_own_limit_which_follows_the_streams_that_end()
    {
        var pair = new Pair(parameters: TransportParameters.Default with { InitialMaxStreamsUni = 2, InitialMaxStreamsBidi = 1 });
        var connection = pair.Initiator.Connection;
        Assert.True(connection.TryOpenStream("a", StreamDirection.Unidirectional, out var id));
        Assert.True(connection.TryOpenStream("b", StreamDirection.Unidirectional, out _));
        Assert.False(connection.TryOpenStream("c", StreamDirection.Unidirectional, out _));
        Assert.True(connection.TryOpenStream("d", StreamDirection.Bidirectional, out _));
        Assert.False(connection.TryOpenStream("e", StreamDirection.Bidirectional, out _));
        connection.CompleteWrites(id);
        Assert.True(pair.RunUntil(() => pair.Initiator.Count(ConnectionEventKind.StreamsAvailable) == 1));
        Assert.True(connection.TryOpenStream("c", StreamDirection.Unidirectional, out _));
        Assert.False(connection.TryOpenStream("e", StreamDirection.Bidirectional, out _));
    }
}
