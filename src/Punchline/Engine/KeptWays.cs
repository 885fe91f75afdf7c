using System.Globalization;
using Punchline.Protocols.Traversal;

namespace Punchline.Engine;

/// <summary>
/// What made connections between pairs of networks, in a state directory, so that a later meeting begins with it. A text file:
/// <code>
/// punchline-ways-1
/// PAIR KIND                          64 bits in hexadecimal; 1 a fresh socket, 2 a search, 3 TCP
/// </code>
/// The newest comes last. A pair is a hash of this network, the peer's id and its network: who has the file can try ids and addresses on it.
/// </summary>
/// <param name="directory">The state directory.</param>
internal sealed class KeptWays(string directory)
{
    public const string FileName = "ways";

    private readonly KeptLines _lines = new(Path.Combine(directory, FileName), "punchline-ways-1");

    public IReadOnlyList<KnownWay> Read() => [.. _lines.Read().Select(Parse).OfType<KnownWay>()];

    public void Write(IReadOnlyList<KnownWay> known) =>
        _lines.Write(known.Select(one => string.Create(CultureInfo.InvariantCulture, $"{one.Pair:x16} {(byte)one.Kind}")));

    private static KnownWay? Parse(string line) =>
        line.Split(' ') is [var pairText, var kindText]
        && ulong.TryParse(pairText, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var pair)
        && byte.TryParse(kindText, NumberStyles.None, CultureInfo.InvariantCulture, out var kind) && Enum.IsDefined((WayKind)kind)
            ? new KnownWay(pair, (WayKind)kind)
            : null;
}
