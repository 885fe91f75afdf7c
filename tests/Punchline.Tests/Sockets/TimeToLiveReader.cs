using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Punchline.Tests.Sockets;

/// <summary>A received datagram's time-to-live or hop limit, which Linux hands out beside it and .NET does not.</summary>
internal static partial class TimeToLiveReader
{
    // linux/in.h: IP_RECVTTL; linux/in6.h: IPV6_RECVHOPLIMIT. Both answer with an int, behind a cmsghdr of 16 bytes.
    private const int IPLevel = 0, ReceiveTimeToLive = 12, IPv6Level = 41, ReceiveHopLimit = 51, HeaderLength = 16;

    public static void Enable(Socket socket)
    {
        var (level, option) = socket.AddressFamily == AddressFamily.InterNetwork ? (IPLevel, ReceiveTimeToLive) : (IPv6Level, ReceiveHopLimit);
        socket.SetRawSocketOption(level, option, BitConverter.GetBytes(1));
    }

    /// <summary>Of the next datagram.</summary>
    public static unsafe int Read(Socket socket)
    {
        var data = stackalloc byte[64];
        var control = stackalloc byte[128];
        var vector = new Vector { Base = data, Length = 64 };
        var message = new Message { Vectors = &vector, VectorCount = 1, Control = control, ControlLength = 128 };
        Assert.True(ReceiveMessage((int)socket.Handle, &message, 0) > 0, "Nothing was received.");
        return *(int*)(control + HeaderLength);
    }

    [LibraryImport("libc", EntryPoint = "recvmsg", SetLastError = true)]
    private static unsafe partial nint ReceiveMessage(int socket, Message* message, int flags);

    [StructLayout(LayoutKind.Sequential)]
    private unsafe struct Vector
    {
        public byte* Base;
        public nuint Length;
    }

    [StructLayout(LayoutKind.Sequential)]
    private unsafe struct Message
    {
        public void* Name;
        public uint NameLength;
        public Vector* Vectors;
        public nuint VectorCount;
        public void* Control;
        public nuint ControlLength;
        public int Flags;
    }
}
