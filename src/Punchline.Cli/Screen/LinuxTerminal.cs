using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Threading.Channels;
using Microsoft.Win32.SafeHandles;

namespace Punchline.Cli.Screen;

/// <summary>
/// The terminal of standard input and output, on Linux, where each key comes at once. Signals that end or stop the process put it
/// back as it was before they do.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed partial class LinuxTerminal : IScreenTerminal
{
    // Reads ahead of what was handled, of 4 KiB at most: then a paste waits in the kernel.
    private const int MaxInputsAhead = 64;
    private const int ReadLength = 4096;

    private readonly Lock _gate = new();
    private readonly Channel<TerminalInput> _input = Channel.CreateBounded<TerminalInput>(new BoundedChannelOptions(MaxInputsAhead) { SingleReader = true });
    private readonly FileStream _reader = new(new SafeFileHandle(0, ownsHandle: false), FileAccess.Read, bufferSize: 0);
    private readonly FileStream _writer = new(new SafeFileHandle(1, ownsHandle: false), FileAccess.Write, bufferSize: 0);
    private readonly List<PosixSignalRegistration> _signals = [];
    private readonly TerminalAttributes _before;
    private byte[] _leave = [];
    private bool _isAway;
    private bool _isLeft;

    private LinuxTerminal(TerminalAttributes before)
    {
        _before = before;
        foreach (var signal in (ReadOnlySpan<PosixSignal>)[PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP, PosixSignal.SIGQUIT])
            _signals.Add(PosixSignalRegistration.Create(signal, _ => Leave()));
        _signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGTSTP, StepAside));
        _signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGCONT, Return));
        _signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGWINCH, _ => _input.Writer.TryWrite(new TerminalInput.Resized())));
        new Thread(Pump) { IsBackground = true, Name = "terminal" }.Start();
    }

    public ChannelReader<TerminalInput> Input => _input.Reader;

    public ScreenSize Size
    {
        get
        {
            const nuint GetWindowSize = 0x5413; // TIOCGWINSZ
            Span<ushort> size = stackalloc ushort[4]; // rows, columns, and both in pixels
            return Control(1, GetWindowSize, ref size[0]) == 0 ? ScreenSize.Of(size[1], size[0]) : ScreenSize.Of(0, 0);
        }
    }

    private static bool ObeysSequences => !Console.IsInputRedirected && !Console.IsOutputRedirected
        && Environment.GetEnvironmentVariable("TERM") is { Length: > 0 } and not "dumb";

    /// <summary>Null: there is no terminal here that frames can be drawn on.</summary>
    public static LinuxTerminal? TryOpen()
    {
        if (!ObeysSequences || TerminalAttributes.Read() is not { } before || !before.WithKeysAtOnce().TryApply()) return null;
        return new LinuxTerminal(before);
    }

    public void Write(ReadOnlyMemory<byte> frame, byte[] leave)
    {
        lock (_gate)
        {
            if (_isAway || _isLeft) return;
            _leave = leave;
            TryWrite(frame.Span);
        }
    }

    public void Dispose()
    {
        Leave();
        foreach (var signal in _signals) signal.Dispose();
    }

    private void Leave()
    {
        lock (_gate)
        {
            if (!_isLeft && !_isAway) TryWrite(_leave);
            _isLeft = true;
            _ = _before.TryApply();
        }
    }

    private void StepAside(PosixSignalContext context)
    {
        const int Stop = 19; // SIGSTOP
        lock (_gate)
        {
            if (_isLeft) return;
            if (!_isAway) TryWrite(_leave);
            _isAway = true;
            _ = _before.TryApply();
        }
        // .NET takes the signal for handled once somebody listens to it, so nothing else would stop the process.
        context.Cancel = true;
        _ = Kill(Environment.ProcessId, Stop);
    }

    private void Return(PosixSignalContext context)
    {
        // Else .NET would set the terminal to what it takes for right, after us.
        context.Cancel = true;
        lock (_gate)
        {
            if (_isLeft) return;
            _isAway = false;
            _ = _before.WithKeysAtOnce().TryApply();
        }
        _input.Writer.TryWrite(new TerminalInput.Resumed());
    }

    private void TryWrite(ReadOnlySpan<byte> bytes)
    {
        try
        {
            _writer.Write(bytes);
        }
        catch (IOException)
        {
            // The terminal went away, and SIGHUP says so.
        }
    }

    private void Pump()
    {
        try
        {
            var buffer = new byte[ReadLength];
            while (_reader.Read(buffer) is var length and > 0)
            {
                var input = new TerminalInput.Bytes(buffer.AsSpan(0, length).ToArray());
                // A thread of its own may block.
#pragma warning disable VSTHRD002
                if (!_input.Writer.TryWrite(input)) _input.Writer.WriteAsync(input).AsTask().GetAwaiter().GetResult();
#pragma warning restore VSTHRD002
            }
        }
        catch (IOException)
        {
            // The terminal went away: that is the end of it.
        }
        _input.Writer.TryComplete();
    }

    [LibraryImport("libc", EntryPoint = "ioctl")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Control(int descriptor, nuint request, ref ushort argument);

    [LibraryImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Kill(int process, int signal);
}
