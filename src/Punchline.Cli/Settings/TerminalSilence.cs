using System.Runtime.InteropServices;

namespace Punchline.Cli.Settings;

/// <summary>
/// While it lasts, a Unix terminal does not show what is typed (POSIX, general terminal interface: ECHO), and a signal
/// that ends the process puts that back. <see cref="Console"/> can do so too, but keeps the terminal for itself then: what
/// is typed in the chat later would not be seen. And <c>stty</c> does not help, because .NET undoes what a child changed.
/// </summary>
internal sealed partial class TerminalSilence : IDisposable
{
    private const int StandardInput = 0;
    private const int Now = 0; // TCSANOW, on Linux and macOS
    private const byte Echo = 0x08; // of c_lflag, on both

    // Linux's structure is 60 bytes, macOS's 72.
    private const int MaxAttributesLength = 128;

    // Behind c_iflag, c_oflag and c_cflag: of 8 bytes each on macOS, of 4 elsewhere. Both are little-endian.
    private static readonly int LocalFlags = OperatingSystem.IsMacOS() ? 24 : 12;

    private readonly byte[] _before;
    private readonly PosixSignalRegistration[] _signals;

    private TerminalSilence(byte[] before)
    {
        _before = before;
        // Not cancelled: the signal ends the process, as it should.
        _signals = [.. ((PosixSignal[])[PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP]).Select(signal => PosixSignalRegistration.Create(signal, _ => Restore()))];
    }

    /// <exception cref="UsageException">The terminal cannot be silenced.</exception>
    public static TerminalSilence Begin()
    {
        var attributes = new byte[MaxAttributesLength];
        if (GetAttributes(StandardInput, attributes) == 0)
        {
            var silence = new TerminalSilence([.. attributes]);
            attributes[LocalFlags] &= unchecked((byte)~Echo);
            if (SetAttributes(StandardInput, Now, attributes) == 0) return silence;
            silence.Dispose();
        }
        throw new UsageException("This terminal would show the secret as it is typed. Give it in a file: --secret @FILE.");
    }

    public void Dispose()
    {
        Restore();
        foreach (var signal in _signals) signal.Dispose();
    }

    private void Restore() => _ = SetAttributes(StandardInput, Now, _before);

    [LibraryImport("libc", EntryPoint = "tcgetattr")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int GetAttributes(int descriptor, [Out] byte[] attributes);

    [LibraryImport("libc", EntryPoint = "tcsetattr")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetAttributes(int descriptor, int when, byte[] attributes);
}
