using Punchline.Cli.Chat;

namespace Punchline.Cli.Web;

/// <summary>No view behind a model: pages read it themselves.</summary>
internal sealed class Silence : IChatOutput
{
    public static Silence Instance { get; } = new();

    public void ShowReady(PeerId self, string name, string room)
    {
    }

    public void Show(RoomEvent roomEvent)
    {
    }

    public void Notice(string text)
    {
    }
}
