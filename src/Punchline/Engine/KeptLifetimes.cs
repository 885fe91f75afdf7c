using System.Globalization;
using System.Text;
using Punchline.Protocols.Traversal;

namespace Punchline.Engine;

/// <summary>
/// How long the routers of networks keep mappings, in a state directory, so that a later start need not measure it. A text file:
/// <code>
/// punchline-networks-1
/// NETWORK IDLE AGE                   64 bits in hexadecimal; seconds; seconds, or 0 where no mapping ends at an age
/// </code>
/// The newest comes last. A network is a hash of its external address and its inside prefix: who has the file can try addresses on it. A file that is
/// not understood is one that keeps nothing yet. Thread-safe.
/// </summary>
/// <param name="directory">The state directory; made when something is first kept.</param>
internal sealed class KeptLifetimes(string directory)
{
    public const string FileName = "networks";

    private const string Version = "punchline-networks-1";

    // What the core would keep within its own bounds anyway.
    private const double MaxSeconds = 86_400;

    private readonly Lock _gate = new();
    private readonly string _path = Path.Combine(directory, FileName);

    /// <summary>What was kept; nothing where the file cannot be read.</summary>
    public IReadOnlyList<KnownLifetime> Read()
    {
        try
        {
            var lines = File.ReadAllLines(_path);
            return lines.Length == 0 || lines[0] != Version ? [] : [.. lines.Skip(1).Select(Parse).OfType<KnownLifetime>()];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>Where it cannot be kept, it is measured again the next time, and nobody need be told.</summary>
    public void Write(IReadOnlyList<KnownLifetime> known)
    {
        var text = new StringBuilder(Version).Append('\n');
        foreach (var (network, lifetime) in known)
            text.Append(CultureInfo.InvariantCulture, $"{network:x16} {lifetime.Idle.TotalSeconds:0.###} {lifetime.MaxAge?.TotalSeconds ?? 0:0.###}\n");
        lock (_gate)
        {
            try
            {
                AtomicFile.WriteAllText(_path, text.ToString());
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // A full disk is no reason to stop.
            }
        }
    }

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
