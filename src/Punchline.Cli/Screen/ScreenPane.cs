using System.Threading.Channels;
using Punchline.Cli.Chat;

namespace Punchline.Cli.Screen;

/// <summary>One of the rooms between which a screen turns, with what is being typed for it.</summary>
/// <param name="Number">The room's.</param>
/// <param name="View">What is to see of it.</param>
/// <param name="Editor">What is being written.</param>
/// <param name="Lines">Where lines for all in the room go.</param>
internal sealed record ScreenPane(int Number, RoomView View, LineEditor Editor, ChannelWriter<InputLine> Lines)
{
    /// <summary>Nothing goes out any more.</summary>
    public bool IsLeaving { get; set; }
}
