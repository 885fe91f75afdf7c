namespace Punchline.Cli;

/// <summary>What the tool tells the shell.</summary>
internal static class ExitCode
{
    public const int Done = 0;
    public const int Failed = 1;
    public const int WrongUsage = 2;

    /// <summary>The peer is offline, or there is no way to it.</summary>
    public const int NoPath = 3;
}

/// <summary>It cannot be done as it was typed; the message says what to type instead. Ends in <see cref="ExitCode.WrongUsage"/>.</summary>
internal sealed class UsageException(string message) : Exception(message);

/// <summary>It did not work, for a reason that the message tells people in full. Ends in <see cref="ExitCode.Failed"/>.</summary>
internal sealed class ToolException(string message, Exception? innerException = null) : Exception(message, innerException);
