namespace Punchline.Lab.Tests.Harness;

/// <summary>A coordination server that runs in a node.</summary>
/// <param name="Process">The server.</param>
/// <param name="Option">What <c>--server</c> needs to reach it: address, port and pin.</param>
internal sealed record ToolServer(ToolProcess Process, string Option) : IAsyncDisposable
{
    /// <summary>The server prints lines to paste: <c>punchline join ROOM --server A:P#PIN</c>.</summary>
    public static string OptionIn(string line)
    {
        const string Flag = "--server ";
        return line[(line.IndexOf(Flag, StringComparison.Ordinal) + Flag.Length)..].Split(' ')[0];
    }

    public ValueTask DisposeAsync() => Process.DisposeAsync();
}
