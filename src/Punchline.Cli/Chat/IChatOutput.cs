using System.Collections.Immutable;
using Punchline.Cli.Session;

namespace Punchline.Cli.Chat;

/// <summary>How what happens in a room is told.</summary>
internal interface IChatOutput
{
    /// <summary>We are in the room.</summary>
    void ShowReady(PeerId self, string name, string room);

    void Show(RoomEvent roomEvent);

    /// <summary>Something for people alone.</summary>
    void Notice(string text);

    /// <summary>A message of ours is on its way to all members.</summary>
    /// <param name="id">What <see cref="RoomEvent.Delivered"/> names it.</param>
    /// <param name="text">The message.</param>
    void ShowSent(ulong id, string text)
    {
    }

    /// <summary>What is known of a member's key, which it just proved.</summary>
    void ShowTrust(PeerId peer, TrustMark trust)
    {
    }

    /// <summary>How the connections have done, every <see cref="QualityMeter.Interval"/>.</summary>
    void ShowQuality(ImmutableArray<MemberQuality> qualities)
    {
    }

    /// <summary>We are not in the room any more.</summary>
    void ShowEnded()
    {
    }

    /// <summary>The next line may be typed.</summary>
    void AwaitLine()
    {
    }
}
