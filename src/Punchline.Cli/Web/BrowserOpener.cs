using System.ComponentModel;
using System.Diagnostics;

namespace Punchline.Cli.Web;

/// <summary>
/// Opens the link in the user's browser, where there seems to be one. Every user of a Unix machine can read the others' command
/// lines, so it is not given the link but a file that only this user can read, and which leads there.
/// </summary>
internal sealed class BrowserOpener : IDisposable
{
    private readonly DirectoryInfo? _directory;

    private BrowserOpener(DirectoryInfo? directory) => _directory = directory;

    /// <summary>Null: nobody sits at this machine, or no browser is found.</summary>
    public static BrowserOpener? TryOpen(string link)
    {
        if (Console.IsOutputRedirected) return null;
        if (OperatingSystem.IsWindows()) return TryStart(new ProcessStartInfo(link) { UseShellExecute = true }) ? new BrowserOpener(null) : null;
        if (!OperatingSystem.IsMacOS() && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("DISPLAY")) && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("WAYLAND_DISPLAY"))) return null;

        // Its directory is the user's alone.
        var directory = Directory.CreateTempSubdirectory("punchline-");
        var opener = new BrowserOpener(directory);
        var file = Path.Combine(directory.FullName, "open.html");
        File.WriteAllText(file, PageTo(link));
        if (TryStart(new ProcessStartInfo(OperatingSystem.IsMacOS() ? "open" : "xdg-open", [file]) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true })) return opener;
        opener.Dispose();
        return null;
    }

    /// <summary>What leads a browser to a link, of which no character means anything to HTML.</summary>
    public static string PageTo(string link) =>
        $"""<!doctype html><meta charset="utf-8"><title>punchline</title><meta http-equiv="refresh" content="0; url={link}"><a href="{link}">punchline</a>""";

    public void Dispose() => _directory?.Delete(recursive: true);

    private static bool TryStart(ProcessStartInfo start)
    {
        try
        {
            using var process = Process.Start(start);
            return true;
        }
        catch (Exception exception) when (exception is Win32Exception or FileNotFoundException)
        {
            return false;
        }
    }
}
