using System.Globalization;
using System.Text;

namespace Punchline.Protocols.PortMapping;

/// <summary>What an <see cref="XmlScanner"/> found.</summary>
internal enum XmlTokenKind
{
    Start,
    End,
    Text,
}

/// <summary>
/// Reads XML from front to back, as routers write it: elements and text, namespaces' prefixes passed over. It builds nothing,
/// follows nothing and expands nothing but the five entities of XML and numbers; a document type ends it. What is not
/// well-formed is read as far as it can be.
/// </summary>
internal ref struct XmlScanner(ReadOnlySpan<byte> text)
{
    private ReadOnlySpan<byte> _rest = text;
    private bool _endsNext;

    public XmlTokenKind Kind { get; private set; }

    /// <summary>Of an element, without its prefix.</summary>
    public ReadOnlySpan<byte> Name { get; private set; }

    /// <summary>As it stands, with its entities.</summary>
    public ReadOnlySpan<byte> Text { get; private set; }

    /// <summary>Goes on to the next element's start or end, or text. False at the end, and at what cannot be read.</summary>
    public bool Read()
    {
        if (_endsNext)
        {
            _endsNext = false;
            Kind = XmlTokenKind.End;
            return true;
        }
        while (!_rest.IsEmpty)
        {
            if (_rest[0] != '<')
            {
                var end = _rest.IndexOf((byte)'<');
                Text = end < 0 ? _rest : _rest[..end];
                _rest = _rest[Text.Length..];
                Kind = XmlTokenKind.Text;
                return true;
            }
            if (_rest.StartsWith("<!--"u8))
            {
                if (!TrySkip("-->"u8, out _)) return false;
            }
            else if (_rest.StartsWith("<?"u8))
            {
                if (!TrySkip("?>"u8, out _)) return false;
            }
            else if (_rest.StartsWith("<![CDATA["u8))
            {
                if (!TrySkip("]]>"u8, out var whole)) return false;
                Text = whole["<![CDATA[".Length..^"]]>".Length];
                Kind = XmlTokenKind.Text;
                return true;
            }
            else if (_rest.StartsWith("<!"u8)) return false;
            else return TryReadTag();
        }
        return false;
    }

    /// <summary>The text right behind an element's start; empty where there is none, or it is longer than any that we ask for.</summary>
    public string ReadText(int maxBytes)
    {
        var ahead = this;
        if (!ahead.Read() || ahead.Kind != XmlTokenKind.Text || ahead.Text.Length > maxBytes) return "";
        this = ahead;
        return Decode(Text).Trim();
    }

    private static string Decode(ReadOnlySpan<byte> raw)
    {
        var text = Encoding.UTF8.GetString(raw);
        if (!text.Contains('&', StringComparison.Ordinal)) return text;
        var decoded = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            var end = text[i] == '&' ? text.IndexOf(';', i) : -1;
            if (end > i && TryDecodeEntity(text.AsSpan(i + 1, end - i - 1), out var character))
            {
                decoded.Append(character);
                i = end;
            }
            else decoded.Append(text[i]);
        }
        return decoded.ToString();
    }

    private static bool TryDecodeEntity(ReadOnlySpan<char> name, out char character)
    {
        character = name switch
        {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            _ => '\0',
        };
        if (character != 0) return true;
        if (name is not ['#', .. var number]) return false;
        var isHex = number is ['x', ..];
        var isNumber = ushort.TryParse(isHex ? number[1..] : number, isHex ? NumberStyles.AllowHexSpecifier : NumberStyles.None, CultureInfo.InvariantCulture, out var code);
        character = (char)code;
        return isNumber && code != 0 && !char.IsSurrogate(character);
    }

    private bool TryReadTag()
    {
        var end = FindTagEnd();
        if (end < 0) return false;
        var tag = _rest[1..end];
        _rest = _rest[(end + 1)..];
        Kind = XmlTokenKind.Start;
        if (tag is [(byte)'/', .. var closing])
        {
            tag = closing;
            Kind = XmlTokenKind.End;
        }
        else if (tag is [.. var empty, (byte)'/'])
        {
            tag = empty;
            _endsNext = true;
        }
        var space = tag.IndexOfAny(" \t\r\n"u8);
        var name = space < 0 ? tag : tag[..space];
        Name = name[(name.IndexOf((byte)':') + 1)..];
        return true;
    }

    // A '>' in an attribute's quotes ends nothing.
    private readonly int FindTagEnd()
    {
        var quote = (byte)0;
        for (var i = 1; i < _rest.Length; i++)
        {
            var b = _rest[i];
            if (quote != 0)
            {
                if (b == quote) quote = 0;
            }
            else if (b is (byte)'"' or (byte)'\'') quote = b;
            else if (b == '>') return i;
        }
        return -1;
    }

    private bool TrySkip(ReadOnlySpan<byte> terminator, out ReadOnlySpan<byte> skipped)
    {
        var end = _rest.IndexOf(terminator);
        skipped = end < 0 ? default : _rest[..(end + terminator.Length)];
        _rest = _rest[skipped.Length..];
        return end >= 0;
    }
}
