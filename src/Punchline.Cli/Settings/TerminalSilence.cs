using System.Runtime.InteropServices;

namespace Punchline.Cli.Settings;

/// <summary>While it lasts, a Unix terminal does not show what is typed, and a signal that ends the process puts that back.</summary>
internal sealed class TerminalSilence : IDisposable
{
    private readonly TerminalAttributes _before;
    private readonly PosixSignalRegistration[] _signals;

    private TerminalSilence(TerminalAttributes before)
    {
        _before = before;
        // Not cancelled: the signal ends the process, as it should.
        _signals = [.. ((PosixSignal[])[PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP]).Select(signal => PosixSignalRegistration.Create(signal, _ => Restore()))];
    }

    /// <exception cref="UsageException">The terminal cannot be silenced.</exception>
    public static TerminalSilence Begin()
    {
        if (TerminalAttributes.Read() is { } before)
        {
            var silence = new TerminalSilence(before);
            if (before.WithoutEcho().TryApply()) return silence;
            silence.Dispose();
        }
        throw new UsageException("This terminal would show the secret as it is typed. Give it in a file: --secret @FILE.");
    }

    public void Dispose()
    {
        Restore();
        foreach (var signal in _signals) signal.Dispose();
    }

    private void Restore() => _ = _before.TryApply();
}
