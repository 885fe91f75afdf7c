using Punchline.Cli.Chat;

namespace Punchline.Cli.Tests.Chat;

public sealed class PromptLineTests : IDisposable
{
    // One screen shows both.
    private readonly StringWriter _screen = new() { NewLine = "\n" };

    public void Dispose() => _screen.Dispose();

    [Fact]
    public void On_a_terminal_what_is_told_takes_the_prompts_place()
    {
        var line = new PromptLine(_screen, _screen, "ann", canErase: true, inputEndsLine: true);
        line.Error.WriteLine("* In the room.");
        line.Ask();
        line.Output.WriteLine("bob: hello");
        _screen.Write("hi bob\n"); // typed, and shown by the terminal
        line.Ask();
        line.End();
        Assert.Equal("* In the room.\nann> \r\e[Kbob: hello\nann> hi bob\nann> \n", _screen.ToString());
    }

    [Fact]
    public void Without_one_each_prompt_and_all_that_is_told_has_a_line_of_its_own()
    {
        var line = new PromptLine(_screen, _screen, "ann", canErase: false, inputEndsLine: false);
        line.Ask();
        line.Output.WriteLine("bob: hello");
        line.Ask();
        line.End();
        line.Error.WriteLine("* Bye.");
        Assert.Equal("ann> \nbob: hello\nann> \nann> \n* Bye.\n", _screen.ToString());
    }
}
