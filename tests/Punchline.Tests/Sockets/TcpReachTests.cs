using System.Net;
using System.Net.Sockets;
using Punchline.Sockets;

namespace Punchline.Tests.Sockets;

public sealed class TcpReachTests
{
    [Fact]
    public async Task A_port_that_answers_or_refuses_is_reached()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var server = (IPEndPoint)listener.LocalEndPoint!;
        // Bound and not listening: it refuses.
        Assert.False(await TcpReach.IsWebOnlyAsync(server, TestContext.Current.CancellationToken));
        listener.Listen();
        Assert.False(await TcpReach.IsWebOnlyAsync(server, TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData(80)]
    [InlineData(443)]
    public async Task A_web_port_alone_tells_nothing_of_others(int port) =>
        Assert.Null(await TcpReach.IsWebOnlyAsync(new IPEndPoint(IPAddress.Loopback, port), TestContext.Current.CancellationToken));
}
