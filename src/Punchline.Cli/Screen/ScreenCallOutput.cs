using Punchline.Cli.Calls;
using Punchline.Cli.Session;

namespace Punchline.Cli.Screen;

/// <summary>Calls, in the room of a screen where they are answered; a question brings that into view.</summary>
internal sealed class ScreenCallOutput(RoomModel room) : PlainCallOutput(room.Notice)
{
    public override void AskWhetherToTakeIt() => room.Ask(Question);
}
