using System.Text;

namespace Punchline.Engine;

/// <summary>Small files that are there whole or not at all, whatever dies meanwhile.</summary>
internal static class AtomicFile
{
    /// <summary>Creates a directory that only the owner may enter, where it is missing.</summary>
    public static void CreateDirectory(string directory)
    {
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(directory);
        else Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    /// <summary>
    /// Replaces <paramref name="path"/>, creating its directory where needed. Only the owner may read it (on Unix: mode
    /// 600, directory 700; on Windows it inherits).
    /// </summary>
    public static void WriteAllText(string path, string text) => WriteAllBytes(path, Encoding.UTF8.GetBytes(text));

    /// <summary>As <see cref="WriteAllText"/>.</summary>
    public static void WriteAllBytes(string path, ReadOnlySpan<byte> bytes)
    {
        CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);

        // Beside the target, because a rename is atomic only within a file system.
        var temporary = $"{path}.{Environment.ProcessId}-{Environment.CurrentManagedThreadId}.tmp";
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            using (var stream = new FileStream(temporary, options))
            {
                stream.Write(bytes);
                // A rename that survives a power cut before its data would leave an empty file.
                stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }
}
