using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Node;

// Where a server sees the TCP port by IPv6: asked once in a network. It shows that IPv6 leads there where no UDP does, and, where our own addresses are not
// told or a router changes them, what others can connect to.
internal sealed partial class NodeCore
{
    private TcpMappingTest? _tcpOverIPv6;

    private void QueryStunOverTcpByIPv6(Endpoint server, Timestamp now)
    {
        if (_tcpOverIPv6 is null && _services.Tcp.IsOf(server)) _tcpOverIPv6 = new TcpMappingTest(_services.Tcp, _services.Random, server, now);
    }

    private void LearnTcpOverIPv6(Timestamp now)
    {
        if (_tcpOverIPv6?.Mapped is not { IsIPv4: false } seen || seen == _services.TcpReflexiveIPv6) return;
        _services.TcpReflexiveIPv6 = seen;
        // What an interface has is told already.
        if (!_services.IsOwnTcp(seen)) HandleCandidatesChanged(now);
    }

    private void RenewTcpOverIPv6(Timestamp now)
    {
        if (_tcpOverIPv6 is not { } former) return;
        former.Close();
        (_tcpOverIPv6, _services.TcpReflexiveIPv6) = (null, null);
        QueryStunOverTcpByIPv6(former.Server, now);
    }
}
