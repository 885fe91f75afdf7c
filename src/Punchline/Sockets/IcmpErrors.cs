using System.Buffers.Binary;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Punchline.Protocols.Primitives;

namespace Punchline.Sockets;

/// <summary>What a router, or the destination itself, says of a packet that it did not pass on.</summary>
/// <param name="From">Who, without a port.</param>
/// <param name="Type">RFC 792's.</param>
/// <param name="Code">Likewise.</param>
internal readonly record struct IcmpError(Endpoint From, byte Type, byte Code)
{
    private const byte Unreachable = 3, FragmentationNeeded = 4, TimeExceeded = 11;

    /// <summary>Where the packet was going.</summary>
    public Endpoint To { get; init; }

    public bool IsExpiry => Type == TimeExceeded;

    /// <summary>It is not let through: host, port or protocol unreachable, or forbidden (RFC 1812 §5.2.7.1).</summary>
    public bool IsRejection => Type == Unreachable && Code != FragmentationNeeded;
}

/// <summary>Which ICMP messages came for what a socket sent: Linux keeps them for a socket that asks for it (ip(7), IP_RECVERR), with nobody's privilege.</summary>
internal static partial class IcmpErrors
{
    // linux/in.h, linux/socket.h, linux/errqueue.h, linux/icmp.h
    private const int IPLevel = 0, ReceiveErrors = 11, ErrorQueue = 0x2000, DontWait = 0x40;
    private const byte OriginIcmp = 2;
    private const int AddressFamilyInet = 2;

    // struct cmsghdr is a size_t and two ints; struct sock_extended_err has 16 bytes, and a struct sockaddr_in follows.
    private static readonly int HeaderLength = nint.Size + 8;
    private const int ExtendedErrorLength = 16, AddressLength = 16, MaxControl = 512;

    /// <exception cref="SocketException">The system refuses.</exception>
    public static void Enable(Socket socket) => socket.SetRawSocketOption(IPLevel, ReceiveErrors, BitConverter.GetBytes(1));

    /// <summary>Takes the next message that waits. Null: there is none, or it is no ICMP message.</summary>
    public static unsafe IcmpError? Take(Socket socket)
    {
        Span<byte> control = stackalloc byte[MaxControl];
        Span<byte> name = stackalloc byte[AddressLength];
        control.Clear();
        fixed (byte* start = control, destination = name)
        {
            var header = new MessageHeader { Name = destination, NameLength = AddressLength, Control = start, ControlLength = MaxControl };
            if (Receive((int)socket.Handle, ref header, ErrorQueue | DontWait) < 0) return null;
            return TryRead(control[..(int)header.ControlLength], out var error) ? error with { To = ReadAddress(name) } : null;
        }
    }

    /// <summary>Reads the control messages of one error.</summary>
    internal static bool TryRead(ReadOnlySpan<byte> control, out IcmpError error)
    {
        error = default;
        while (control.Length >= HeaderLength)
        {
            var length = (int)Math.Min(MemoryMarshal.Read<nuint>(control), int.MaxValue);
            if (length < HeaderLength || length > control.Length) return false;
            var (level, type) = (MemoryMarshal.Read<int>(control[nint.Size..]), MemoryMarshal.Read<int>(control[(nint.Size + 4)..]));
            var data = control[HeaderLength..length];
            if (level == IPLevel && type == ReceiveErrors && data.Length >= ExtendedErrorLength + AddressLength && data[4] == OriginIcmp)
            {
                var offender = data[ExtendedErrorLength..];
                if (MemoryMarshal.Read<ushort>(offender) != AddressFamilyInet) return false;
                error = new IcmpError(ReadAddress(offender).WithPort(0), data[5], data[6]);
                return true;
            }
            control = control[Math.Min(control.Length, (length + nint.Size - 1) & -nint.Size)..];
        }
        return false;
    }

    private static Endpoint ReadAddress(ReadOnlySpan<byte> address) =>
        Endpoint.FromIPv4(BinaryPrimitives.ReadUInt32BigEndian(address[4..]), BinaryPrimitives.ReadUInt16BigEndian(address[2..]));

    // struct msghdr; size_t where glibc has it, which musl pads to.
    [StructLayout(LayoutKind.Sequential)]
    private unsafe struct MessageHeader
    {
        public void* Name;
        public uint NameLength;
        public void* Vectors;
        public nuint VectorCount;
        public byte* Control;
        public nuint ControlLength;
        public int Flags;
    }

    [LibraryImport("libc", EntryPoint = "recvmsg", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint Receive(int socket, ref MessageHeader message, int flags);
}
