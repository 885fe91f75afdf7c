using System.Net;
using System.Net.Sockets;
using Punchline.Engine;

namespace Punchline.Tests.Engine;

/// <summary>A server with several addresses, of which some do not work.</summary>
public sealed class ServerConnectorTests
{
    private static readonly IReadOnlyList<IPEndPoint> Addresses =
        [IPEndPoint.Parse("[2001:db8::1]:8080"), IPEndPoint.Parse("203.0.113.1:8080"), IPEndPoint.Parse("[2001:db8::2]:8080")];

    private readonly List<IPEndPoint> _tried = [];

    [Fact]
    public void Families_take_turns_and_IPv6_begins() => Assert.Equal(
        ["[2001:db8::1]:8080", "203.0.113.1:8080", "[2001:db8::2]:8080", "203.0.113.2:8080", "203.0.113.3:8080"],
        ServerConnector.Order("203.0.113.1 203.0.113.2 2001:db8::1 203.0.113.3 2001:db8::2".Split(' ').Select(IPAddress.Parse), 8080).Select(address => address.ToString()));

    [Fact]
    public async Task What_works_is_the_only_one_tried()
    {
        using var socket = await ConnectAsync(_ => NewSocket());
        Assert.Equal([Addresses[0]], _tried);
    }

    [Fact]
    public async Task A_refusal_begins_the_next_at_once()
    {
        using var socket = await ConnectAsync(address => address.AddressFamily == AddressFamily.InterNetwork ? NewSocket() : null);
        Assert.Equal(Addresses.Take(2), _tried);
    }

    [Fact]
    public async Task Silence_does_not_keep_the_others_from_being_tried()
    {
        using var socket = await ServerConnector.ConnectAsync(
            Addresses,
            async (address, cancellationToken) =>
            {
                _tried.Add(address);
                if (!address.Equals(Addresses[2])) await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
                return NewSocket();
            },
            _ => Task.CompletedTask,
            TestContext.Current.CancellationToken);
        Assert.Equal(Addresses, _tried);
    }

    [Fact]
    public async Task Where_none_works_the_last_reason_is_told()
    {
        var failure = await Assert.ThrowsAsync<SocketException>(() => ConnectAsync(_ => null));
        Assert.Equal(SocketError.ConnectionRefused, failure.SocketErrorCode);
        Assert.Equal(Addresses, _tried);
    }

    [Fact]
    public async Task Who_gives_up_hears_of_it()
    {
        using var stop = new CancellationTokenSource();
        var connecting = ServerConnector.ConnectAsync(
            Addresses,
            async (_, cancellationToken) =>
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
                return NewSocket();
            },
            Never,
            stop.Token);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => connecting);
    }

    private Task<Socket> ConnectAsync(Func<IPEndPoint, Socket?> connect) => ServerConnector.ConnectAsync(
        Addresses,
        (address, _) =>
        {
            _tried.Add(address);
            return connect(address) is { } socket ? Task.FromResult(socket) : Task.FromException<Socket>(new SocketException((int)SocketError.ConnectionRefused));
        },
        Never,
        TestContext.Current.CancellationToken);

    private static Task Never(CancellationToken cancellationToken) => Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);

    private static Socket NewSocket() => new(SocketType.Stream, ProtocolType.Tcp);
}
