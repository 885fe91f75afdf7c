using System.Net;
using Punchline.Cli.Lab;

namespace Punchline.Cli.Demo;

/// <summary>Two sites behind NATs of the kernel's own, and a server on the Internet between them.</summary>
internal sealed class LabStage : IDemoStage
{
    private static readonly LabSite[] Sites = [new("a", LabNat.PortRestricted), new("b", LabNat.PortRestricted)];

    private readonly NatLab _lab;

    private LabStage(NatLab lab) => _lab = lab;

    public bool HasRouters => true;

    public IPAddress ServerAddress => _lab.AddressOf(NodeOf(DemoRole.Server));

    // The server's port is free: its machine is new.
    public IEnumerable<string> ServeArguments => ["serve"];

    public IReadOnlyList<string> Scenery
    {
        get
        {
            string alice = $"{_lab.AddressOf("a1")}", aliceRouter = $"{_lab.AddressOf("a-gw")}", bobRouter = $"{_lab.AddressOf("b-gw")}", bob = $"{_lab.AddressOf("b1")}";
            var before = $"{alice} ──── {aliceRouter} ═════";
            return
            [
                "Alice and Bob sit behind a router each, as at home: neither machine can be",
                "reached from outside. Machines and routers are Linux network namespaces; the",
                "NATs are the kernel's own, and the packets are real.",
                "",
                $"    {"Alice".PadRight(alice.Length)}      {"her router".PadRight(aliceRouter.Length)}             {"his router".PadRight(bobRouter.Length)}      Bob",
                $"    {before}╦═════ {bobRouter} ──── {bob}",
                $"    {"║".PadLeft(before.Length + 1)}",
                $"    {"".PadRight(before.Length - 7)}server {ServerAddress}",
            ];
        }
    }

    /// <exception cref="ToolException">The machine could not do it after all.</exception>
    public static async Task<LabStage> UpAsync(CancellationToken cancellationToken)
    {
        try
        {
            return new LabStage(await NatLab.UpAsync(Sites, cancellationToken));
        }
        catch (Exception exception) when (exception is InvalidOperationException or TimeoutException)
        {
            throw new ToolException($"{exception.Message} Without routers it goes like this: punchline demo --no-lab", exception);
        }
    }

    public IDemoProgram Start(DemoRole role, IEnumerable<string> arguments)
    {
        var command = ThisTool.Command;
        return new Program(_lab.Start(NodeOf(role), command[0], [.. command.Skip(1), .. arguments]));
    }

    public ValueTask DisposeAsync() => _lab.DisposeAsync();

    private static string NodeOf(DemoRole role) => role switch
    {
        DemoRole.Server => "s1",
        DemoRole.Alice => "a1",
        _ => "b1",
    };

    private sealed class Program(LabProcess process) : IDemoProgram
    {
        public StreamWriter StandardInput => process.StandardInput;

        public StreamReader StandardOutput => process.StandardOutput;

        public string ErrorTail => process.ErrorTail;

        public async Task KillAsync()
        {
            process.Kill();
            await process.WaitForExitAsync(CancellationToken.None);
        }

        public ValueTask DisposeAsync() => process.DisposeAsync();
    }
}
