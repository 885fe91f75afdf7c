using System.Text;
using Microsoft.Win32.SafeHandles;
using Punchline.Cli.Chat;
using Punchline.Protocols.Rooms;

namespace Punchline.Cli.Settings;

/// <summary>Asks for a room's secret at the terminal, without showing it: neither the screen, nor the history, nor the list of processes has it.</summary>
internal static class SecretPrompt
{
    private const string Prompt = "Secret: ";

    /// <exception cref="UsageException">There is no terminal to ask at, or nothing was typed.</exception>
    public static string Ask()
    {
        if (Console.IsInputRedirected)
            throw new UsageException("--secret without a value asks at a terminal, and standard input is none. Give it in a file: --secret @FILE.");
        Terminal.Error.Write(Prompt);
        // Not by Console, whose stream shows what it reads from a terminal.
        using var input = new FileStream(new SafeFileHandle(0, ownsHandle: false), FileAccess.Read, bufferSize: 0);
        var secret = Read(new LineReader(input, RoomKeys.MaxSecretBytes)) is { } line
            ? line.Text ?? throw new UsageException($"A secret has at most {RoomKeys.MaxSecretBytes} bytes.")
            : "";
        return secret.Length > 0 ? secret : throw new UsageException("No secret was typed. Leave out --secret for an open room, or let one be made: --secret auto.");
    }

    /// <summary>A line from the terminal that does not show it; null at its end.</summary>
    /// <exception cref="UsageException">The terminal cannot be silenced.</exception>
    public static InputLine? Read(LineReader input)
    {
        InputLine? line;
        if (OperatingSystem.IsWindows())
        {
            var text = Read(() => Console.ReadKey(intercept: true));
            line = new InputLine(text, Encoding.UTF8.GetByteCount(text));
        }
        else
        {
            using var silence = TerminalSilence.Begin();
            line = input.TryRead(out var typed) ? typed : null;
        }
        Terminal.Error.WriteLine();
        return line;
    }

    /// <summary>Up to Enter, with the keys that people correct themselves by: Backspace, and Ctrl+U for all of it.</summary>
    internal static string Read(Func<ConsoleKeyInfo> readKey)
    {
        var typed = new StringBuilder();
        while (true)
        {
            var key = readKey();
            switch (key)
            {
                case { Key: ConsoleKey.Enter }:
                    return typed.ToString();
                case { Key: ConsoleKey.Backspace }:
                    if (typed.Length > 0) typed.Length -= typed.Length > 1 && char.IsSurrogatePair(typed[^2], typed[^1]) ? 2 : 1;
                    break;
                case { Key: ConsoleKey.U, Modifiers: ConsoleModifiers.Control }:
                    typed.Clear();
                    break;
                default:
                    // Arrows and the like have no character of their own.
                    if (!char.IsControl(key.KeyChar)) typed.Append(key.KeyChar);
                    break;
            }
        }
    }
}
