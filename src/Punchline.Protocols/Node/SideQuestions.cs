using Punchline.Protocols.Primitives;
using Punchline.Protocols.Stun;

namespace Punchline.Protocols.Node;

/// <summary>A request to a STUN server by one side socket, whose answer is wanted at the same or at another.</summary>
/// <param name="via">Which asks.</param>
/// <param name="at">Which is answered.</param>
/// <param name="port">The external port of <paramref name="at"/> (RESPONSE-PORT, RFC 5780 §7.5); 0 where it is that which asks.</param>
/// <param name="id">What the answer is known by.</param>
internal sealed class SideQuestion(SideSocket via, SideSocket at, ushort port, StunTransactionId id)
{
    public SideSocket Via { get; } = via;

    public SideSocket At { get; } = at;

    public ushort Port { get; } = port;

    public StunTransactionId Id { get; } = id;

    /// <summary>Requests that went out.</summary>
    public int Requests { get; set; }

    /// <summary>When the first of them did.</summary>
    public Timestamp AskedAt { get; set; }

    /// <summary>When the next one does, or it is given up.</summary>
    public Timestamp Next { get; set; }
}

/// <summary>
/// Asks one STUN server from side sockets what becomes of their mappings (RFC 5780 §4.6): a mapping lives if the server's answer to another socket's
/// request comes in by it, which renews it no more than the peer's packets would.
/// </summary>
/// <param name="services">The node's.</param>
/// <param name="server">Which has answered the main socket.</param>
internal abstract class SideQuestions(NodeServices services, Endpoint server) : ISideSocketOwner
{
    /// <summary>Requests of a question. Where one of twenty packets is lost each way, so are all four in one of 10,000 questions.</summary>
    public const int MaxRequests = 4;

    /// <summary>Behind the first answer: netfilter keeps a flow for long only where a packet came when it was older than 2 s (nf_conntrack_proto_udp.c).</summary>
    protected static readonly TimeSpan Settling = TimeSpan.FromSeconds(2.5);

    // The second soon: a mapping that is asked for just before its end is not to be taken for a dead one because a packet was lost.
    private static readonly TimeSpan FirstInterval = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan RequestInterval = TimeSpan.FromSeconds(1);

    private readonly List<SideSocket> _sockets = [];
    private readonly List<SideQuestion> _questions = [];
    private readonly Queue<SocketId> _keepAlives = new();

    public bool IsOver { get; private set; }

    public Timestamp NextTimeout
    {
        get
        {
            if (_keepAlives.Count > 0) return Timestamp.Zero;
            var next = IsOver ? Timestamp.Never : NextStep;
            foreach (var question in _questions) next = Timestamp.Min(next, question.Next);
            return next;
        }
    }

    protected IReadOnlyList<SideSocket> Sockets => _sockets;

    protected bool IsOpen => _sockets.TrueForAll(socket => socket.State == SideSocketState.Open);

    /// <summary>When <see cref="HandleStep"/> is due.</summary>
    protected abstract Timestamp NextStep { get; }

    public void HandleSideSocket(SideSocket socket, Timestamp now)
    {
        if (socket.State == SideSocketState.Closed) End();
        else if (IsOpen) HandleOpened(now);
    }

    /// <summary>A STUN message on one of the sockets.</summary>
    public void HandleStun(SideSocket socket, Endpoint source, ReadOnlySpan<byte> datagram, Timestamp now)
    {
        if (IsOver || source != server || !StunMessage.TryRead(datagram, out var message) || message.Method != StunMethod.Binding) return;
        var id = message.TransactionId;
        if (_questions.Find(asked => asked.Id == id && asked.Requests > 0) is not { } question)
        {
            HandleUnasked(socket, now);
            return;
        }
        _questions.Remove(question);
        if (message.Class == StunClass.SuccessResponse && question.At == socket && StunClient.TryReadMapped(message, out var mapped)) HandleAnswer(question, mapped, now);
        // An error, or an answer where none was wanted: it does not know RESPONSE-PORT.
        else HandleRefusal(question, now);
    }

    public void HandleTimeout(Timestamp now)
    {
        for (var i = _questions.Count - 1; i >= 0 && !IsOver; i--)
        {
            var question = _questions[i];
            if (now < question.Next || question.Requests < MaxRequests) continue;
            _questions.RemoveAt(i);
            HandleNoAnswer(question, now);
            i = Math.Min(i, _questions.Count);
        }
        if (!IsOver && now >= NextStep) HandleStep(now);
    }

    public bool TryDequeueTransmit(Timestamp now, Span<byte> buffer, out Transmit transmit)
    {
        if (_keepAlives.TryDequeue(out var socket))
        {
            buffer[0] = PacketTypes.KeepAlive;
            transmit = new Transmit(new PathAddress(socket, server), 1);
            return true;
        }
        foreach (var question in _questions)
        {
            if (now < question.Next || question.Requests == MaxRequests) continue;
            if (question.Requests++ == 0) question.AskedAt = now;
            question.Next = now + (question.Requests == 1 ? FirstInterval : RequestInterval);
            var writer = new StunWriter(buffer, StunClass.Request, StunMethod.Binding, question.Id);
            if (question.Port != 0)
            {
                Span<byte> port = stackalloc byte[StunResponsePort.Length];
                StunResponsePort.Write(port, question.Port);
                writer.WriteAttribute(StunAttributeType.ResponsePort, port);
            }
            transmit = new Transmit(new PathAddress(question.Via.Id, server), writer.Length);
            return true;
        }
        transmit = default;
        return false;
    }

    /// <summary>Gives the sockets back; whatever is under way counts no more.</summary>
    public void End()
    {
        IsOver = true;
        _questions.Clear();
        _keepAlives.Clear();
        foreach (var socket in _sockets) services.SideSockets.Close(socket);
        _sockets.Clear();
    }

    protected abstract void HandleOpened(Timestamp now);

    protected abstract void HandleStep(Timestamp now);

    protected abstract void HandleAnswer(SideQuestion question, Endpoint mapped, Timestamp now);

    protected abstract void HandleNoAnswer(SideQuestion question, Timestamp now);

    /// <summary>The server does not do what is asked of it.</summary>
    protected virtual void HandleRefusal(SideQuestion question, Timestamp now) => End();

    /// <summary>The server sends what nobody asked for now: a repetition, or something to keep a mapping that it is to let die.</summary>
    protected virtual void HandleUnasked(SideSocket socket, Timestamp now)
    {
    }

    /// <summary>False where there are too many sockets already.</summary>
    protected bool TryOpen(int count)
    {
        for (var i = 0; i < count; i++)
        {
            if (!services.SideSockets.TryOpen(this, out var socket)) return false;
            _sockets.Add(socket);
        }
        return true;
    }

    protected SideQuestion Ask(SideSocket socket, Timestamp now) => Ask(socket, socket, 0, now);

    /// <summary>Asks by one socket for an answer at another.</summary>
    protected SideQuestion Ask(SideSocket via, SideSocket at, ushort port, Timestamp now)
    {
        var question = new SideQuestion(via, at, port, StunTransactionId.Generate(services.Random)) { Next = now };
        _questions.Add(question);
        return question;
    }

    protected void Withdraw(SideQuestion question) => _questions.Remove(question);

    protected void KeepAlive(SideSocket socket) => _keepAlives.Enqueue(socket.Id);
}
