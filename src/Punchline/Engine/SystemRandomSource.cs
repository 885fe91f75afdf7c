using System.Security.Cryptography;
using Punchline.Protocols.Primitives;

namespace Punchline.Engine;

/// <summary>The operating system's generator. Thread-safe.</summary>
internal sealed class SystemRandomSource : IRandomSource
{
    public static SystemRandomSource Instance { get; } = new();

    public void Fill(Span<byte> destination) => RandomNumberGenerator.Fill(destination);
}
