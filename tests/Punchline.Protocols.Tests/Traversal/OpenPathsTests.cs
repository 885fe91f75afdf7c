using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Tests.Traversal;

public sealed class OpenPathsTests
{
    private static readonly Endpoint A = Endpoint.Parse("203.0.113.5:5000");

    [Fact]
    public void An_address_is_open_until_its_last_connection_ends()
    {
        var paths = new OpenPaths();
        paths.Add(A);
        paths.Add(A);
        paths.Remove(A);
        Assert.True(paths.Contains(A));
        paths.Remove(A);
        Assert.False(paths.Contains(A));
        paths.Remove(A);
        Assert.Equal(0, paths.Count);
    }
}
