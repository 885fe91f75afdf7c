namespace Punchline.Cli.Tests;

internal sealed class TemporaryDirectory : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("punchline-tests-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
