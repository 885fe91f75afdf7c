using System.Security.Cryptography;

namespace Punchline.Tests.Connections;

/// <summary>What a stream promises beyond <see cref="PeerStreamContractTests"/>: its beginning, its end, and back-pressure.</summary>
public sealed class PeerStreamTests(ConnectedPair pair) : IClassFixture<ConnectedPair>
{
    private readonly CancellationToken _cancellation = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_stream_is_accepted_before_there_is_data_and_names_its_protocol()
    {
        var (alice, bob) = await pair.OpenAsync(_cancellation);

        Assert.Equal((ConnectedPair.Protocol, PeerStreamDirection.Bidirectional, alice.Id), (bob.Protocol, bob.Direction, bob.Id));
        Assert.True(alice is { CanRead: true, CanWrite: true, CanSeek: false, CanTimeout: true });
        await alice.WriteAsync("question"u8.ToArray(), completeWrites: true, _cancellation);
        await bob.WriteAsync("answer"u8.ToArray(), completeWrites: true, _cancellation);
        Assert.Equal("question"u8.ToArray(), await ReadAllAsync(bob));
        Assert.Equal("answer"u8.ToArray(), await ReadAllAsync(alice));
        foreach (var stream in (PeerStream[])[alice, bob])
        {
            await stream.ReadsClosed.WaitAsync(ConnectedPair.Patience, _cancellation);
            await stream.WritesClosed.WaitAsync(ConnectedPair.Patience, _cancellation);
        }
    }

    [Fact]
    public async Task A_unidirectional_stream_is_written_by_its_opener_alone()
    {
        var (alice, bob) = await pair.OpenAsync(_cancellation, PeerStreamDirection.Unidirectional);

        Assert.Equal((false, true), (alice.CanRead, alice.CanWrite));
        Assert.Equal((true, false), (bob.CanRead, bob.CanWrite));
        Assert.True(alice.ReadsClosed.IsCompletedSuccessfully);
        Assert.True(bob.WritesClosed.IsCompletedSuccessfully);
        await Assert.ThrowsAsync<NotSupportedException>(async () => await alice.ReadAsync(new byte[1], _cancellation));
        await Assert.ThrowsAsync<NotSupportedException>(async () => await bob.WriteAsync(new byte[1], _cancellation));
        Assert.Throws<NotSupportedException>(bob.CompleteWrites);
        await alice.WriteAsync("one way"u8.ToArray(), _cancellation);
        await alice.DisposeAsync();
        Assert.Equal("one way"u8.ToArray(), await ReadAllAsync(bob));
    }

    [Fact]
    public async Task A_protocol_that_the_peer_does_not_take_is_refused()
    {
        await using var stream = await pair.Alice.OpenStreamAsync("unheard/of", cancellationToken: _cancellation);

        var read = await Assert.ThrowsAsync<PunchlineException>(async () => await stream.ReadAsync(new byte[1], _cancellation));
        Assert.Equal((PunchlineError.ProtocolRefused, (long?)null), (read.Error, read.ApplicationErrorCode));
        Assert.Contains("unheard/of", read.Message, StringComparison.Ordinal);
        Assert.Equal(PunchlineError.ProtocolRefused, (await Assert.ThrowsAsync<PunchlineException>(() => stream.WritesClosed)).Error);
        Assert.Equal(PunchlineError.ProtocolRefused, (await Assert.ThrowsAsync<PunchlineException>(async () => await stream.WriteAsync(new byte[1], _cancellation))).Error);
    }

    [Theory]
    [InlineData("")]
    [InlineData("punchline/chat/1")]
    [InlineData("a name of sixty-five bytes, which is one more than it may have ...")]
    public async Task A_name_that_is_not_valid_is_the_callers_mistake(string protocol) =>
        await Assert.ThrowsAsync<ArgumentException>(async () => await pair.Alice.OpenStreamAsync(protocol, cancellationToken: _cancellation));

    [Fact]
    public async Task What_is_sent_arrives_intact_in_both_directions_at_once()
    {
        var (alice, bob) = await pair.OpenAsync(_cancellation);
        var data = RandomNumberGenerator.GetBytes(8 << 20);

        var reads = Task.WhenAll(ReadAllAsync(alice), ReadAllAsync(bob));
        await Task.WhenAll(alice.WriteAsync(data, completeWrites: true, _cancellation).AsTask(), bob.WriteAsync(data, completeWrites: true, _cancellation).AsTask());

        foreach (var received in await reads.WaitAsync(ConnectedPair.Patience, _cancellation)) ConnectedPair.AssertSame(data, received);
    }

