namespace Punchline;

/// <summary>Where a user's peer keeps its identity and whom it trusts unless told otherwise.</summary>
public static class StateDirectory
{
    private const string Name = "punchline";

    /// <summary>
    /// Linux: <c>$XDG_STATE_HOME/punchline</c>, by default <c>~/.local/state/punchline</c> (XDG Base Directory
    /// Specification 0.8). macOS: <c>~/Library/Application Support/punchline</c>. Windows: <c>%LOCALAPPDATA%\punchline</c>.
    /// It need not exist.
    /// </summary>
    /// <exception cref="InvalidOperationException">This user has no home directory.</exception>
    public static string Default
    {
        get
        {
            // A service without a home gets empty strings, and would leave its keys in whatever directory it runs in.
            if (OperatingSystem.IsWindows() || OperatingSystem.IsMacOS())
                return Path.Combine(OrThrow(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData)), Name);
            // "All paths set in these environment variables must be absolute. If an implementation encounters a relative
            // path … it should consider the path invalid and ignore it."
            return Environment.GetEnvironmentVariable("XDG_STATE_HOME") is { } state && Path.IsPathRooted(state)
                ? Path.Combine(state, Name)
                : Path.Combine(OrThrow(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile)), ".local", "state", Name);
        }
    }

    private static string OrThrow(string folder) => folder.Length > 0
        ? folder
        : throw new InvalidOperationException("This user has no home directory: name a directory for the peer's state.");
}
