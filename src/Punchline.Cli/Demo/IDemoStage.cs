using System.Net;

namespace Punchline.Cli.Demo;

/// <summary>Whose machine a program of the demo runs on.</summary>
internal enum DemoRole
{
    Server,
    Alice,
    Bob,
}

/// <summary>Where the demo's three programs run; takes them down with it.</summary>
internal interface IDemoStage : IAsyncDisposable
{
    /// <summary>What people see before anything runs.</summary>
    IReadOnlyList<string> Scenery { get; }

    /// <summary>Whether there are NATs between the peers.</summary>
    bool HasRouters { get; }

    /// <summary>Where both peers reach the server.</summary>
    IPAddress ServerAddress { get; }

    /// <summary>What <c>punchline serve</c> needs here.</summary>
    IEnumerable<string> ServeArguments { get; }

    /// <summary>Starts this very tool on the machine of a role.</summary>
    IDemoProgram Start(DemoRole role, IEnumerable<string> arguments);
}

/// <summary>A running copy of the tool, killed when disposed.</summary>
internal interface IDemoProgram : IAsyncDisposable
{
    StreamWriter StandardInput { get; }

    StreamReader StandardOutput { get; }

    /// <summary>The last that it said on standard error.</summary>
    string ErrorTail { get; }

    /// <summary>Ends it as a pulled plug would.</summary>
    Task KillAsync();
}
