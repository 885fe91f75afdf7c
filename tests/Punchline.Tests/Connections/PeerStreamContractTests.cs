namespace Punchline.Tests.Connections;

/// <summary>What <see cref="Stream"/> promises, and what its documentation leaves to the class, as <see cref="PeerStream"/> says it.</summary>
public sealed class PeerStreamContractTests(ConnectedPair pair) : IClassFixture<ConnectedPair>
{
    private readonly CancellationToken _cancellation = TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_empty_read_waits_for_data_and_takes_none()
    {
        var (alice, bob) = await pair.OpenAsync(_cancellation);
        var empty = bob.ReadAsync(Memory<byte>.Empty, _cancellation).AsTask();
        Assert.False(empty.IsCompleted);

        await alice.WriteAsync("data"u8.ToArray(), _cancellation);
        Assert.Equal(0, await empty.WaitAsync(ConnectedPair.Patience, _cancellation));
        Assert.Equal(0, await bob.ReadAsync(Memory<byte>.Empty, _cancellation));
        Assert.Equal("data"u8.ToArray(), await ReadExactlyAsync(bob, 4));
        // The end wakes it as well.
        var atEnd = bob.ReadAsync(Memory<byte>.Empty, _cancellation).AsTask();
        alice.CompleteWrites();
        Assert.Equal(0, await atEnd.WaitAsync(ConnectedPair.Patience, _cancellation));
        Assert.Equal(0, await bob.ReadAsync(new byte[1], _cancellation));
    }

    [Fact]
    public async Task Reading_after_the_end_gives_nothing_for_ever()
    {
        var (alice, bob) = await pair.OpenAsync(_cancellation);
        alice.CompleteWrites();
        alice.CompleteWrites();

        for (var i = 0; i < 3; i++) Assert.Equal(0, await bob.ReadAsync(new byte[8], _cancellation));
        Assert.Equal(0, bob.Read(new byte[8]));
        Assert.Equal(-1, bob.ReadByte());
        await bob.ReadsClosed;
    }

