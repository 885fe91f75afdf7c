using System.Globalization;
using Punchline.Protocols.Traversal;

namespace Punchline.Engine;

/// <summary>
/// How long the routers of networks keep mappings, in a state directory, so that a later start need not measure it. A text file:
/// <code>
/// punchline-networks-1
/// NETWORK IDLE AGE                   64 bits in hexadecimal; seconds; seconds, or 0 where no mapping ends at an age
/// </code>
/// The newest comes last. A network is a hash of its external address and its inside prefix, or of its IPv6 prefix, each family by itself: who has the file can try addresses on it.
/// </summary>
/// <param name="directory">The state directory.</param>
internal sealed class KeptLifetimes(string directory)
{
    public const string FileName = "networks";

    // What the core would keep within its own bounds anyway.
    private const double MaxSeconds = 86_400;

    private readonly KeptLines _lines = new(Path.Combine(directory, FileName), "punchline-networks-1");

    public IReadOnlyList<KnownLifetime> Read() => [.. _lines.Read().Select(Parse).OfType<KnownLifetime>()];

    public void Write(IReadOnlyList<KnownLifetime> known) => _lines.Write(known.Select(one =>
        string.Create(CultureInfo.InvariantCulture, $"{one.Network:x16} {one.Lifetime.Idle.TotalSeconds:0.###} {one.Lifetime.MaxAge?.TotalSeconds ?? 0:0.###}")));

    private static KnownLifetime? Parse(string line) =>
        line.Split(' ') is [var networkText, var idleText, var ageText]
        && ulong.TryParse(networkText, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var network)
        && TryParseSeconds(idleText, out var idle) && idle > TimeSpan.Zero && TryParseSeconds(ageText, out var age)
            ? new KnownLifetime(network, new MappingLifetime(idle, age > TimeSpan.Zero ? age : null))
            : null;

    private static bool TryParseSeconds(string text, out TimeSpan time)
    {
        var isRead = double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) && seconds <= MaxSeconds;
        time = isRead ? TimeSpan.FromSeconds(seconds) : TimeSpan.Zero;
        return isRead;
    }
}
