using Punchline.Protocols.Coordination;

namespace Punchline.Protocols.Rooms;

/// <summary>
/// The chats with members that fell silent. A process that was only out of reach comes back as the same instance: it gets
/// what it did not acknowledge, and what it sends again is not shown twice.
/// </summary>
internal sealed class DepartedChats
{
    /// <summary>A whole room, lost and found.</summary>
    public const int MaxKept = CoordinationLimits.MaxMembersPerRoom;

    /// <summary>Bytes of messages in all of them together: as much as one member may leave unacknowledged.</summary>
    public const long MaxBytes = ChatChannel.MaxUndeliveredBytes;

    // The oldest first.
    private readonly List<(InstanceId Instance, ChatChannel Chat)> _kept = [];

    public int Count => _kept.Count;

    /// <summary>Keeps one, for which older ones may have to go.</summary>
    public void Keep(InstanceId instance, ChatChannel chat)
    {
        _kept.Add((instance, chat));
        while (_kept.Count > MaxKept || _kept.Sum(kept => kept.Chat.UndeliveredBytes) > MaxBytes) _kept.RemoveAt(0);
    }

    /// <summary>Null: there was none, or it had to go.</summary>
    public ChatChannel? Take(InstanceId instance)
    {
        var index = _kept.FindIndex(kept => kept.Instance == instance);
        if (index < 0) return null;
        var chat = _kept[index].Chat;
        _kept.RemoveAt(index);
        return chat;
    }
}
