using System.Security.Cryptography;

namespace Punchline.Cli.Settings;

/// <summary>Names and secrets for those who give none: to be read aloud and typed.</summary>
internal static class Invented
{
    // Without vowels no words come about, pleasant or not; without l, o, 0 and 1 nothing is mistaken.
    private const string SecretAlphabet = "bcdfghjkmnpqrstvwxz23456789";

    // 20 characters of 27: 20 × 4.75 = 95 bits.
    private const int SecretGroups = 4;
    private const int GroupLength = 5;

    // Three syllables of 15 × 5: 421,875 names. A room's name need not be hard to guess; this one has a strong secret.
    private const string Consonants = "bdfghjklmnprstv";
    private const string Vowels = "aeiou";
    private const int Syllables = 3;

    public static string Secret() =>
        string.Join('-', Enumerable.Range(0, SecretGroups).Select(_ => RandomNumberGenerator.GetString(SecretAlphabet, GroupLength)));

    public static string RoomName() => string.Concat(
        Enumerable.Range(0, Syllables).Select(_ => RandomNumberGenerator.GetString(Consonants, 1) + RandomNumberGenerator.GetString(Vowels, 1)));
}
