using Punchline.Cli.Chat;

namespace Punchline.Cli.Settings;

/// <summary>Asks for what was not given, a line each, and again until the answer will do.</summary>
/// <param name="readLine">The next line of the input; null at its end.</param>
/// <param name="readHidden">The same, without showing it where that is a terminal.</param>
/// <param name="output">Where the questions go.</param>
/// <param name="showsEnter">The input is a terminal, which begins a new line behind an answer.</param>
internal sealed class Questions(Func<InputLine?> readLine, Func<InputLine?> readHidden, TextWriter output, bool showsEnter)
{
    /// <param name="question">With what ends it.</param>
    /// <param name="read">Makes of an answer what is wanted, or throws a <see cref="UsageException"/> that says what is wrong with it.</param>
    /// <exception cref="OperationCanceledException">There is no answer: whoever is asked has gone.</exception>
    public T Ask<T>(string question, Func<string, T> read) => Ask(question, readLine, read);

    /// <inheritdoc cref="Ask{T}(string, Func{string, T})"/>
    public T AskHidden<T>(string question, Func<string, T> read) => Ask(question, readHidden, read);

    private T Ask<T>(string question, Func<InputLine?> next, Func<string, T> read)
    {
        while (true)
        {
            output.Write(question);
            var answer = next();
            if (answer is null || !showsEnter) output.WriteLine();
            if (answer is not { } line)
            {
                throw new OperationCanceledException("The input ended before everything was answered.");
            }
            try
            {
                // A line that is longer than any message is no answer to anything.
                return read(line.Text?.Trim() ?? "");
            }
            catch (UsageException exception)
            {
                output.WriteLine(exception.Message);
            }
        }
    }
}
