using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Punchline.Benchmarks;

// matrix [SEEDS [FILE]]: the table of docs/MATRIX.md. Anything else is BenchmarkDotNet's, such as --filter '*'.
if (args is ["matrix", .. var rest])
{
    return MatrixReport.Run(rest);
}

// In this process: the projects that BenchmarkDotNet would generate and build know nothing of this repository's settings.
var config = ManualConfig.Create(DefaultConfig.Instance)
    .AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance))
    .AddDiagnoser(MemoryDiagnoser.Default);
BenchmarkSwitcher.FromAssembly(typeof(MatrixReport).Assembly).Run(args, config);
return 0;