    [Fact]
    public async Task A_peer_that_does_not_read_holds_the_writer_back()
    {
        var (alice, bob) = await pair.OpenAsync(_cancellation);
        var data = RandomNumberGenerator.GetBytes(ConnectedPair.MoreThanFits);

        var writing = alice.WriteAsync(data, completeWrites: true, _cancellation).AsTask();
        // Long enough for everything that can get there: an exchange on another stream of the connection.
        var (other, otherAtBob) = await pair.OpenAsync(_cancellation);
        await other.WriteAsync(new byte[1], completeWrites: true, _cancellation);
        Assert.Single(await ReadAllAsync(otherAtBob));
        Assert.False(writing.IsCompleted);

        ConnectedPair.AssertSame(data, await ReadAllAsync(bob));
        await writing.WaitAsync(ConnectedPair.Patience, _cancellation);
    }

    [Fact]
    public async Task Aborting_reads_stops_the_peers_writes_with_the_code()
    {
        var (alice, bob) = await pair.OpenAsync(_cancellation);
        var writing = alice.WriteAsync(new byte[ConnectedPair.MoreThanFits], _cancellation).AsTask();

        bob.Abort(PeerAbortDirection.Read, 17);

        var stopped = await Assert.ThrowsAsync<PunchlineException>(() => writing.WaitAsync(ConnectedPair.Patience, _cancellation));
        Assert.Equal((PunchlineError.StreamAborted, 17L), (stopped.Error, stopped.ApplicationErrorCode));
        Assert.Equal(17L, (await Assert.ThrowsAsync<PunchlineException>(() => alice.WritesClosed)).ApplicationErrorCode);
        Assert.Equal(PunchlineError.OperationAborted, (await Assert.ThrowsAsync<PunchlineException>(() => bob.ReadsClosed)).Error);
        Assert.Equal(PunchlineError.OperationAborted, (await Assert.ThrowsAsync<PunchlineException>(async () => await bob.ReadAsync(new byte[1], _cancellation))).Error);
        // The other direction is whole.
        await bob.WriteAsync("still"u8.ToArray(), completeWrites: true, _cancellation);
        Assert.Equal("still"u8.ToArray(), await ReadAllAsync(alice));
    }

    [Fact]
    public async Task Aborting_writes_resets_the_peers_reads_with_the_code()
    {
        var (alice, bob) = await pair.OpenAsync(_cancellation);
        var reading = bob.ReadAsync(new byte[1], _cancellation).AsTask();

        alice.Abort(PeerAbortDirection.Write, 4_611_686_018_427_387_647);

        var reset = await Assert.ThrowsAsync<PunchlineException>(() => reading.WaitAsync(ConnectedPair.Patience, _cancellation));
        Assert.Equal((PunchlineError.StreamAborted, 4_611_686_018_427_387_647L), (reset.Error, reset.ApplicationErrorCode));
        Assert.Equal(PunchlineError.OperationAborted, (await Assert.ThrowsAsync<PunchlineException>(() => alice.WritesClosed)).Error);
        Assert.Throws<ArgumentOutOfRangeException>(() => alice.Abort(PeerAbortDirection.Read, 4_611_686_018_427_387_648));
        Assert.Throws<ArgumentOutOfRangeException>(() => alice.Abort(PeerAbortDirection.Read, -1));
        await bob.DisposeAsync();
        await alice.DisposeAsync();
    }

    [Fact]
    public async Task As_many_streams_as_the_peer_allows_are_open_at_once_and_the_next_one_waits()
    {
        await using var fresh = new ConnectedPair();
        await fresh.InitializeAsync();
        var open = new List<PeerStream>();
        // 100, of which chat has one.
        for (var i = 0; i < 99; i++) open.Add(await fresh.Alice.OpenStreamAsync(ConnectedPair.Protocol, cancellationToken: _cancellation));

        using (var giveUp = new CancellationTokenSource())
        {
            var canceled = fresh.Alice.OpenStreamAsync(ConnectedPair.Protocol, cancellationToken: giveUp.Token).AsTask();
            Assert.False(canceled.IsCompleted);
            await giveUp.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => canceled);
        }
        var waiting = fresh.Alice.OpenStreamAsync(ConnectedPair.Protocol, cancellationToken: _cancellation).AsTask();
        Assert.False(waiting.IsCompleted);
        foreach (var stream in open) stream.Abort(PeerAbortDirection.Both, 1);
        await using (var opened = await waiting.WaitAsync(ConnectedPair.Patience, _cancellation))
        {
            // Those that were abandoned before they were accepted are not: the next is the one that stands.
            var accepted = await fresh.Bob.AcceptStreamAsync(_cancellation).AsTask().WaitAsync(ConnectedPair.Patience, _cancellation);
            while (accepted.Id != opened.Id)
            {
                await accepted.DisposeAsync();
                accepted = await fresh.Bob.AcceptStreamAsync(_cancellation).AsTask().WaitAsync(ConnectedPair.Patience, _cancellation);
            }
            await accepted.DisposeAsync();
        }
    }

    private async Task<byte[]> ReadAllAsync(PeerStream stream)
    {
        using var all = new MemoryStream();
        await stream.CopyToAsync(all, _cancellation).WaitAsync(ConnectedPair.Patience, _cancellation);
        return all.ToArray();
    }
}
