using Punchline.Protocols.Primitives;
using Punchline.Protocols.Stun;

namespace Punchline.Protocols.Node;

/// <summary>
/// Learns whether hosts behind our router reach each other where the internet sees them (RFC 4787 §6): two sockets send to each other's
/// external endpoint, so that each has opened its filter for the other.
/// </summary>
internal sealed class HairpinTest : ISideSocketOwner
{
    /// <summary>A way to our own router and back.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(200);

    private readonly NodeServices _services;
    private readonly Endpoint _server;
    private readonly List<SideSocket> _sockets = [];
    private readonly List<(StunQuestion Question, SocketId From, SocketId To)> _sent = [];

    public HairpinTest(NodeServices services, Endpoint server)
    {
        (_services, _server) = (services, server);
        for (var i = 0; i < 2; i++)
        {
            if (services.SideSockets.TryOpen(this, out var socket)) _sockets.Add(socket);
        }
        if (_sockets.Count < 2) Close();
    }

    public bool IsOver { get; private set; }

    /// <summary>Null: not known.</summary>
    public bool? Hairpins { get; private set; }

    public Timestamp NextTimeout => IsOver ? Timestamp.Never : _sent.Aggregate(Timestamp.Never, (next, sent) => Timestamp.Min(next, sent.Question.NextTimeout));

    public void HandleSideSocket(SideSocket socket, Timestamp now)
    {
        if (IsOver) return;
        if (socket.State == SideSocketState.Closed) Close();
        else if (socket.Observations.Count == 0) _services.SideSockets.Query(socket, new Reflector(_server), now);
        else if (_sent.Count == 0 && _sockets.TrueForAll(one => one.Observations.Count > 0)) Cross(now);
    }

    /// <summary>True where it was for this test.</summary>
    public bool HandleDatagram(PathAddress source, in StunMessage message)
    {
        if (IsOver) return false;
        foreach (var (question, _, to) in _sent)
        {
            if (to != source.Local || !question.IsIn(message)) continue;
            Hairpins = true;
            Close();
            return true;
        }
        return false;
    }

    public void HandleTimeout(Timestamp now)
    {
        if (IsOver) return;
        foreach (var (question, _, _) in _sent) question.HandleTimeout(now);
        if (_sent.Count == 0 || !_sent.TrueForAll(sent => sent.Question.IsOver)) return;
        Hairpins = false;
        Close();
    }

    public bool TryDequeueTransmit(Timestamp now, Span<byte> buffer, out Transmit transmit)
    {
        transmit = default;
        if (IsOver) return false;
        foreach (var (question, from, _) in _sent)
        {
            if (question.TryDequeueTransmit(now, buffer, from, out transmit)) return true;
        }
        return false;
    }

    public void Close()
    {
        IsOver = true;
        foreach (var socket in _sockets) _services.SideSockets.Close(socket);
        _sockets.Clear();
    }

    private void Cross(Timestamp now)
    {
        foreach (var (from, to) in new[] { (_sockets[0], _sockets[1]), (_sockets[1], _sockets[0]) })
        {
            _sent.Add((new StunQuestion(StunTransactionId.Generate(_services.Random), to.Observations[0].Mapped, 0, Patience, now), from.Id, to.Id));
        }
    }
}
