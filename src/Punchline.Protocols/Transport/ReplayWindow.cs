namespace Punchline.Protocols.Transport;

/// <summary>
/// Which packet numbers have been received: a ring of bits below the highest one. It starts at 1,024 numbers and doubles,
/// up to 65,536, whenever a number that is still missing would otherwise fall out of it. Older numbers count as received,
/// for they can no longer be told from replays.
/// </summary>
internal sealed class ReplayWindow
{
    public const int InitialSize = 1_024;
    public const int MaxSize = 65_536;
    private const int WordBits = 64;

    // Number n is bit n % 64 of word n / 64; the window is the newest _words.Length words.
    private ulong[] _words = new ulong[InitialSize / WordBits];
    private ulong _highestWord;

    /// <summary>One above the highest number received: 0 before the first.</summary>
    public ulong NextExpected { get; private set; }

    /// <summary>Numbers that the window covers now.</summary>
    public int Size => _words.Length * WordBits;

    /// <summary>Whether a number is a duplicate, or too old to know. Changes nothing, so that it can precede decryption.</summary>
    public bool HasSeen(ulong number)
    {
        var word = number / WordBits;
        if (word > _highestWord) return false;
        return word < LowestWord(_words.Length) || (Word(word) & Bit(number)) != 0;
    }

    /// <summary>Records a number whose packet has authenticated.</summary>
    public void Add(ulong number)
    {
        var word = number / WordBits;
        if (word > _highestWord) AdvanceTo(word);
        Word(word) |= Bit(number);
        NextExpected = Math.Max(NextExpected, number + 1);
    }

    private void AdvanceTo(ulong word)
    {
        while (_words.Length < MaxSize / WordBits && WouldLoseHole(word)) Grow();
        // A jump beyond the window clears every word once, not the words of the jump.
        var first = Math.Max(_highestWord + 1, word >= (ulong)_words.Length ? word - (ulong)_words.Length + 1 : 0);
        for (var entering = first; entering <= word; entering++) Word(entering) = 0;
        _highestWord = word;
    }

    private bool WouldLoseHole(ulong word)
    {
        if (word < (ulong)_words.Length) return false;
        var stays = word - (ulong)_words.Length + 1;
        if (stays > _highestWord + 1) return true; // numbers above the highest were never received
        for (var leaving = LowestWord(_words.Length); leaving < stays; leaving++)
        {
            if (Word(leaving) != ulong.MaxValue) return true;
        }
        return false;
    }

    private void Grow()
    {
        var grown = new ulong[_words.Length * 2];
        for (var word = LowestWord(_words.Length); word <= _highestWord; word++) grown[(int)(word % (ulong)grown.Length)] = Word(word);
        // What the smaller window had already given up must not look like holes.
        var lowest = LowestWord(_words.Length);
        var covered = LowestWord(grown.Length);
        for (var word = covered; word < lowest; word++) grown[(int)(word % (ulong)grown.Length)] = ulong.MaxValue;
        _words = grown;
    }

    private ulong LowestWord(int length) => _highestWord >= (ulong)length ? _highestWord - (ulong)length + 1 : 0;

    private ref ulong Word(ulong word) => ref _words[(int)(word & ((ulong)_words.Length - 1))];

    private static ulong Bit(ulong number) => 1UL << (int)(number % WordBits);
}
