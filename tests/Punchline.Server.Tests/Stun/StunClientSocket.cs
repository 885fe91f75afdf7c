using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Stun;

namespace Punchline.Server.Tests.Stun;

/// <summary>The least shell around <see cref="StunClient"/>: one socket, one loop, the system's clock and randomness.</summary>
internal sealed class StunClientSocket : IDisposable
{
    private readonly Socket _socket;
    private readonly StunClient _client;
    private readonly long _origin = Stopwatch.GetTimestamp();

    public StunClientSocket(IPAddress local, TimeSpan retransmissionTimeout)
    {
        _socket = new Socket(local.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        _socket.Bind(new IPEndPoint(local, 0));
        _client = new StunClient(new SystemRandom(), retransmissionTimeout);
    }

    public Endpoint Local => Endpoint.From((IPEndPoint)_socket.LocalEndPoint!);

    private Timestamp Now => new(Stopwatch.GetElapsedTime(_origin).Ticks);

    /// <summary>Asks all servers at once and returns how each query ended.</summary>
    public List<StunClientEvent> Query(params IEnumerable<IPEndPoint> servers)
    {
        foreach (var server in servers) Assert.True(_client.Query(Endpoint.From(server), Now));
        var ended = new List<StunClientEvent>();
        var buffer = new byte[1_500];
        EndPoint source = (IPEndPoint)_socket.LocalEndPoint!;
        while (true)
        {
            while (_client.TryDequeueTransmit(Now, buffer, out var transmit))
                _socket.SendTo(buffer, transmit.Length, SocketFlags.None, transmit.Destination.ToIPEndPoint());
            while (_client.TryDequeueEvent(out var one)) ended.Add(one);
            if (_client.NextTimeout == Timestamp.Never) return ended;

            var wait = _client.NextTimeout - Now;
            if (wait > TimeSpan.Zero && _socket.Poll(wait, SelectMode.SelectRead))
            {
                var received = _socket.ReceiveFrom(buffer, ref source);
                _client.HandleDatagram(Endpoint.From((IPEndPoint)source), buffer.AsSpan(0, received), Now);
            }
            _client.HandleTimeout(Now);
        }
    }

    public void Dispose() => _socket.Dispose();

    private sealed class SystemRandom : IRandomSource
    {
        public void Fill(Span<byte> destination) => RandomNumberGenerator.Fill(destination);
    }
}
