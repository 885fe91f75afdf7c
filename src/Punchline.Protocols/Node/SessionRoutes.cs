using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport.ConnectionIds;

namespace Punchline.Protocols.Node;

/// <summary>Finds the session that a packet belongs to, by what stands in clear at its beginning, or at a reset's end.</summary>
internal sealed class SessionRoutes(StatelessResetKey resetKey)
{
    /// <summary>Ids of replaced connections that are remembered: four each, of a whole room's members. The oldest goes first.</summary>
    public const int MaxReplaced = LocalConnectionIds.MaxActive * 64;

    private readonly Dictionary<ulong, PeerSession> _byHint = [];
    private readonly Dictionary<ulong, TopicContacts> _byTopic = [];
    private readonly Dictionary<ulong, PeerSession> _byConnectionId = [];
    private readonly Dictionary<UInt128, PeerSession> _byResetToken = [];
    private readonly Dictionary<PathAddress, List<PeerSession>> _byPath = [];
    private readonly Queue<ulong> _replaced = new();

    /// <summary>Hints, connection ids and reset tokens held: none are left when all sessions have ended.</summary>
    public int Count => _byHint.Count + _byTopic.Count + _byConnectionId.Count + _byResetToken.Count;

    public PeerSession? FindHint(ulong hint) => _byHint.GetValueOrDefault(hint);

    public PeerSession? FindConnection(ulong connectionId) => _byConnectionId.GetValueOrDefault(connectionId);

    /// <summary>The session whose connection a datagram resets, as it may if it is for no connection that there is.</summary>
    public PeerSession? FindReset(ReadOnlySpan<byte> datagram) => _byResetToken.GetValueOrDefault(resetKey.Digest(datagram[^ResetToken.Length..]));

    /// <summary>Whether an id is that of a connection which the same peer has replaced by another.</summary>
    public bool WasReplaced(ulong connectionId) => _replaced.Contains(connectionId);

    /// <summary>A keep-alive has no connection id: it is for every connection whose path it came over.</summary>
    public void HandleKeepAlive(PathAddress source, Timestamp now)
    {
        if (!_byPath.TryGetValue(source, out var sessions)) return;
        foreach (var session in sessions) session.HandleKeepAlive(now);
    }

    /// <summary>The session's connection uses this path from now on.</summary>
    public void AddPath(PathAddress path, PeerSession session)
    {
        if (!_byPath.TryGetValue(path, out var sessions)) _byPath.Add(path, sessions = []);
        sessions.Add(session);
    }

    /// <summary>Whether a connection uses such a path.</summary>
    public bool HasPath(Func<PathAddress, bool> condition) => _byPath.Keys.Any(condition);

    public void RemovePath(PathAddress path, PeerSession session)
    {
        if (_byPath.TryGetValue(path, out var sessions) && sessions.Remove(session) && sessions.Count == 0) _byPath.Remove(path);
    }

    /// <summary>The room whose members' contact packets have this hint.</summary>
    public TopicContacts? FindTopic(ulong hint) => _byTopic.GetValueOrDefault(hint);

    public void AddTopic(ulong hint, TopicContacts contacts) => _byTopic[hint] = contacts;

    public void RemoveTopic(ulong hint, TopicContacts contacts)
    {
        if (_byTopic.GetValueOrDefault(hint) == contacts) _byTopic.Remove(hint);
    }

    public void AddHint(ulong hint, PeerSession session) => _byHint[hint] = session;

    public void RemoveHint(ulong hint) => _byHint.Remove(hint);

    /// <summary>A connection id for packets to this session, random and not in use.</summary>
    public ulong AddConnection(PeerSession session, IRandomSource random)
    {
        ulong connectionId;
        do
        {
            connectionId = random.NextUInt64();
        }
        while (!_byConnectionId.TryAdd(connectionId, session));
        return connectionId;
    }

    public void RemoveConnection(ulong connectionId, bool isReplaced = false)
    {
        if (!_byConnectionId.Remove(connectionId) || !isReplaced) return;
        if (_replaced.Count == MaxReplaced) _replaced.Dequeue();
        _replaced.Enqueue(connectionId);
    }

    public void AddResetToken(ResetToken token, PeerSession session) => _byResetToken[Digest(token)] = session;

    public void RemoveResetToken(ResetToken token) => _byResetToken.Remove(Digest(token));

    private UInt128 Digest(ResetToken token)
    {
        Span<byte> bytes = stackalloc byte[ResetToken.Length];
        token.Write(bytes);
        return resetKey.Digest(bytes);
    }
}
