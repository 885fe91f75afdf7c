using System.Diagnostics;
using System.Text;

namespace Punchline.Cli.Lab;

/// <summary>The system's programs that a lab is made with.</summary>
internal static class LabTools
{
    /// <summary>Each with the Debian package that has it.</summary>
    public static IReadOnlyList<(string Name, string Package)> Required { get; } =
    [
        ("ip", "iproute2"), ("nft", "nftables"), ("unshare", "util-linux"), ("nsenter", "util-linux"), ("setsid", "util-linux"),
        ("mount", "mount"), ("sh", "dash"),
    ];

    /// <summary>Root's own directories may be missing from PATH, after <c>su</c> for instance.</summary>
    private static readonly string[] Directories =
        [.. (Environment.GetEnvironmentVariable("PATH") ?? "/usr/bin:/bin").Split(':', StringSplitOptions.RemoveEmptyEntries), "/usr/sbin", "/sbin"];

    public static bool IsInstalled(string name) => Find(name) is not null;

    /// <summary>Starts a program with its standard streams redirected.</summary>
    public static Process Start(IReadOnlyList<string> command)
    {
        var start = new ProcessStartInfo(Find(command[0]) ?? throw new InvalidOperationException($"{command[0]} is not installed."), command.Skip(1))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        start.Environment["PATH"] = string.Join(':', Directories);
        start.Environment["LC_ALL"] = "C.UTF-8";

        // .NET leaves its diagnostic sockets in /tmp when it is killed, which is how processes of a lab often end.
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        return Process.Start(start)!;
    }

    /// <summary>Writes to a program that may have failed already, which its exit code and errors tell better than this.</summary>
    public static void Feed(Process program, string input)
    {
        try
        {
            program.StandardInput.BaseStream.Write(Encoding.UTF8.GetBytes(input));
        }
        catch (IOException)
        {
        }
    }

    /// <summary>Ends a program's input. Not through its writer, which would flush once more, to a pipe that may be broken.</summary>
    public static void EndInput(Process program) => program.StandardInput.BaseStream.Dispose();

    private static string? Find(string name) => Directories.Select(directory => Path.Combine(directory, name)).FirstOrDefault(File.Exists);
}
