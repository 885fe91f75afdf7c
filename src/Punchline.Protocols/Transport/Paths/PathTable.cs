using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Transport.Paths;

/// <summary>The paths of a connection but for the one in use: those kept to return to, and addresses that are being asked.</summary>
internal sealed class PathTable
{
    /// <summary>Paths kept or asked, at most: the addresses of two generations of a peer, and a few more.</summary>
    public const int Limit = 64;

    /// <summary>Of them, at most so many that the peer did not name: whoever replays its packets from many addresses makes us ask four.</summary>
    public const int MaxObserved = 4;

    /// <summary>Paths that answered and are kept to return to.</summary>
    public const int MaxStandby = 4;

    private readonly List<NetworkPath> _paths = [];

    public int Count => _paths.Count;

    public NetworkPath this[int index] => _paths[index];

    public NetworkPath? Find(PathAddress address)
    {
        foreach (var path in _paths)
        {
            if (path.Address == address) return path;
        }
        return null;
    }

    /// <summary>Adds a path. False where there is no room for it.</summary>
    public bool TryAdd(NetworkPath path, Timestamp now)
    {
        if (!path.IsIntroduced && !path.IsValidated && CountObserved() >= MaxObserved && !TryEvict(observed => !observed.IsIntroduced && !observed.IsValidated && !observed.Challenges.IsAsking)) return false;
        if (path.IsValidated && CountStandby() >= MaxStandby) TryEvict(standby => standby.IsValidated);
        if (_paths.Count >= Limit && !TryEvict(any => !any.IsValidated && !any.Challenges.IsAsking)) return false;
        path.LastUsed = now;
        _paths.Add(path);
        return true;
    }

    public void Remove(NetworkPath path) => _paths.Remove(path);

    private int CountObserved() => _paths.Count(path => !path.IsIntroduced && !path.IsValidated);

    private int CountStandby() => _paths.Count(path => path.IsValidated);

    private bool TryEvict(Func<NetworkPath, bool> mayGo)
    {
        var oldest = _paths.Where(mayGo).MinBy(path => path.LastUsed);
        if (oldest is not null) _paths.Remove(oldest);
        return oldest is not null;
    }
}
