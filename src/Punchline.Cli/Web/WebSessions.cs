using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Punchline.Cli.Web;

/// <summary>
/// Who may use the page: whoever has the link, which works once, and then the two halves that it was exchanged for. The cookie
/// alone is not enough, because browsers send it to every port of 127.0.0.1, and another may be another user's; the key,
/// which the page keeps for its own origin, is not either, because scripts can read it. Thread-safe.
/// </summary>
internal sealed class WebSessions
{
    /// <summary>The one that was opened first goes.</summary>
    public const int MaxSessions = 16;

    private const int SecretBytes = 32;

    private readonly Lock _gate = new();
    private readonly Queue<WebSessionKeys> _sessions = new();
    private string _token = NewSecret();

    /// <summary>Works once; then there is another.</summary>
    public string Token
    {
        get
        {
            lock (_gate) return _token;
        }
    }

    /// <summary>Null: the token is not the one, or was used.</summary>
    public WebSessionKeys? Open(string token)
    {
        lock (_gate)
        {
            if (!AreEqual(token, _token)) return null;
            _token = NewSecret();
            if (_sessions.Count == MaxSessions) _sessions.Dequeue();
            var session = new WebSessionKeys(NewSecret(), NewSecret());
            _sessions.Enqueue(session);
            return session;
        }
    }

    public bool IsOpen(string? cookie, string? key)
    {
        if (cookie is null || key is null) return false;
        lock (_gate)
        {
            var isOpen = false;
            foreach (var session in _sessions) isOpen |= AreEqual(cookie, session.Cookie) & AreEqual(key, session.Key);
            return isOpen;
        }
    }

    private static string NewSecret() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(SecretBytes));

    private static bool AreEqual(string given, string secret) => CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(given), Encoding.UTF8.GetBytes(secret));
}

/// <summary>The two halves of a session.</summary>
/// <param name="Cookie">No script sees it.</param>
/// <param name="Key">No other origin sees it, not even another port.</param>
internal sealed record WebSessionKeys(string Cookie, string Key);
