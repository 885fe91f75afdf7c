using Microsoft.Extensions.Logging.Abstractions;
using Punchline.Protocols.Stun;
using Punchline.Server.Listening;
using Punchline.Server.Stun;
using Punchline.Server.Tests.Coordination;

namespace Punchline.Server.Tests.Listening;

public sealed class PortSplitterTests : IDisposable
{
    private readonly ManualTime _time = new();
    private readonly MemoryConnection _connection = new();
    private readonly List<string> _served = [];

    public void Dispose() => _connection.Dispose();

    [Theory]
    [InlineData("1603010200", "tls")]
    [InlineData("474554202f", "http")] // GET /
    [InlineData("6f", "http")]
    [InlineData("04", "")]
    [InlineData("0d0a", "")]
    [InlineData("80", "")]
    [InlineData("ff", "")]
    public async Task One_byte_decides_and_stays_in_its_place(string bytes, string expected)
    {
        var sent = Convert.FromHexString(bytes);
        var handling = Splitter().HandleAsync(_connection.Context);
        await _connection.SendAsync(sent.AsMemory(0, 1));
        if (expected.Length > 0) await _connection.SendAsync(sent.AsMemory(1));
        await _connection.EndAsync();
        await handling;
        Assert.Equal(expected.Length > 0 ? [$"{expected} {bytes}"] : [], _served);
    }

    [Fact]
    public async Task STUN_that_comes_byte_by_byte_is_answered()
    {
        var handling = Splitter().HandleAsync(_connection.Context);
        var request = new StunWriter(new byte[20], StunClass.Request, StunMethod.Binding, new StunTransactionId(0xb7e7_a701, 0xbc34_d686_fa87_dfae)).Written.ToArray();
        for (var i = 0; i < request.Length; i++)
        {
            Assert.Empty(_connection.Received());
            await _connection.SendAsync(request.AsMemory(i, 1));
        }
        // As in RFC 5769 §2.2.
        Assert.Equal("0101000c2112a442b7e7a701bc34d686fa87dfae002000080001a147e112a643", Convert.ToHexStringLower(_connection.Received()));
        await _connection.EndAsync();
        await handling;
        Assert.Empty(_served);
    }

    [Fact]
    public async Task Who_says_nothing_for_5_seconds_is_closed()
    {
        var handling = Splitter().HandleAsync(_connection.Context);
        _time.Advance(TimeSpan.FromSeconds(5) - TimeSpan.FromTicks(1));
        Assert.False(handling.IsCompleted);
        _time.Advance(TimeSpan.FromTicks(1));
        await handling;
        Assert.Empty(_served);
    }

    [Fact]
    public async Task The_servers_stop_waits_for_nobodys_first_byte()
    {
        var handling = Splitter().HandleAsync(_connection.Context);
        _connection.RequestClose();
        await handling;
        Assert.Empty(_served);
    }

    [Fact]
    public async Task TLS_at_a_plain_server_is_closed()
    {
        var splitter = Splitter();
        splitter.Tls = null;
        await _connection.SendAsync(new byte[] { 22 });
        await splitter.HandleAsync(_connection.Context);
        Assert.Empty(_served);
    }

    private PortSplitter Splitter() => new(new StunOverTcp(_time), _time, NullLogger.Instance)
    {
        Tls = connection => ReadAllAsync("tls"),
        Http = connection => ReadAllAsync("http"),
    };

    private async Task ReadAllAsync(string speech)
    {
        using var stream = new MemoryStream();
        await _connection.Input.CopyToAsync(stream, TestContext.Current.CancellationToken);
        _served.Add($"{speech} {Convert.ToHexStringLower(stream.ToArray())}");
    }
}
