namespace Punchline.Engine;

/// <summary>Why a server was trusted when it was first met.</summary>
internal enum TrustOrigin
{
    /// <summary>Its pin was given, or its key taken at first use: it must not change.</summary>
    Pin,

    /// <summary>An authority vouched for its name: its key may change as long as one does.</summary>
    CertificateStore,
}

/// <summary>A server that was trusted before.</summary>
/// <param name="Authority">As <see cref="ServerAddress.Authority"/>.</param>
/// <param name="Pin">SHA-256 of its public key in base32.</param>
/// <param name="Origin">Why it was trusted.</param>
internal sealed record KnownServer(string Authority, string Pin, TrustOrigin Origin);

/// <summary>Where trust in servers is remembered. Thread-safe.</summary>
internal interface IKnownServers
{
    KnownServer? Find(string authority);

    void Remember(KnownServer server);
}

/// <summary>
/// A text file, one line a server: <c>AUTHORITY pin|store PIN</c>, the latest last. Lines that are not understood are
/// kept, for a newer version's sake; people may edit it.
/// </summary>
/// <param name="directory">The state directory; made when something is first remembered.</param>
internal sealed class KnownServers(string directory) : IKnownServers
{
    public const string FileName = "known-servers";

    /// <summary>The oldest lines go first. 1,000 of at most 320 characters are read in a millisecond.</summary>
    public const int MaxLines = 1000;

    private const string PinWord = "pin";
    private const string StoreWord = "store";

    private readonly Lock _gate = new();
    private readonly string _path = Path.Combine(directory, FileName);

    public KnownServer? Find(string authority)
    {
        lock (_gate) return Array.FindLast(ReadLines(), line => IsOf(line, authority)) is { } line ? Parse(line) : null;
    }

    public void Remember(KnownServer server)
    {
        // Read anew, since another process may have written meanwhile; of two at the same moment the later wins, and the
        // other's server is met again as a new one.
        lock (_gate)
        {
            var lines = ReadLines().Where(line => !IsOf(line, server.Authority)).TakeLast(MaxLines - 1)
                .Append($"{server.Authority} {(server.Origin == TrustOrigin.Pin ? PinWord : StoreWord)} {server.Pin}");
            AtomicFile.WriteAllText(_path, string.Join('\n', lines) + "\n");
        }
    }

    private string[] ReadLines()
    {
        try
        {
            return File.ReadAllLines(_path);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return [];
        }
    }

    private static bool IsOf(string line, string authority) =>
        line.Length > authority.Length && line[authority.Length] == ' ' && line.StartsWith(authority, StringComparison.Ordinal) && Parse(line) is not null;

    private static KnownServer? Parse(string line) => line.Split(' ') switch
    {
        [var authority, PinWord, var pin] => new KnownServer(authority, pin, TrustOrigin.Pin),
        [var authority, StoreWord, var pin] => new KnownServer(authority, pin, TrustOrigin.CertificateStore),
        _ => null,
    };
}
