using System.Text;
using Punchline.Protocols.Node;
using Punchline.Protocols.Rooms;
using Punchline.Protocols.Transport;

namespace Punchline.Engine;

/// <summary>Names of the application's protocols.</summary>
internal static class ProtocolNames
{
    /// <summary>Names that this side takes, and whether it chats.</summary>
    /// <exception cref="PunchlineException">One of them is not valid.</exception>
    public static RoomUse ToUse(IReadOnlyCollection<string>? protocols, bool hasChat)
    {
        var names = new HashSet<string>(protocols ?? [], StringComparer.Ordinal);
        foreach (var name in names)
        {
            if (FindFault(name) is { } fault) throw new PunchlineException(PunchlineError.InvalidInput, fault);
        }
        return new RoomUse(hasChat, names);
    }

    /// <summary>What is wrong with a name; null for nothing.</summary>
    public static string? FindFault(string name)
    {
        var length = Encoding.UTF8.GetByteCount(name);
        if (length is 0 or > Connection.MaxProtocolLength) return $"A protocol's name has 1 to {Connection.MaxProtocolLength} bytes in UTF-8; this one has {length}.";
        return string.Equals(name, ChatFrame.Protocol, StringComparison.Ordinal) ? $"{ChatFrame.Protocol} is the protocol of the room's messages." : null;
    }
}
