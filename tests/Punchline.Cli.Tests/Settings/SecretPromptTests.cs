using Punchline.Cli.Settings;

namespace Punchline.Cli.Tests.Settings;

public sealed class SecretPromptTests
{
    private const char Backspace = '\b';
    private const char Clear = '\u0015';

    [Theory]
    [InlineData("two words\r", "two words")]
    [InlineData("ab\bc\r", "ac")]
    [InlineData("\b\ba\r", "a")]
    [InlineData("a😀\bb\r", "ab")]
    [InlineData("wrong\u0015right\r", "right")]
    [InlineData("a\0\u001b\tb\r", "ab")]
    [InlineData("\r", "")]
    public void Keys_become_a_secret(string keys, string secret)
    {
        var next = 0;
        Assert.Equal(secret, SecretPrompt.Read(() => KeyOf(keys[next++])));
    }

    private static ConsoleKeyInfo KeyOf(char c) => c switch
    {
        '\r' => new(c, ConsoleKey.Enter, false, false, false),
        Backspace => new(c, ConsoleKey.Backspace, false, false, false),
        Clear => new(c, ConsoleKey.U, false, false, control: true),
        _ => new(c, ConsoleKey.None, false, false, false),
    };
}
