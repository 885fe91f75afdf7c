using System.Threading.Channels;

namespace Punchline.Cli.Screen;

/// <summary>What comes from a terminal. Its kinds are the records nested here.</summary>
internal abstract record TerminalInput
{
    private TerminalInput()
    {
    }

    /// <summary>What was typed.</summary>
    internal sealed record Bytes(ReadOnlyMemory<byte> Value) : TerminalInput;

    /// <summary>It has another size.</summary>
    internal sealed record Resized : TerminalInput;

    /// <summary>It was somebody else's for a while, whose text is on it.</summary>
    internal sealed record Resumed : TerminalInput;
}

/// <summary>A terminal that shows frames and tells of keys, and is put back as it was at the end.</summary>
internal interface IScreenTerminal : IDisposable
{
    /// <summary>Its end: nothing will be typed any more.</summary>
    ChannelReader<TerminalInput> Input { get; }

    ScreenSize Size { get; }

    /// <param name="frame">What to draw.</param>
    /// <param name="leave">What puts the terminal back as it was, from then on.</param>
    void Write(ReadOnlyMemory<byte> frame, byte[] leave);
}
