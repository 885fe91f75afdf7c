using System.Text;
using Punchline.Cli.Chat;

namespace Punchline.Cli.Tests.Chat;

public sealed class LineReaderTests
{
    private const int MaxBytes = 10;

    [Theory]
    [InlineData("", "")]
    [InlineData("a", "a")]
    [InlineData("a\n", "a")]
    [InlineData("a\r\nb", "a|b")]
    [InlineData("a\n\nb\n", "a||b")]
    [InlineData("\n", "|")]
    [InlineData("a\rb\n", "a\rb")]
    [InlineData("äöüß€\n", "(11)")] // 4 × 2 + 3 bytes
    [InlineData("0123456789\r\n0123456789\n", "0123456789|0123456789")]
    [InlineData("0123456789a\nnext\n", "(11)|next")]
    [InlineData("0123456789abcdef", "(16)")]
    public void Lines(string input, string lines)
    {
        Assert.Equal(lines, Read(input, pieces: int.MaxValue));
        Assert.Equal(lines, Read(input, pieces: 1));
    }

    [Fact]
    public void A_line_of_a_message_s_whole_length_arrives_whole()
    {
        var text = new string('x', Room.MaxMessageBytes);
        var reader = new LineReader(new MemoryStream(Encoding.UTF8.GetBytes($"{text}\n{text}y\nend")), Room.MaxMessageBytes);

        Assert.True(reader.TryRead(out var whole));
        Assert.True(reader.TryRead(out var tooLong));
        Assert.True(reader.TryRead(out var end));
        Assert.False(reader.TryRead(out _));
        Assert.Equal(text, whole.Text);
        Assert.Equal(new InputLine(null, Room.MaxMessageBytes + 1), tooLong);
        Assert.Equal("end", end.Text);
    }

    private static string Read(string input, int pieces)
    {
        var reader = new LineReader(new PiecemealStream(Encoding.UTF8.GetBytes(input), pieces), MaxBytes);
        var lines = new List<string>();
        while (reader.TryRead(out var line)) lines.Add(line.Text ?? $"({line.Bytes})");
        return lines is [""] ? "|" : string.Join('|', lines);
    }

    private sealed class PiecemealStream(byte[] bytes, int pieces) : MemoryStream(bytes)
    {
        public override int Read(byte[] buffer, int offset, int count) => base.Read(buffer, offset, Math.Min(count, pieces));

        public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(buffer.Length, pieces)]);
    }
}
