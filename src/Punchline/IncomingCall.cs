using Punchline.Engine;
using Punchline.Protocols.Rooms;

namespace Punchline;

/// <summary>Why a call is not taken.</summary>
public enum CallRefusal
{
    /// <summary>It is not wanted.</summary>
    Refused,

    /// <summary>Not now.</summary>
    Busy,
}

/// <summary>
/// A call that rings: somebody who knows this peer's id wants to talk. The caller learns no address of this machine unless
/// the call is taken. Thread-safe.
/// </summary>
public sealed class IncomingCall
{
    private readonly NodeEngine _engine;
    private readonly PeerInbox _inbox;
    private readonly TaskCompletionSource _withdrawn = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal IncomingCall(NodeEngine engine, PeerInbox inbox, int number, PeerId peer, string name)
    {
        _engine = engine;
        _inbox = inbox;
        Number = number;
        Peer = peer;
        Name = name;
    }

    /// <summary>Who calls: only the holder of this id's key can.</summary>
    public PeerId Peer { get; }

    /// <summary>What the caller calls itself, which proves nothing. Free of control characters; it may be empty.</summary>
    public string Name { get; }

    /// <summary>Completes when the caller gives up, or the call has rung for 60 s. Not of a call that was answered.</summary>
    public Task Withdrawn => _withdrawn.Task;

    internal int Number { get; }

    /// <summary>Takes the call, which tells the caller this machine's addresses. Connecting goes on by itself, in a room of the two.</summary>
    /// <exception cref="PunchlineException">It rings no more, was answered already, or the inbox is closed.</exception>
    public ValueTask<Room> AcceptAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Room? room;
        try
        {
            room = Room.Take(Peer, _inbox.Number, Number, _inbox.Use, _engine);
            if (room is not null) _inbox.Adopt(room);
        }
        catch (ObjectDisposedException exception)
        {
            throw new PunchlineException(PunchlineError.Closed, "The node is closed.", exception);
        }
        _inbox.Forget(this);
        return room is null
            ? throw new PunchlineException(PunchlineError.CallWithdrawn, "The call rings no more.")
            : new ValueTask<Room>(room);
    }

    /// <summary>Does not take the call, and says why. One that rings no more needs no answer.</summary>
    public ValueTask RefuseAsync(CallRefusal refusal = CallRefusal.Refused, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        _inbox.Forget(this);
        var code = refusal == CallRefusal.Busy ? CallRefusalCode.Busy : CallRefusalCode.Refused;
        try
        {
            _engine.Run((node, now) => node.RefuseCall(_inbox.Number, Number, code, now));
        }
        catch (ObjectDisposedException)
        {
            // With the node its calls are gone.
        }
        return ValueTask.CompletedTask;
    }

    internal void Withdraw() => _withdrawn.TrySetResult();
}
