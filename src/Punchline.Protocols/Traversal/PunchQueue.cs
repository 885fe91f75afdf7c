namespace Punchline.Protocols.Traversal;

/// <summary>
/// Who may begin to punch: each new five-tuple is an entry in some router's table, and a room of 64 would make hundreds
/// at one moment. The others wait in the order in which they came.
/// </summary>
internal sealed class PunchQueue
{
    /// <summary>Peers punched at once, over all rooms (PROTOCOL §5).</summary>
    public const int MaxAtOnce = 16;

    private readonly LinkedList<PunchTurn> _waiting = new();

    /// <summary>Turns taken and not ended.</summary>
    public int Taken { get; private set; }

    /// <summary>Queues up.</summary>
    public PunchTurn Join()
    {
        var turn = new PunchTurn(this);
        turn.Place = _waiting.AddLast(turn);
        return turn;
    }

    internal bool IsNext(PunchTurn turn) => Taken < MaxAtOnce && _waiting.First == turn.Place;

    internal void Take(PunchTurn turn)
    {
        Leave(turn);
        Taken++;
    }

    internal void Leave(PunchTurn turn)
    {
        if (turn.Place is null) return;
        _waiting.Remove(turn.Place);
        turn.Place = null;
    }

    internal void Return() => Taken--;
}

/// <summary>One peer's place in the queue, then its turn, until it is ended.</summary>
internal sealed class PunchTurn(PunchQueue queue)
{
    private bool _isTaken;

    internal LinkedListNode<PunchTurn>? Place { get; set; }

    /// <summary>Neither taken nor ended.</summary>
    public bool IsWaiting => Place is not null;

    /// <summary>Waiting, and <see cref="TryTake"/> would succeed.</summary>
    public bool IsDue => IsWaiting && queue.IsNext(this);

    public bool TryTake()
    {
        if (!IsDue) return false;
        queue.Take(this);
        _isTaken = true;
        return true;
    }

    /// <summary>Lets the next one begin. Once more does no harm.</summary>
    public void End()
    {
        queue.Leave(this);
        if (_isTaken) queue.Return();
        _isTaken = false;
    }
}
