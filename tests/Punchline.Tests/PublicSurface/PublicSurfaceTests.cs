using System.Runtime.CompilerServices;
using Punchline.Server;

namespace Punchline.Tests.PublicSurface;

/// <summary>What users build against changes only on purpose: it stands in a text file a library, which a review can read.</summary>
public sealed class PublicSurfaceTests
{
    private const string UpdateVariable = "PUNCHLINE_UPDATE_SURFACE";

    [Theory]
    [InlineData("Punchline")]
    [InlineData("Punchline.Protocols")]
    [InlineData("Punchline.Server")]
    public async Task The_public_surface_is_the_recorded_one(string library)
    {
        var cancellation = TestContext.Current.CancellationToken;
        var assembly = library switch
        {
            "Punchline" => typeof(PeerNode).Assembly,
            "Punchline.Protocols" => typeof(PeerId).Assembly,
            _ => typeof(CoordinationHost).Assembly,
        };
        Assert.Equal(library, assembly.GetName().Name);
        var file = Path.Combine(Folder(), library + ".txt");
        var actual = SurfaceDescription.Describe(assembly);
        if (Environment.GetEnvironmentVariable(UpdateVariable) == "1") await File.WriteAllTextAsync(file, actual, cancellation);
        var recorded = File.Exists(file) ? await File.ReadAllTextAsync(file, cancellation) : "";
        var added = actual.Split('\n').Except(recorded.Split('\n'), StringComparer.Ordinal).Select(line => "+ " + line.Trim());
        var removed = recorded.Split('\n').Except(actual.Split('\n'), StringComparer.Ordinal).Select(line => "- " + line.Trim());
        Assert.True(recorded == actual, $"""
            The public surface of {library} is not what {file} says:
            {string.Join('\n', added.Concat(removed))}
            If that is meant, record it: {UpdateVariable}=1 dotnet test --project tests/Punchline.Tests --filter-class "*PublicSurfaceTests"
            """);
    }

    private static string Folder([CallerFilePath] string here = "") => Path.GetDirectoryName(here)!;
}
