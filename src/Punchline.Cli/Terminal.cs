using System.Text;

namespace Punchline.Cli;

/// <summary>
/// The standard streams: UTF-8, each line written at once and whole. <see cref="Console"/>'s own writers would ask for
/// encodings and terminal descriptions that we don't need, which takes a tenth of a short run.
/// </summary>
internal static class Terminal
{
    private static readonly Lazy<TextWriter> LazyOutput = new(() => Open(Console.OpenStandardOutput()));
    private static readonly Lazy<TextWriter> LazyError = new(() => Open(Console.OpenStandardError()));

    public static TextWriter Output => LazyOutput.Value;

    public static TextWriter Error => LazyError.Value;

    /// <summary>Whether colours would please: a terminal that can, and nobody asked for none (https://no-color.org).</summary>
    public static bool HasColours => !Console.IsOutputRedirected && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR")) && KnowsEscapeSequences;

    /// <summary>Whether a line on standard error can be erased and written anew.</summary>
    public static bool HasEscapeSequences => !Console.IsErrorRedirected && KnowsEscapeSequences;

    private static bool KnowsEscapeSequences =>
        Environment.GetEnvironmentVariable("TERM") is not "dumb"
        // Windows Terminal says who it is; older consoles print escape sequences as they are.
        && (!OperatingSystem.IsWindows() || Environment.GetEnvironmentVariable("WT_SESSION") is not null);

    private static TextWriter Open(Stream stream)
    {
        // The console there speaks the code page of old until told otherwise.
        if (OperatingSystem.IsWindows()) Console.OutputEncoding = Encoding.UTF8;
        return TextWriter.Synchronized(new StreamWriter(stream, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false)) { AutoFlush = true, NewLine = "\n" });
    }
}
