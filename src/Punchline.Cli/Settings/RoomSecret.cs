using System.Text;
using Punchline.Protocols.Rooms;

namespace Punchline.Cli.Settings;

/// <summary>What <c>--secret TEXT|auto|@FILE</c> means.</summary>
/// <param name="Text">The secret; empty: the room is open.</param>
/// <param name="IsInvented">It was made just now, and others have to be told.</param>
internal readonly record struct RoomSecret(string Text, bool IsInvented)
{
    private const string Auto = "auto";
    private const char FileMark = '@';

    // A file of another kind is told apart before it is read whole.
    private const int MaxFileBytes = RoomKeys.MaxSecretBytes + 16;

    public static RoomSecret None { get; } = new("", false);

    public bool IsWeak => Text.Length > 0 && !IsInvented && SecretStrength.Estimate(Text) < SecretStrength.EnoughBits;

    /// <summary>Who can try as often as it likes does not find it.</summary>
    public bool IsHardToGuess => Text.Length > 0 && !IsWeak;

    public static RoomSecret Invent() => new(Invented.Secret(), true);

    /// <exception cref="UsageException">It is empty, too long, or its file cannot be read.</exception>
    public static RoomSecret Parse(string value)
    {
        if (value is Auto) return Invent();
        return FromText(value.StartsWith(FileMark) ? ReadFile(value[1..]) : value);
    }

    /// <exception cref="UsageException">It is empty or too long.</exception>
    public static RoomSecret FromText(string text)
    {
        if (text.Length == 0) throw new UsageException("A secret cannot be empty. Leave out --secret for an open room, or let one be made: --secret auto.");
        return Encoding.UTF8.GetByteCount(text) <= RoomKeys.MaxSecretBytes
            ? new RoomSecret(text, false)
            : throw new UsageException($"A secret has at most {RoomKeys.MaxSecretBytes} bytes.");
    }

    private static string ReadFile(string path)
    {
        try
        {
            using var stream = File.OpenRead(path);
            var bytes = new byte[MaxFileBytes];
            var length = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            // Editors and echo end a file with a line feed that is not part of the secret.
            return Encoding.UTF8.GetString(bytes, 0, length).TrimEnd('\r', '\n');
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new UsageException($"The secret's file cannot be read: {exception.Message}");
        }
    }
}
