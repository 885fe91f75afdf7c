using System.Text;
using Punchline.Cli.Screen;

namespace Punchline.Cli.Tests.Screen;

public sealed class LineEditorTests
{
    private readonly KeyDecoder _decoder = new();
    private readonly LineEditor _editor = new(() => ["bob", "Bobby", "eve 漢字"]);
    private EditOutcome _outcome;

    // What is typed, and the text with its cursor.
    [Theory]
    [InlineData("abc\x01x", "x|abc")]
    [InlineData("abc\e[D\e[Dx", "ax|bc")]
    [InlineData("abc\eODx", "abx|c")]
    [InlineData("abc\e[H\e[Cx", "ax|bc")]
    [InlineData("abc\x01\x05x", "abcx|")]
    [InlineData("one two\ebx", "one x|two")]
    [InlineData("one two\e[1;5D\e[1;5Dx", "x|one two")]
    [InlineData("one two\x01\ef!", "one!| two")]
    [InlineData("one two\x17", "one |")]
    [InlineData("one two\x17\x19\x19", "one twotwo|")]
    [InlineData("one two\x01\ed", "| two")]
    [InlineData("one two\x15x", "x|")]
    [InlineData("one two\eb\x0b", "one |")]
    [InlineData("ab\x14", "ba|")]
    [InlineData("abc\x02\x14", "acb|")]
    [InlineData("abc\x7f\b", "a|")]
    [InlineData("abc\x01\e[3~\x04", "|c")]
    [InlineData("e\u0301漢👩‍💻\x7f", "e\u0301漢|")]
    [InlineData("e\u0301漢👩‍💻\x02\x02\x7f", "|漢👩‍💻")]
    [InlineData("one\e\rtwo\e[A!", "one!|\ntwo")]
    [InlineData("one\ntwo\e[A\e[B!", "one\ntwo!|")]
    [InlineData("漢字\nabcdef\e[D\e[D\e[A!", "漢字!|\nabcdef")]
    [InlineData("a\nb\x01\x02\x0b", "a|b")]
    [InlineData("bo\t", "bob: |")]
    [InlineData("bo\t\t", "Bobby: |")]
    [InlineData("bo\t\t\tx", "bob: x|")]
    [InlineData("ask EV\t", "ask eve 漢字 |")]
    [InlineData("/wh\t", "/who |")]
    [InlineData("/verify bo\t", "/verify bob |")]
    [InlineData("zz\t", "zz|")]
    [InlineData("\e[200~a\r\nb\rc\td\a\e[1m\e[201~e", "a\nb\nc\td[1me|")]
    [InlineData("\e[200~\e[201\e[201~x", "[201x|")]
    [InlineData("\e[99;99Xa\e[<0;1;1Mb\eOPc", "abc|")]
    public void Keys_edit_as_in_emacs(string typed, string expected)
    {
        Type(typed);
        Assert.Equal(expected, _editor.Text.Insert(_editor.Cursor, "|"));
        Assert.Equal(EditOutcome.None, _outcome);
    }

    [Fact]
    public void Bytes_may_be_cut_anywhere()
    {
        const string Typed = "漢\e[D👩‍💻\e[200~x\ny\e[201~\e[1;5C!";
        Type(Typed);
        var whole = (_editor.Text, _editor.Cursor);
        var decoder = new KeyDecoder();
        var editor = new LineEditor(() => []);
        List<Key> keys = [];
        foreach (var value in Encoding.UTF8.GetBytes(Typed)) decoder.Decode([value], keys);
        foreach (var key in keys) editor.Apply(key);
        Assert.Equal(whole, (editor.Text, editor.Cursor));
    }

    [Fact]
    public void What_was_sent_comes_back_and_so_does_the_draft()
    {
        foreach (var line in (string[])["one", "two"])
        {
            Type(line + "\r");
            Assert.Equal(EditOutcome.Submitted, _outcome);
            Assert.Equal(line, _editor.Take());
        }
        Type("draft\e[A");
        Assert.Equal("two", _editor.Text);
        Type("\x10\x10");
        Assert.Equal("one", _editor.Text);
        Type("\e[B\x0e");
        Assert.Equal("draft", _editor.Text);
        Type("\x0e");
        Assert.Equal("draft", _editor.Text);
    }

    [Fact]
    public void History_is_bounded()
    {
        for (var number = 0; number < InputHistory.MaxLines + 10; number++)
        {
            Type($"{number}");
            _editor.Take();
        }
        for (var times = 0; times < InputHistory.MaxLines + 100; times++) Type("\e[A");
        Assert.Equal("10", _editor.Text);
    }

    [Fact]
    public void End_of_input_ends_where_there_is_no_text()
    {
        Type("\x04");
        Assert.Equal(EditOutcome.Ended, _outcome);
    }

    [Fact]
    public void A_message_has_a_length()
    {
        Type($"\e[200~{new string('x', Room.MaxMessageBytes)}\e[201~");
        Assert.Equal(EditOutcome.None, _outcome);
        Type("y");
        Assert.Equal((EditOutcome.TooLong, Room.MaxMessageBytes), (_outcome, _editor.Text.Length));
    }

    [Fact]
    public void A_paste_of_more_than_a_message_is_cut_and_a_sequence_without_end_is_none()
    {
        List<Key> keys = [];
        _decoder.Decode(Encoding.ASCII.GetBytes($"\e[200~{new string('x', 2 * KeyDecoder.MaxPasteBytes)}\e[201~\e[{new string('1', 1000)}"), keys);
        Assert.Equal(KeyDecoder.MaxPasteBytes, keys[0].Text.Length);
        Assert.InRange(keys.Skip(1).Sum(key => key.Text.Length), 900, 1000);
    }

    private void Type(string typed)
    {
        List<Key> keys = [];
        _decoder.Decode(Encoding.UTF8.GetBytes(typed), keys);
        foreach (var key in keys) _outcome = _editor.Apply(key);
    }
}
