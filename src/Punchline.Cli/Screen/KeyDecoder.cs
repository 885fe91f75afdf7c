using System.Buffers;
using System.Text;

namespace Punchline.Cli.Screen;

/// <summary>
/// From a terminal's bytes to keys: UTF-8, control characters as Emacs has them, and the escape sequences of xterm and its like. Sequences
/// and characters may be cut anywhere; what means nothing here is passed over.
/// </summary>
internal sealed class KeyDecoder
{
    /// <summary>Of a paste; what is longer than a message may be is cut off there.</summary>
    public const int MaxPasteBytes = Room.MaxMessageBytes;

    // The longest that means something is "\e[201~"; one without end is none.
    private const int MaxSequenceLength = 32;

    private const byte Escape = 0x1b;
    private const byte Delete = 0x7f;

    private static ReadOnlySpan<byte> PasteEnd => "\e[201~"u8;

    private readonly Decoder _utf8 = Encoding.UTF8.GetDecoder();
    private readonly List<byte> _sequence = [];
    private readonly ArrayBufferWriter<byte> _paste = new();
    private readonly StringBuilder _text = new();
    private int _pasteEndMatched;
    private bool _isPasting;

    /// <param name="bytes">As they were read.</param>
    /// <param name="keys">Where their keys are added.</param>
    public void Decode(ReadOnlySpan<byte> bytes, List<Key> keys)
    {
        foreach (var value in bytes)
        {
            if (_isPasting) Paste(value, keys);
            else if (_sequence.Count > 0) ContinueSequence(value, keys);
            else if (value == Escape) Begin(keys);
            else if (value < ' ' || value == Delete) Control(value, keys);
            else Text(value);
        }
        FlushText(keys);
    }

    private void Begin(List<Key> keys)
    {
        FlushText(keys);
        _sequence.Add(Escape);
    }

    private void Text(byte value)
    {
        Span<char> characters = stackalloc char[2];
        _text.Append(characters[.._utf8.GetChars([value], characters, flush: false)]);
    }

    private void FlushText(List<Key> keys)
    {
        if (_text.Length == 0) return;
        keys.Add(new Key(KeyMeaning.Text, _text.ToString()));
        _text.Clear();
    }

    private void Control(byte value, List<Key> keys)
    {
        FlushText(keys);
        // As letters: Ctrl+A is 1.
        KeyMeaning? meaning = (char)(value | 0x40) switch
        {
            'A' => KeyMeaning.Home,
            'B' => KeyMeaning.Left,
            'D' => KeyMeaning.DeleteOrEnd,
            'E' => KeyMeaning.End,
            'F' => KeyMeaning.Right,
            'H' or (char)Delete => KeyMeaning.DeleteBefore,
            'I' => KeyMeaning.Complete,
            'J' => KeyMeaning.LineFeed,
            'K' => KeyMeaning.KillToEnd,
            'L' => KeyMeaning.Redraw,
            'M' => KeyMeaning.Submit,
            'N' => KeyMeaning.Down,
            'P' => KeyMeaning.Up,
            'T' => KeyMeaning.Transpose,
            'U' => KeyMeaning.KillToStart,
            'W' => KeyMeaning.KillWordBefore,
            'Y' => KeyMeaning.Yank,
            _ => null,
        };
        if (meaning is { } known) keys.Add(new Key(known));
    }

    private void ContinueSequence(byte value, List<Key> keys)
    {
        // An Escape within begins anew.
        if (value == Escape) _sequence.Clear();
        _sequence.Add(value);
        if (_sequence.Count == 1 || (_sequence.Count == 2 && value is (byte)'[' or (byte)'O')) return;
        var isControlSequence = _sequence[1] == '[';
        // ECMA-48 §5.4: parameters and intermediates come before, and 0x40 to 0x7e ends it.
        if (_sequence.Count > 2 && isControlSequence && value is < 0x40 or > 0x7e && _sequence.Count < MaxSequenceLength) return;
        var sequence = Encoding.Latin1.GetString([.. _sequence.Skip(1)]);
        _sequence.Clear();
        if (sequence == "[200~")
        {
            _isPasting = true;
            return;
        }
        if (MeaningOf(sequence) is { } meaning) keys.Add(new Key(meaning));
    }

    private static KeyMeaning? MeaningOf(string sequence) => sequence switch
    {
        "[A" or "OA" => KeyMeaning.Up,
        "[B" or "OB" => KeyMeaning.Down,
        "[C" or "OC" => KeyMeaning.Right,
        "[D" or "OD" => KeyMeaning.Left,
        "[H" or "OH" or "[1~" or "[7~" => KeyMeaning.Home,
        "[F" or "OF" or "[4~" or "[8~" => KeyMeaning.End,
        "[3~" => KeyMeaning.DeleteAfter,
        "[1;5C" or "[1;3C" or "f" => KeyMeaning.WordRight,
        "[1;5D" or "[1;3D" or "b" => KeyMeaning.WordLeft,
        "[3;5~" or "[3;3~" or "d" => KeyMeaning.KillWordAfter,
        "\x7f" or "\b" => KeyMeaning.KillWordBefore,
        // Alt+Enter, and Shift+Enter where the terminal tells it apart (CSI u).
        "\r" or "[13;2u" or "[27;2;13~" => KeyMeaning.LineFeed,
        "[I" => KeyMeaning.FocusIn,
        "[O" => KeyMeaning.FocusOut,
        _ => null,
    };

    private void Paste(byte value, List<Key> keys)
    {
        if (value == PasteEnd[_pasteEndMatched])
        {
            if (++_pasteEndMatched < PasteEnd.Length) return;
            keys.Add(new Key(KeyMeaning.Paste, Encoding.UTF8.GetString(_paste.WrittenSpan)));
            _paste.Clear();
            (_pasteEndMatched, _isPasting) = (0, false);
            return;
        }
        // What looked like the end was part of it. It begins with Escape, which is nowhere else in it.
        Keep(PasteEnd[.._pasteEndMatched]);
        _pasteEndMatched = value == Escape ? 1 : 0;
        if (_pasteEndMatched == 0) Keep([value]);
    }

    private void Keep(ReadOnlySpan<byte> bytes)
    {
        if (_paste.WrittenCount + bytes.Length <= MaxPasteBytes) _paste.Write(bytes);
    }
}
