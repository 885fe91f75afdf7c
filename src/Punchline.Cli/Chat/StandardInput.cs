using System.Runtime.InteropServices;
using System.Threading.Channels;
using Microsoft.Win32.SafeHandles;

namespace Punchline.Cli.Chat;

/// <summary>The lines of standard input, read ahead by a thread of their own: a read from it cannot be cancelled.</summary>
internal static partial class StandardInput
{
    // Lines read ahead of what was sent: at most as many MiB.
    private const int MaxLinesAhead = 16;

    private const string NullDevice = "/dev/null";

    /// <summary>Whether nothing was ever going to come: closed, or the null device, when the process started.</summary>
    public static bool IsAbsent
    {
        get
        {
            if (OperatingSystem.IsWindows()) return Console.OpenStandardInput() == Stream.Null;
            const int GetFlags = 1; // F_GETFD, the same on Linux, macOS and the BSDs
            const int CloseOnExec = 1; // FD_CLOEXEC
            // Descriptor 0, if we came without one, may by now be a file of the runtime's own. Those close on exec; whatever
            // came through exec to us doesn't.
            var flags = GetDescriptorFlags(0, GetFlags);
            if (flags < 0 || (flags & CloseOnExec) != 0) return true;
            // Only Linux tells what a descriptor is by a link; elsewhere --stay is there to say it.
            return OperatingSystem.IsLinux() && new FileInfo("/proc/self/fd/0").LinkTarget is NullDevice;
        }
    }

    /// <summary>What all lines have to be read by, for it may hold some already.</summary>
    public static LineReader Open()
    {
        // On a Unix terminal the kernel edits lines well; the console's own editor would take Ctrl+D for a character.
        var input = !Console.IsInputRedirected && !OperatingSystem.IsWindows()
            ? new FileStream(new SafeFileHandle(0, ownsHandle: false), FileAccess.Read, bufferSize: 0)
            : Console.OpenStandardInput();
        return new LineReader(input, Room.MaxMessageBytes);
    }

    /// <summary>All lines, where nobody has read any yet.</summary>
    public static ChannelReader<InputLine> ReadLines() => ReadLines(Open(), skipsEmpty: !Console.IsInputRedirected);

    /// <param name="reader">Of the input; this one's from now on.</param>
    /// <param name="skipsEmpty">Who presses Enter twice has nothing to say; what comes through a pipe goes out as it is.</param>
    public static ChannelReader<InputLine> ReadLines(LineReader reader, bool skipsEmpty)
    {
        var lines = Channel.CreateBounded<InputLine>(new BoundedChannelOptions(MaxLinesAhead) { SingleReader = true, SingleWriter = true });
        new Thread(() => Pump(reader, lines.Writer, skipsEmpty)) { IsBackground = true, Name = "standard input" }.Start();
        return lines.Reader;
    }

    private static void Pump(LineReader reader, ChannelWriter<InputLine> lines, bool skipsEmpty)
    {
        try
        {
            while (reader.TryRead(out var line))
            {
                if (skipsEmpty && line.Bytes == 0) continue;
                // A thread of its own may block.
#pragma warning disable VSTHRD002
                if (!lines.TryWrite(line)) lines.WriteAsync(line).AsTask().GetAwaiter().GetResult();
#pragma warning restore VSTHRD002
            }
        }
        catch (IOException)
        {
            // The terminal went away: that is the end of it.
        }
        lines.TryComplete();
    }

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int GetDescriptorFlags(int descriptor, int command);
}
