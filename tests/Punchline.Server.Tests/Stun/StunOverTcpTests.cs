using Punchline.Protocols.Stun;
using Punchline.Server.Stun;
using Punchline.Server.Tests.Coordination;
using Punchline.Server.Tests.Listening;

namespace Punchline.Server.Tests.Stun;

public sealed class StunOverTcpTests : IDisposable
{
    private const int ResponseLength = 32;
    private readonly ManualTime _time = new();
    private readonly MemoryConnection _connection = new();
    private readonly StunOverTcp _stun;

    public StunOverTcpTests() => _stun = new StunOverTcp(_time);

    public void Dispose() => _connection.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(20)]
    [InlineData(33)]
    [InlineData(6_000)]
    public async Task Pipelined_requests_are_answered_in_order_however_they_are_cut(int pieceLength)
    {
        var serving = _stun.ServeAsync(_connection.Context);
        var requests = Enumerable.Range(0, 300).SelectMany(i => Request((ulong)i)).ToArray();
        foreach (var piece in requests.Chunk(pieceLength)) await _connection.SendAsync(piece);
        AssertAnswered(0, 300);
        await _connection.EndAsync();
        await serving;
        Assert.Equal(300, _stun.Requests);
    }

    [Fact]
    public async Task What_deserves_no_answer_is_passed_over()
    {
        var serving = _stun.ServeAsync(_connection.Context);
        await _connection.SendAsync(Request(1, StunClass.Indication));
        await _connection.SendAsync(Request(2));
        AssertAnswered(2, 1);
        await _connection.EndAsync();
        await serving;
        Assert.Equal(1, _stun.Requests);
    }

    [Fact]
    public async Task What_is_no_STUN_ends_the_connection_behind_the_answers_that_are_due()
    {
        var serving = _stun.ServeAsync(_connection.Context);
        await _connection.SendAsync(new[] { Request(1), "GET / HTTP/1.1\r\n\r\n"u8.ToArray() }.SelectMany(bytes => bytes).ToArray());
        await serving;
        AssertAnswered(1, 1);
    }

    [Fact]
    public async Task A_connection_lives_for_40_seconds_after_each_message()
    {
        var serving = _stun.ServeAsync(_connection.Context);
        _time.Advance(TimeSpan.FromSeconds(39));
        await _connection.SendAsync(Request(1));
        _time.Advance(TimeSpan.FromSeconds(39));
        // Half a message is no sign of life.
        await _connection.SendAsync(Request(2).AsMemory(0, 10));
        Assert.False(serving.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(1));
        await serving;
        AssertAnswered(1, 1);
    }

    [Fact]
    public async Task After_1000_messages_it_closes()
    {
        var serving = _stun.ServeAsync(_connection.Context);
        for (var i = 0; i < StunOverTcp.MaxMessages - 1; i++) await _connection.SendAsync(Request((ulong)i, StunClass.Indication));
        Assert.False(serving.IsCompleted);
        await _connection.SendAsync(Request(7).Concat(Request(8)).ToArray());
        await serving;
        AssertAnswered(7, 1);
    }

    [Fact]
    public async Task Who_does_not_read_the_answers_is_closed()
    {
        var serving = _stun.ServeAsync(_connection.Context);
        // A pipe takes 64 KiB before it waits to be read: 2,048 answers of 32 bytes would be, but 1,000 messages are the end.
        // With 420s of 72 bytes that is 72,000 bytes.
        var request = new StunWriter(new byte[100], StunClass.Request, StunMethod.Binding, default);
        for (var type = 0; type < 16; type++) request.WriteAttribute((StunAttributeType)(0x4000 + type), []);
        request.WriteFingerprint();
        var bytes = request.Written.ToArray();
        for (var i = 0; i < StunOverTcp.MaxMessages - 1; i++) await _connection.SendAsync(bytes);
        Assert.False(serving.IsCompleted);
        _time.Advance(StunOverTcp.IdleTimeout);
        await serving;
        Assert.InRange(_stun.Requests, 64 * 1024 / StunResponder.MaxResponseLength, StunOverTcp.MaxMessages - 1);
    }

    private static byte[] Request(ulong id, StunClass messageClass = StunClass.Request) =>
        new StunWriter(new byte[20], messageClass, StunMethod.Binding, new StunTransactionId(0, id)).Written.ToArray();

    private void AssertAnswered(ulong firstId, int count)
    {
        var received = _connection.Received();
        Assert.Equal(count * ResponseLength, received.Length);
        foreach (var (index, response) in received.Chunk(ResponseLength).Index())
        {
            Assert.True(StunMessage.TryRead(response, out var message));
            Assert.Equal((StunClass.SuccessResponse, firstId + (ulong)index), (message.Class, message.TransactionId.Low));
        }
    }
}
