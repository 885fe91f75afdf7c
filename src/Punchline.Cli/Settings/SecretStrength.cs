namespace Punchline.Cli.Settings;

/// <summary>
/// How many bits somebody who guesses would have to go through, estimated rather too low. Letters that look like words
/// count as words from a list, everything else by its characters; what repeats or counts up hardly counts.
/// </summary>
internal static class SecretStrength
{
    /// <summary>Below this people are warned (SECURITY, open rooms). A guess costs 600,000 hashes, 2^19 more; 2^64 of them are out of reach.</summary>
    public const double EnoughBits = 64;

    // log2(7776): a word of a Diceware list. Longer runs of letters may be several words, so every 8 letters count as one.
    private const double WordBits = 12.9;
    private const int WordLetters = 8;
    private const int ShortestWord = 4;

    private const double PredictableBits = 0.5;

    public static double Estimate(string secret)
    {
        var period = PeriodOf(secret);
        var bits = Math.Log2(Math.Max(1, secret.Length / Math.Max(1, period)));
        var text = secret.AsSpan(0, period);
        while (text.Length > 0)
        {
            var letters = text.IndexOfAnyExceptInRange('a', 'z');
            if (letters < 0) letters = text.Length;
            // "Hello": one capital in front makes it no less a word.
            if (letters == 0 && char.IsAsciiLetterUpper(text[0]))
            {
                var rest = text[1..].IndexOfAnyExceptInRange('a', 'z');
                letters = rest < 0 ? text.Length : rest + 1;
            }
            if (letters >= ShortestWord && LooksLikeAWord(text[..letters]))
            {
                bits += Math.Ceiling(letters / (double)WordLetters) * WordBits;
                text = text[letters..];
                continue;
            }
            // Letters that are no word, or one other character.
            var length = Math.Max(1, letters);
            bits += EstimateCharacters(secret, period - text.Length, length);
            text = text[length..];
        }
        return bits;
    }

    private static double EstimateCharacters(string secret, int start, int length)
    {
        double bits = 0;
        for (var i = start; i < start + length; i++)
        {
            // 1234, zzzz, 9876: the step is that of the two before.
            var isPredictable = i >= 2 && secret[i] - secret[i - 1] == secret[i - 1] - secret[i - 2] && Math.Abs(secret[i] - secret[i - 1]) <= 1;
            // A separator is chosen once: the dashes after the first tell nothing.
            var isSeparatorAgain = !char.IsLetterOrDigit(secret[i]) && secret.IndexOf(secret[i], StringComparison.Ordinal) < i;
            bits += isPredictable || isSeparatorAgain ? PredictableBits : Math.Log2(AlphabetOf(secret[i]));
        }
        return bits;
    }

    private static int AlphabetOf(char c) => c switch
    {
        >= '0' and <= '9' => 10,
        >= 'a' and <= 'z' or >= 'A' and <= 'Z' => 26,
        < (char)0x80 => 33,
        // Some script's alphabet; nobody guesses which of its characters is likelier.
        _ => 40,
    };

    // Vowels are a fifth and more of any European language's words.
    private static bool LooksLikeAWord(ReadOnlySpan<char> letters)
    {
        var vowels = 0;
        foreach (var letter in letters) vowels += "aeiouyAEIOUY".Contains(letter, StringComparison.Ordinal) ? 1 : 0;
        return vowels * 5 >= letters.Length;
    }

    // "abcabcabc" has period 3.
    private static int PeriodOf(string text)
    {
        for (var period = 1; period <= text.Length / 2; period++)
        {
            if (text.Length % period == 0 && text.AsSpan(period).SequenceEqual(text.AsSpan(0, text.Length - period))) return period;
        }
        return text.Length;
    }
}
