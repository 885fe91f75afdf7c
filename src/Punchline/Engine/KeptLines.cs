namespace Punchline.Engine;

/// <summary>
/// Something small that a node has learnt, in a text file of a state directory: its version, then an entry a line. A file or a line that is not
/// understood is one that keeps nothing yet: everything in it can be learnt again. Thread-safe.
/// </summary>
/// <param name="path">The file; its directory is made when something is first kept.</param>
/// <param name="version">The first line.</param>
internal sealed class KeptLines(string path, string version)
{
    private readonly Lock _gate = new();

    /// <summary>What was kept; nothing where the file cannot be read.</summary>
    public IEnumerable<string> Read()
    {
        try
        {
            var lines = File.ReadAllLines(path);
            return lines.Length == 0 || lines[0] != version ? [] : lines.Skip(1);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>Where it cannot be kept, it is learnt again the next time, and nobody need be told.</summary>
    public void Write(IEnumerable<string> lines)
    {
        lock (_gate)
        {
            try
            {
                AtomicFile.WriteAllText(path, string.Join('\n', [version, .. lines, ""]));
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // A full disk is no reason to stop.
            }
        }
    }
}
