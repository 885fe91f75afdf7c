using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Punchline.Cli.Lab;

namespace Punchline.Lab.Tests.Harness;

/// <summary>
/// A UDP socket inside a node, in this very process: a socket belongs to the network namespace that its thread was in
/// when it was made, whoever uses it later.
/// </summary>
internal sealed partial class LabSocket : IDisposable
{
    private const int CloneNewNet = 0x40000000; // CLONE_NEWNET in sched.h
    private const int SolSocket = 1, SoRcvBufForce = 33; // asm-generic/socket.h
    private const int ReceiveBufferBytes = 16 << 20; // the kernel counts some 768 bytes for a small datagram: room for 20,000
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly Socket _socket;
    private readonly byte[] _buffer = new byte[2048];

    private LabSocket(Socket socket) => _socket = socket;

    public IPEndPoint Local => (IPEndPoint)_socket.LocalEndPoint!;

    public short Ttl
    {
        set => _socket.Ttl = value;
    }

    public static LabSocket Open(NatLab lab, string node, int port = 0) => Open(lab, node, new IPEndPoint(lab.AddressOf(node), port));

    public static LabSocket Open(NatLab lab, string node, IPEndPoint local)
    {
        Socket? socket = null;
        ExceptionDispatchInfo? failure = null;
        var visitor = new Thread(() =>
        {
            try
            {
                using var space = File.OpenHandle(lab.NetworkNamespaceOf(node));
                if (SetNamespace(space, CloneNewNet) != 0)
                    throw new SocketException(Marshal.GetLastPInvokeError());
                socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
                socket.SetRawSocketOption(SolSocket, SoRcvBufForce, BitConverter.GetBytes(ReceiveBufferBytes));
                socket.Bind(local);
            }
            catch (Exception e)
            {
                socket?.Dispose();
                failure = ExceptionDispatchInfo.Capture(e);
            }
        });
        visitor.Start();
        visitor.Join(); // the thread takes its namespace with it
        failure?.Throw();
        return new LabSocket(socket!);
    }

    public void Send(string text, IPEndPoint destination) => _socket.SendTo(Encoding.UTF8.GetBytes(text), destination);

    public void Send(ReadOnlySpan<byte> datagram, IPEndPoint destination) => _socket.SendTo(datagram, destination);

    /// <summary>The next datagram. False where none has come in time.</summary>
    public bool TryReceive(Span<byte> buffer, TimeSpan within, out int length, out IPEndPoint from)
    {
        (length, from) = (0, Local);
        if (!_socket.Poll(within > TimeSpan.Zero ? within : TimeSpan.Zero, SelectMode.SelectRead)) return false;
        EndPoint source = from;
        length = _socket.ReceiveFrom(buffer, ref source);
        from = (IPEndPoint)source;
        return true;
    }

    /// <summary>The next datagram and who it seems to be from. Fails the test after a time that no lab needs.</summary>
    public (string Text, IPEndPoint From) Receive()
    {
        EndPoint from = new IPEndPoint(IPAddress.Any, 0);
        _socket.ReceiveTimeout = (int)Patience.TotalMilliseconds;
        var length = _socket.ReceiveFrom(_buffer, ref from);
        return (Encoding.UTF8.GetString(_buffer, 0, length), (IPEndPoint)from);
    }

    /// <summary>Sends to another socket, and returns where the packet seems to be from over there.</summary>
    public IPEndPoint MappingSeenBy(LabSocket other, IPEndPoint? at = null)
    {
        var question = Guid.NewGuid().ToString("N", CultureInfo.InvariantCulture);
        Send(question, at ?? other.Local);
        var (text, from) = other.Receive();
        Assert.Equal(question, text);
        return from;
    }

    public void Dispose() => _socket.Dispose();

    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)]
    private static partial int SetNamespace(SafeFileHandle space, int kind);
}
