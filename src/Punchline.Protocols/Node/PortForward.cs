using Punchline.Protocols.Primitives;
using Punchline.Protocols.Stun;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Node;

/// <summary>
/// Ports that somebody chose, and may have had the router forward to this machine: by the same number. Nothing tells a machine of that, so where STUN servers see
/// another port, one of them is asked by a side socket to answer at the chosen one (RESPONSE-PORT, RFC 5780 §7.5): only a forward lets that in.
/// </summary>
internal sealed class PortForward(NodeServices services) : ISideSocketOwner
{
    /// <summary>What the answer may take beyond a round trip.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(200);

    /// <summary>As long where no round trip was measured.</summary>
    public static readonly TimeSpan LongestRoundTrip = TimeSpan.FromMilliseconds(400);

    private SideSocket? _socket;
    private StunQuestion? _forwarded;
    private StunQuestion? _presence;
    private Endpoint _server;
    private UInt128 _address;
    private bool _isNews;

    /// <summary>UDP's; 0: any did.</summary>
    public ushort UdpPort { get; set; }

    /// <summary>TCP's, of which nobody can be asked whether it is forwarded.</summary>
    public ushort TcpPort { get; set; }

    /// <summary>The router forwards UDP's. Null: not known, or the port is kept anyway.</summary>
    public bool? IsForwarded { get; private set; }

    public bool IsTesting => _socket is not null;

    public Timestamp NextTimeout => _socket is null ? Timestamp.Never : _isNews ? Timestamp.Zero : Timestamp.Min(_forwarded?.NextTimeout ?? Timestamp.Never, _presence?.NextTimeout ?? Timestamp.Never);

    /// <summary>Where peers get in by it, unless it is known that they do not; null as well where STUN servers see the very same, or nothing.</summary>
    public Endpoint? Udp => IsForwarded is false || Reflexive(services.Reflexive) is not { } seen ? null : Elsewhere(seen, UdpPort);

    /// <inheritdoc cref="Udp"/>
    public Endpoint? Tcp => (services.TcpReflexive.Mapped ?? Reflexive(services.Reflexive)) is { } seen ? Elsewhere(seen, TcpPort) : null;

    /// <summary>STUN servers see us, maybe elsewhere than before.</summary>
    public void HandleReflexive(Timestamp now)
    {
        if (Reflexive(services.Reflexive) is not { } seen || seen.Address == _address || Elsewhere(seen, UdpPort) is null || services.Reflectors.StunServers is not [var server, ..]) return;
        Close();
        (_address, _server, IsForwarded) = (seen.Address, server, null);
        services.SideSockets.TryOpen(this, out _socket);
    }

    /// <summary>This machine is somewhere else, or has another address there: what was found out counts no more.</summary>
    public void Restart()
    {
        Close();
        (_address, IsForwarded) = (default, null);
    }

    /// <summary>Whether what is known has changed since this was asked last.</summary>
    public bool TakeNews()
    {
        var isNews = _isNews;
        _isNews = false;
        return isNews;
    }

    public void HandleSideSocket(SideSocket socket, Timestamp now)
    {
        if (socket.State != SideSocketState.Open)
        {
            Close();
            return;
        }
        var patience = (2 * (services.ServerRoundTrip ?? LongestRoundTrip)) + Patience;
        _forwarded = new StunQuestion(StunTransactionId.Generate(services.Random), _server, 0, patience, now) { ResponsePort = UdpPort };
        _presence = new StunQuestion(StunTransactionId.Generate(services.Random), _server, 0, patience, now);
    }

    /// <summary>True where it was the answer: at the main socket. Some routers give what comes in by a forward another source port, where ours has spoken to the server itself.</summary>
    public bool HandleDatagram(Endpoint source, in StunMessage message, Timestamp now)
    {
        if (_forwarded?.TryAnswer(source, message, source, now) is not true) return false;
        Conclude(_forwarded.Answer is null ? null : true);
        return true;
    }

    public void HandleStun(SideSocket socket, Endpoint source, ReadOnlySpan<byte> datagram, Timestamp now)
    {
        if (!StunMessage.TryRead(datagram, out var message)) return;
        // Answered where it was asked, be it by an error: the server does not do it.
        if (_forwarded?.TryAnswer(source, message, _server, now) is true) Conclude(null);
        else _presence?.TryAnswer(source, message, _server, now);
    }

    public void HandleTimeout(Timestamp now)
    {
        if (_forwarded is null || _presence is null) return;
        _forwarded.HandleTimeout(now);
        _presence.HandleTimeout(now);
        if (_forwarded.IsOver && _presence.IsOver) Conclude(_presence.Answer is null ? null : false);
    }

    public bool TryDequeueTransmit(Timestamp now, Span<byte> buffer, out Transmit transmit)
    {
        transmit = default;
        return _socket is not null && (_forwarded?.TryDequeueTransmit(now, buffer, _socket.Id, out transmit) is true || _presence?.TryDequeueTransmit(now, buffer, _socket.Id, out transmit) is true);
    }

    private void Conclude(bool? isForwarded)
    {
        _isNews |= IsForwarded != isForwarded;
        IsForwarded = isForwarded;
        Close();
    }

    private void Close()
    {
        if (_socket is not null) services.SideSockets.Close(_socket);
        (_socket, _forwarded, _presence) = (null, null, null);
    }

    private static Endpoint? Reflexive(IReadOnlyList<Endpoint> seen) => seen.Where(endpoint => endpoint.IsIPv4).Select(endpoint => (Endpoint?)endpoint).FirstOrDefault();

    // Without a router in between there is nothing to forward; where it keeps the port, peers are told of that anyway.
    private Endpoint? Elsewhere(Endpoint seen, ushort port) =>
        port == 0 || seen.Port == port || AddressScope.IsPrivate(seen) || services.HostAddresses.Any(host => host.Endpoint.Address == seen.Address) ? null : seen.WithPort(port);
}
