using System.Net;
using System.Net.Sockets;
using Punchline.Protocols.Primitives;
using Punchline.Sockets;

namespace Punchline.Tests.Sockets;

public sealed class IcmpErrorsTests
{
    // struct cmsghdr, sock_extended_err and sockaddr_in, as Linux 6.12 on x64 gave them for a datagram that ended at 192.168.1.1.
    private const string Expired = "3000000000000000000000000b000000" + "71000000020b00000000000000000000" + "02000000c0a801010000000000000000";

    [Fact]
    public void The_router_at_which_a_packet_ended_is_read()
    {
        Assert.SkipUnless(nint.Size == 8, "The bytes are those of a 64-bit system.");
        Assert.True(IcmpErrors.TryRead(Convert.FromHexString(Expired), out var error));
        Assert.Equal((Endpoint.Parse("192.168.1.1:0"), true, false), (error.From, error.IsExpiry, error.IsRejection));
    }

    [Fact]
    public void What_is_cut_off_or_says_something_else_is_passed_over()
    {
        var bytes = Convert.FromHexString(Expired);
        for (var length = 0; length < bytes.Length; length++) Assert.False(IcmpErrors.TryRead(bytes.AsSpan(0, length), out _));
        byte[] local = [.. bytes];
        local[nint.Size + 8 + 4] = 1;
        Assert.False(IcmpErrors.TryRead(local, out _));
    }

    [Theory] // RFC 792, RFC 1812 §5.2.7.1
    [InlineData(1, true)]
    [InlineData(3, true)]
    [InlineData(4, false)]
    [InlineData(13, true)]
    public void What_is_not_let_through_is_told_from_what_is_too_long(byte code, bool isRejection)
    {
        Assert.SkipUnless(nint.Size == 8, "The bytes are those of a 64-bit system.");
        var bytes = Convert.FromHexString(Expired);
        (bytes[nint.Size + 8 + 5], bytes[nint.Size + 8 + 6]) = (3, code);
        Assert.True(IcmpErrors.TryRead(bytes, out var error));
        Assert.Equal((isRejection, false), (error.IsRejection, error.IsExpiry));
    }

    [Fact] // a closed port on this machine answers with ICMP
    public async Task An_error_is_taken_once()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Linux's error queue.");
        using var closed = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        closed.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var port = closed.LocalEndPoint!;
        closed.Close();
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        IcmpErrors.Enable(socket);
        await socket.ConnectAsync(port, TestContext.Current.CancellationToken);
        await socket.SendAsync(new byte[1], TestContext.Current.CancellationToken);
        await Assert.ThrowsAsync<SocketException>(async () => await socket.ReceiveAsync(new byte[1], TestContext.Current.CancellationToken));
        Assert.Equal((Endpoint.From(IPAddress.Loopback, 0), true), (IcmpErrors.Take(socket)!.Value.From, IcmpErrors.Take(socket) is null));
    }
}
