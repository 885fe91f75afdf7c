using Punchline.Protocols.Mdns;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Node;

/// <summary>
/// The members of a room that are heard on our links, beside whatever introduces the others: each is asked where it was heard, as addresses from the DHT
/// are, and met in the room's own way (PROTOCOL §2).
/// </summary>
/// <param name="services">The node's.</param>
/// <param name="room">Whose members.</param>
/// <param name="grace">Before an address is asked: whom a server introduces meanwhile is not met twice.</param>
internal sealed class RoomOnLinks(NodeServices services, RoomSession room, TimeSpan grace)
{
    /// <summary>Where there is a server. It needs some round trips, and who is near is still found within a second where it is away.</summary>
    public static readonly TimeSpan ServerGrace = TimeSpan.FromMilliseconds(500);

    // Members of one room that are heard, each of them under a label after the other.
    private const int MaxHints = 128;

    private readonly Queue<ulong> _hints = new();
    private byte[] _ownLabel = [];

    public TopicContacts Contacts { get; } = room.CreateContacts();

    /// <summary>What we are called on our links: who asks us names it.</summary>
    public void SetOwnLabel(ReadOnlySpan<byte> label)
    {
        if (label.SequenceEqual(_ownLabel)) return;
        _ownLabel = label.ToArray();
        AddHint(room.Keys.DeriveLinkHint(label));
    }

    public void HandleSighting(MdnsSighting sighting, Timestamp now)
    {
        var hint = room.Keys.DeriveLinkHint(sighting.Label.Span);
        // Its answers name the same.
        AddHint(hint);
        foreach (var address in sighting.Addresses) Contacts.Add(address, now + grace, hint);
    }

    /// <summary>Answers nobody any more.</summary>
    public void End()
    {
        while (_hints.TryDequeue(out var hint)) services.Routes.RemoveTopic(hint, Contacts);
    }

    // Our own of earlier networks may still be asked by: the oldest goes.
    private void AddHint(ulong hint)
    {
        if (_hints.Contains(hint)) return;
        if (_hints.Count == MaxHints) services.Routes.RemoveTopic(_hints.Dequeue(), Contacts);
        _hints.Enqueue(hint);
        services.Routes.AddTopic(hint, Contacts);
    }
}
