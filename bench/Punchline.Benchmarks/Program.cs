using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Punchline.Benchmarks;

// matrix [SEEDS [FILE]] and ladder [SEEDS [FILE]]: the tables of docs/MATRIX.md and docs/LADDER.md. second-room and first-message
// measure the whole, in real processes. Anything else is BenchmarkDotNet's, such as --filter '*'.
switch (args)
{
    case ["matrix", .. var rest]: return MatrixReport.Run(rest);
    case ["ladder", .. var rest]: return LadderReport.Run(rest);
    case ["second-room", .. var rest]: return await SecondRoom.RunAsync(rest);
    case ["first-message", .. var rest]: return await FirstMessage.RunAsync(rest);
}

// In this process: the projects that BenchmarkDotNet would generate and build know nothing of this repository's settings.
var config = ManualConfig.Create(DefaultConfig.Instance)
    .AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance))
    .AddDiagnoser(MemoryDiagnoser.Default);
BenchmarkSwitcher.FromAssembly(typeof(MatrixReport).Assembly).Run(args, config);
return 0;