    [Fact]
    public async Task Writing_after_the_end_is_an_error_and_an_empty_write_is_none()
    {
        var (alice, _) = await pair.OpenAsync(_cancellation);
        await alice.WriteAsync(ReadOnlyMemory<byte>.Empty, _cancellation);
        alice.Write([]);
        await alice.FlushAsync(_cancellation);
        alice.Flush();
        alice.CompleteWrites();

        await Assert.ThrowsAsync<InvalidOperationException>(async () => await alice.WriteAsync(new byte[1], _cancellation));
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await alice.WriteAsync(ReadOnlyMemory<byte>.Empty, _cancellation));
    }

    [Fact]
    public async Task A_read_and_a_write_may_wait_at_once()
    {
        var (alice, bob) = await pair.OpenAsync(_cancellation);
        var reading = alice.ReadAsync(new byte[8], _cancellation).AsTask();
        var writing = alice.WriteAsync(new byte[ConnectedPair.MoreThanFits], completeWrites: true, _cancellation).AsTask();
        Assert.False(reading.IsCompleted || writing.IsCompleted);

        await bob.WriteAsync(new byte[3], _cancellation);
        Assert.Equal(3, await reading.WaitAsync(ConnectedPair.Patience, _cancellation));
        await bob.CopyToAsync(Stream.Null, _cancellation).WaitAsync(ConnectedPair.Patience, _cancellation);
        await writing.WaitAsync(ConnectedPair.Patience, _cancellation);
    }

    [Fact]
    public async Task Two_reads_at_once_are_an_error_of_the_second()
    {
        var (alice, bob) = await pair.OpenAsync(_cancellation);
        var first = bob.ReadAsync(new byte[8], _cancellation);

        await Assert.ThrowsAsync<InvalidOperationException>(async () => await bob.ReadAsync(new byte[8], _cancellation));
        Assert.Throws<InvalidOperationException>(() => bob.Read(new byte[8]));
        await alice.WriteAsync(new byte[5], _cancellation);
        Assert.Equal(5, await first);
    }

    [Fact]
    public async Task Two_writes_at_once_are_an_error_of_the_second_and_so_is_the_end()
    {
        var (alice, bob) = await pair.OpenAsync(_cancellation);
        var first = alice.WriteAsync(new byte[ConnectedPair.MoreThanFits], _cancellation).AsTask();

        await Assert.ThrowsAsync<InvalidOperationException>(async () => await alice.WriteAsync(new byte[1], _cancellation));
        Assert.Throws<InvalidOperationException>(() => alice.Write(new byte[1]));
        Assert.Throws<InvalidOperationException>(alice.CompleteWrites);
        await ReadExactlyAsync(bob, ConnectedPair.MoreThanFits);
        await first.WaitAsync(ConnectedPair.Patience, _cancellation);
        alice.CompleteWrites();
        Assert.Equal(0, await bob.ReadAsync(new byte[1], _cancellation));
    }

    [Fact]
    public async Task A_canceled_read_has_taken_nothing()
    {
        var (alice, bob) = await pair.OpenAsync(_cancellation);
        using var giveUp = new CancellationTokenSource();
        var reading = bob.ReadAsync(new byte[8], giveUp.Token).AsTask();
        await giveUp.CancelAsync();
        var canceled = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
        Assert.Equal(giveUp.Token, canceled.CancellationToken);

        await alice.WriteAsync("all of it"u8.ToArray(), completeWrites: true, _cancellation);
        // A token that was canceled before takes nothing of what is there either.
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await bob.ReadAsync(new byte[8], giveUp.Token));
        Assert.Equal("all of it"u8.ToArray(), await ReadExactlyAsync(bob, 9));
    }

    [Fact]
    public async Task Reads_canceled_at_any_moment_lose_no_byte()
    {
        var (alice, bob) = await pair.OpenAsync(_cancellation);
        var data = new byte[2 << 20];
        Random.Shared.NextBytes(data);
        var writing = Task.Run(
            async () =>
            {
                for (var sent = 0; sent < data.Length; sent += 4_096) await alice.WriteAsync(data.AsMemory(sent, 4_096), _cancellation);
                alice.CompleteWrites();
            },
            _cancellation);

        using var received = new MemoryStream();
        var buffer = new byte[1_000];
        while (true)
        {
            using var giveUp = new CancellationTokenSource();
            var reading = bob.ReadAsync(buffer, giveUp.Token);
            // On another thread, so that it races with what arrives.
            var canceling = reading.IsCompleted ? Task.CompletedTask : Task.Run(giveUp.Cancel, _cancellation);
            try
            {
                var length = await reading;
                if (length == 0) break;
                received.Write(buffer, 0, length);
            }
            catch (OperationCanceledException)
            {
                // It took nothing.
            }
            await canceling;
        }

        await writing;
        ConnectedPair.AssertSame(data, received.ToArray());
    }

    [Fact]
    public async Task A_canceled_write_says_how_much_was_taken_and_the_peer_gets_just_that()
    {
        var (alice, bob) = await pair.OpenAsync(_cancellation);
        var data = new byte[ConnectedPair.MoreThanFits];
        Random.Shared.NextBytes(data);
        using var giveUp = new CancellationTokenSource();
        var writing = alice.WriteAsync(data, completeWrites: true, giveUp.Token).AsTask();
        await giveUp.CancelAsync();

        var canceled = await Assert.ThrowsAsync<WriteCanceledException>(() => writing);
        Assert.Equal(giveUp.Token, canceled.CancellationToken);
        Assert.InRange(canceled.BytesWritten, 1, data.Length - 1);
        // Before anything was taken, it says so.
        Assert.Equal(0, (await Assert.ThrowsAsync<WriteCanceledException>(async () => await alice.WriteAsync(data, giveUp.Token))).BytesWritten);
        // The stream goes on from there.
        var rest = alice.WriteAsync(data.AsMemory(canceled.BytesWritten), completeWrites: true, _cancellation).AsTask();
        ConnectedPair.AssertSame(data, await ReadAllAsync(bob));
        await rest;
    }

    [Fact]
    public async Task Disposal_in_mid_read_ends_the_read()
    {
        var (alice, bob) = await pair.OpenAsync(_cancellation);
        var reading = bob.ReadAsync(new byte[8], _cancellation).AsTask();
        await alice.DisposeAsync().AsTask().WaitAsync(ConnectedPair.Patience, _cancellation);
        Assert.Equal(0, await reading);

        var (opened, accepted) = await pair.OpenAsync(_cancellation);
        var ended = opened.ReadAsync(new byte[8], _cancellation).AsTask();
        opened.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => ended);
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await opened.ReadAsync(new byte[8], _cancellation));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await opened.WriteAsync(new byte[8], _cancellation));
        Assert.Equal((false, false), (opened.CanRead, opened.CanWrite));
        // Its writes were completed, and nobody reads what the other writes.
        Assert.Equal(0, await accepted.ReadAsync(new byte[8], _cancellation));
        var stopped = await Assert.ThrowsAsync<PunchlineException>(() => accepted.WritesClosed.WaitAsync(ConnectedPair.Patience, _cancellation));
        Assert.Equal((PunchlineError.StreamAborted, 0L), (stopped.Error, stopped.ApplicationErrorCode));
    }

    [Fact]
    public async Task Disposal_in_mid_write_does_not_pass_a_part_for_the_whole()
    {
        var (alice, bob) = await pair.OpenAsync(_cancellation);
        var writing = alice.WriteAsync(new byte[ConnectedPair.MoreThanFits], _cancellation).AsTask();
        Assert.False(writing.IsCompleted);

        await alice.DisposeAsync();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => writing);
        var reset = await Assert.ThrowsAsync<PunchlineException>(() => ReadAllAsync(bob));
        Assert.Equal((PunchlineError.StreamAborted, 0L), (reset.Error, reset.ApplicationErrorCode));
        Assert.Equal(PunchlineError.OperationAborted, (await Assert.ThrowsAsync<PunchlineException>(() => alice.WritesClosed)).Error);
    }

    [Fact]
    public async Task Disposal_without_completing_completes_and_waits_for_delivery()
    {
        var (alice, bob) = await pair.OpenAsync(_cancellation);
        await alice.WriteAsync("whole"u8.ToArray(), _cancellation);
        await alice.DisposeAsync().AsTask().WaitAsync(ConnectedPair.Patience, _cancellation);
        Assert.True(alice.WritesClosed.IsCompletedSuccessfully);
        await alice.DisposeAsync();
        Assert.Equal("whole"u8.ToArray(), await ReadAllAsync(bob));
    }

    [Fact]
    public async Task Synchronous_reads_and_writes_block_and_pass_everything()
    {
        var (alice, bob) = await pair.OpenAsync(_cancellation);
        var data = new byte[ConnectedPair.MoreThanFits];
        Random.Shared.NextBytes(data);
        var writing = Task.Run(
            () =>
            {
                alice.WriteByte(data[0]);
                alice.Write(data, 1, data.Length - 1);
                alice.CompleteWrites();
            },
            _cancellation);
        var reading = Task.Run(
            () =>
            {
                using var all = new MemoryStream();
                all.WriteByte((byte)bob.ReadByte());
                bob.CopyTo(all);
                return all.ToArray();
            },
            _cancellation);

        ConnectedPair.AssertSame(data, await reading.WaitAsync(ConnectedPair.Patience, _cancellation));
        await writing;
    }

    [Fact]
    public async Task Time_outs_hold_for_synchronous_reads_and_writes_and_leave_the_stream_whole()
    {
        var (alice, bob) = await pair.OpenAsync(_cancellation);
        Assert.Equal((Timeout.Infinite, Timeout.Infinite), (bob.ReadTimeout, alice.WriteTimeout));
        Assert.Throws<ArgumentOutOfRangeException>(() => bob.ReadTimeout = 0);
        bob.ReadTimeout = 1;
        alice.WriteTimeout = 1;

        Assert.Equal(PunchlineError.TimedOut, Assert.Throws<PunchlineException>(() => bob.Read(new byte[8])).Error);
        var late = Assert.Throws<PunchlineException>(() => alice.Write(new byte[ConnectedPair.MoreThanFits]));
        Assert.Equal(PunchlineError.TimedOut, late.Error);
        alice.CompleteWrites();
        Assert.Contains($"{(await ReadAllAsync(bob)).Length} of {ConnectedPair.MoreThanFits} bytes", late.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_older_patterns_work_too()
    {
        var (alice, bob) = await pair.OpenAsync(_cancellation);
        var data = "begin and end"u8.ToArray();
        await Task.Factory.FromAsync(alice.BeginWrite(data, 0, data.Length, null, null), alice.EndWrite);
        var buffer = new byte[data.Length];
        Assert.Equal(data.Length, await Task.Factory.FromAsync(bob.BeginRead(buffer, 0, buffer.Length, null, null), bob.EndRead));
        Assert.Equal(data, buffer);
        await alice.WriteAsync(data, 0, 5, _cancellation);
        Assert.Equal(5, await bob.ReadAsync(buffer, 0, buffer.Length, _cancellation));
        Assert.Throws<NotSupportedException>(() => alice.Length);
        Assert.Throws<NotSupportedException>(() => alice.Position = 1);
        Assert.Throws<NotSupportedException>(() => alice.Seek(0, SeekOrigin.Begin));
        Assert.Throws<NotSupportedException>(() => alice.SetLength(1));
    }

    [Fact]
    public async Task What_follows_a_read_does_not_run_within_the_engine()
    {
        var (alice, bob) = await pair.OpenAsync(_cancellation);
        for (var i = 0; i < 100; i++)
        {
            var reading = bob.ReadAsync(new byte[8], _cancellation);
            await alice.WriteAsync(new byte[1], _cancellation);
            Assert.Equal(1, await reading);
            // A continuation that held the engine's gate would keep everybody else from it.
            await Task.Run(() => bob.WritesClosed.IsCompleted, _cancellation).WaitAsync(ConnectedPair.Patience, _cancellation);
            Assert.Null(Thread.CurrentThread.Name is { } name && name.StartsWith("Punchline", StringComparison.Ordinal) ? name : null);
        }
    }

    private async Task<byte[]> ReadExactlyAsync(PeerStream stream, int count)
    {
        var bytes = new byte[count];
        await stream.ReadExactlyAsync(bytes, _cancellation).AsTask().WaitAsync(ConnectedPair.Patience, _cancellation);
        return bytes;
    }

    private async Task<byte[]> ReadAllAsync(PeerStream stream)
    {
        using var all = new MemoryStream();
        await stream.CopyToAsync(all, _cancellation).WaitAsync(ConnectedPair.Patience, _cancellation);
        return all.ToArray();
    }
}
