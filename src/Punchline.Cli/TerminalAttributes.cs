using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Punchline.Cli;

/// <summary>
/// A Unix terminal's settings (POSIX, general terminal interface), as they are or as they shall be. <see cref="Console"/> can change some too, but
/// keeps the terminal for itself then: what is typed in the chat later would not be seen. And <c>stty</c> does not help, because
/// .NET undoes what a child changed.
/// </summary>
internal sealed partial class TerminalAttributes
{
    private const int StandardInput = 0;
    private const int Now = 0; // TCSANOW, on Linux and macOS
    private const uint Echo = 0x08; // of c_lflag, on both

    // Linux's structure is 60 bytes, macOS's 72.
    private const int MaxLength = 128;

    // Behind c_iflag, c_oflag and c_cflag: of 8 bytes each on macOS, of 4 elsewhere. Both are little-endian.
    private static readonly int LocalFlags = OperatingSystem.IsMacOS() ? 24 : 12;

    private readonly byte[] _bytes;

    private TerminalAttributes(byte[] bytes) => _bytes = bytes;

    /// <summary>Standard input's; null: it is no terminal.</summary>
    public static TerminalAttributes? Read()
    {
        var bytes = new byte[MaxLength];
        return Get(StandardInput, bytes) == 0 ? new TerminalAttributes(bytes) : null;
    }

    /// <summary>What is typed is not shown.</summary>
    public TerminalAttributes WithoutEcho() => With((LocalFlags, Echo));

    /// <summary>Each key comes at once and as it is, but for those that send signals. Linux's numbers.</summary>
    public TerminalAttributes WithKeysAtOnce()
    {
        const uint ReturnAsLineFeed = 0x100; // ICRNL
        const uint FlowControl = 0x400; // IXON: Ctrl+S and Ctrl+Q
        const uint Canonical = 0x02; // ICANON
        const uint Extended = 0x8000; // IEXTEN: Ctrl+V
        // c_cc, behind the four flags and c_line: VTIME and VMIN.
        const int Time = 17 + 5;
        const int Minimum = 17 + 6;
        var changed = With((0, ReturnAsLineFeed | FlowControl), (LocalFlags, Canonical | Echo | Extended));
        (changed._bytes[Time], changed._bytes[Minimum]) = (0, 1);
        return changed;
    }

    /// <returns>False: the terminal refused.</returns>
    public bool TryApply() => Set(StandardInput, Now, _bytes) == 0;

    private TerminalAttributes With(params ReadOnlySpan<(int Offset, uint Cleared)> flags)
    {
        byte[] bytes = [.. _bytes];
        foreach (var (offset, cleared) in flags)
        {
            var field = bytes.AsSpan(offset);
            BinaryPrimitives.WriteUInt32LittleEndian(field, BinaryPrimitives.ReadUInt32LittleEndian(field) & ~cleared);
        }
        return new TerminalAttributes(bytes);
    }

    [LibraryImport("libc", EntryPoint = "tcgetattr")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Get(int descriptor, [Out] byte[] attributes);

    [LibraryImport("libc", EntryPoint = "tcsetattr")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Set(int descriptor, int when, byte[] attributes);
}
