namespace Punchline.Cli.Demo;

/// <summary>How this very tool is started once more.</summary>
internal static class ThisTool
{
    /// <summary>The program and what stands before the verb: nothing, or this assembly where <c>dotnet</c> runs it.</summary>
    public static IReadOnlyList<string> Command
    {
        get
        {
            var program = Environment.ProcessPath ?? throw new ToolException("This system does not tell a program where it is, so the demo cannot start it again.");
            return Path.GetFileNameWithoutExtension(program) is "dotnet"
                ? [program, Path.Combine(AppContext.BaseDirectory, $"{typeof(ThisTool).Assembly.GetName().Name}.dll")]
                : [program];
        }
    }
}
