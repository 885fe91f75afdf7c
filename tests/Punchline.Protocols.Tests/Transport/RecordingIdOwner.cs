using Punchline.Protocols.Transport.ConnectionIds;

namespace Punchline.Protocols.Tests.Transport;

/// <summary>Numbers connection ids, whose tokens are their squares, and remembers which are alive.</summary>
internal sealed class RecordingIdOwner(ulong first) : IConnectionIdOwner
{
    private ulong _next = first;

    public List<ulong> Alive { get; } = [];

    public List<ResetToken> Watched { get; } = [];

    public static ResetToken TokenOf(ulong id) => new((UInt128)id * id);

    public ulong IssueConnectionId(out ResetToken token)
    {
        Alive.Add(_next);
        token = TokenOf(_next);
        return _next++;
    }

    public void RetireConnectionId(ulong id) => Alive.Remove(id);

    public void WatchResetToken(ResetToken token) => Watched.Add(token);

    public void UnwatchResetToken(ResetToken token) => Assert.True(Watched.Remove(token));
}
