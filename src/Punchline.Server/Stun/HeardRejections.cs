using System.Net.Sockets;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Stun;
using Punchline.Sockets;

namespace Punchline.Server.Stun;

/// <summary>The last ICMP messages that came for a group's answers, on Linux, over IPv4. Thread-safe.</summary>
internal sealed class HeardRejections(TimeProvider time) : IStunRejections
{
    /// <summary>Those of more clients at once, or of a flood, push out each other.</summary>
    public const int MaxHeard = 64;

    /// <summary>A client asks within half a second.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(3);

    // Messages taken at once, before others have their turn.
    private const int MaxTaken = 16;

    private readonly Lock _lock = new();
    private readonly (Endpoint Destination, long At)[] _heard = new (Endpoint, long)[MaxHeard];
    private int _next;

    /// <summary>Whether a socket can hear them.</summary>
    public static bool IsPossibleAt(Socket socket) => OperatingSystem.IsLinux() && socket.AddressFamily == AddressFamily.InterNetwork;

    public bool Has(Endpoint destination)
    {
        lock (_lock)
        {
            foreach (var (heard, at) in _heard)
            {
                if (heard == destination && time.GetElapsedTime(at) < Lifetime) return true;
            }
            return false;
        }
    }

    /// <summary>Takes what waits at a socket, whose next call would fail by it. False: nothing did.</summary>
    public bool TakeFrom(Socket socket)
    {
        var taken = 0;
        for (; taken < MaxTaken && IcmpErrors.Take(socket) is { } error; taken++)
        {
            if (error.IsRejection) Note(error.To);
        }
        return taken > 0;
    }

    internal void Note(Endpoint destination)
    {
        lock (_lock)
        {
            _heard[_next] = (destination, time.GetTimestamp());
            _next = (_next + 1) % MaxHeard;
        }
    }
}
