using Punchline.Protocols.Primitives;
using Punchline.Protocols.Stun;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Node;

/// <summary>
/// Learns whom a router lets in, by a server with a second address (RFC 5780 §4.4), from a socket that has sent to one endpoint of the server's
/// alone. Where nobody else gets in, it asks at the other endpoint as well, whose packets our router has dropped before, or taken for its own: then
/// the mapping towards there is another.
/// </summary>
internal sealed class FilteringTest : ISideSocketOwner
{
    /// <summary>What an answer may take beyond the first one's round trip.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(200);

    /// <summary>For the first answer: what is farther away is not asked for more.</summary>
    public static readonly TimeSpan FirstPatience = TimeSpan.FromMilliseconds(800);

    private readonly NodeServices _services;
    private readonly Endpoint _server;
    private readonly SideSocket? _socket;
    private readonly List<(StunQuestion Question, Endpoint From)> _asked = [];
    private StunQuestion? _first;
    private StunQuestion? _anyone;
    private StunQuestion? _otherPort;
    private StunQuestion? _other;

    public FilteringTest(NodeServices services, Endpoint server)
    {
        (_services, _server) = (services, server);
        IsOver = !services.SideSockets.TryOpen(this, out _socket);
    }

    public Endpoint Server => _server;

    public bool IsOver { get; private set; }

    /// <summary>Where the server saw the socket; null: it has not answered.</summary>
    public Endpoint? Mapped => _first?.Answer?.Mapped;

    /// <summary>The server's endpoint that differs in address and port; null: it has none, or none that may be asked.</summary>
    public Endpoint? Other { get; private set; }

    public FilteringBehavior Filtering { get; private set; }

    /// <summary>A packet that came unasked has moved the port of its own host: the router takes such packets for its own. Null: not known.</summary>
    public bool? IsMovedByUnsolicited { get; private set; }

    /// <summary>What becomes of what is not let in, as the server hears of it.</summary>
    public Refusal Refusal { get; private set; }

    public Timestamp NextTimeout => IsOver ? Timestamp.Never : _asked.Aggregate(Timestamp.Never, (next, asked) => Timestamp.Min(next, asked.Question.NextTimeout));

    public void HandleSideSocket(SideSocket socket, Timestamp now)
    {
        if (socket.State == SideSocketState.Open && _first is null) _first = Ask(_server, 0, _server, FirstPatience, now);
        else if (socket.State == SideSocketState.Closed) IsOver = true;
    }

    /// <summary>True where it was for this test.</summary>
    public bool HandleDatagram(PathAddress source, in StunMessage message, Timestamp now)
    {
        if (IsOver || source.Local != _socket!.Id) return false;
        foreach (var (question, from) in _asked)
        {
            if (!question.TryAnswer(source.Remote, message, from, now)) continue;
            Proceed(now);
            return true;
        }
        return false;
    }

    public void HandleTimeout(Timestamp now)
    {
        if (IsOver) return;
        foreach (var (question, _) in _asked) question.HandleTimeout(now);
        Proceed(now);
    }

    public bool TryDequeueTransmit(Timestamp now, Span<byte> buffer, out Transmit transmit)
    {
        transmit = default;
        if (IsOver) return false;
        foreach (var (question, _) in _asked)
        {
            if (question.TryDequeueTransmit(now, buffer, _socket!.Id, out transmit)) return true;
        }
        return false;
    }

    public void Close()
    {
        IsOver = true;
        if (_socket is not null) _services.SideSockets.Close(_socket);
    }

    private void Proceed(Timestamp now)
    {
        if (_first is not { IsOver: true }) return;
        if (_first.Answer is not { } answer || !IsPair(answer.Other))
        {
            Close();
            return;
        }
        if (_anyone is null)
        {
            Other = answer.Other;
            var patience = (2 * answer.RoundTrip) + Patience;
            _anyone = Ask(_server, StunChangeRequest.ChangeAddress | StunChangeRequest.ChangePort, Other!.Value, patience, now);
            _otherPort = Ask(_server, StunChangeRequest.ChangePort, _server.WithPort(Other.Value.Port), patience, now);
        }
        if (_anyone.Answer is not null) Filtering = FilteringBehavior.EndpointIndependent;
        else if (_anyone.IsOver && _otherPort!.IsOver) Filtering = _otherPort.Answer is null ? FilteringBehavior.AddressAndPortDependent : FilteringBehavior.AddressDependent;
        else return;
        if (Filtering != FilteringBehavior.EndpointIndependent)
        {
            _other ??= Ask(Other!.Value, 0, Other.Value, (2 * answer.RoundTrip) + Patience, now, answer.Mapped.Port);
            if (!_other.IsOver) return;
            // The port that it has been moved from is another's now only towards this one destination.
            if (_other.Answer is { } moved)
            {
                if (Filtering == FilteringBehavior.AddressAndPortDependent) IsMovedByUnsolicited = moved.Mapped != answer.Mapped;
                Refusal = moved.IsRejected switch { true => Refusal.Rejects, false => Refusal.Drops, null => Refusal.Unknown };
            }
            else
            {
                // It was never there, so that it let nothing through says nothing.
                Filtering = FilteringBehavior.Unknown;
            }
        }
        Close();
    }

    // Never a weapon: a server could name whom it likes. Three small packets go to a public address and a port that a peer might have, or nowhere.
    private bool IsPair(Endpoint? other) =>
        other is { } named && named.IsIPv4 == _server.IsIPv4 && named.Address != _server.Address && named.Port != _server.Port
        && PunchPlan.IsUsable(named, AddressScope.IsLoopback(_server)) && (!AddressScope.IsPrivate(named) || AddressScope.IsPrivate(_server));

    private StunQuestion Ask(Endpoint server, uint change, Endpoint from, TimeSpan patience, Timestamp now, ushort rejectionPort = 0)
    {
        var question = new StunQuestion(StunTransactionId.Generate(_services.Random), server, change, patience, now) { RejectionPort = rejectionPort };
        _asked.Add((question, from));
        return question;
    }
}
