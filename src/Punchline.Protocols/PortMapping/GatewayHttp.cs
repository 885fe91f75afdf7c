namespace Punchline.Protocols.PortMapping;

/// <summary>An exchange over HTTP that the core wants done: <c>POST</c> where there is an action, else <c>GET</c>.</summary>
/// <param name="Id">What its end is told by.</param>
/// <param name="Url">On the gateway itself; there is no other.</param>
/// <param name="Action">The SOAPACTION header.</param>
/// <param name="Body">XML; empty for <c>GET</c>.</param>
internal sealed record GatewayHttpRequest(int Id, GatewayUrl Url, string? Action, ReadOnlyMemory<byte> Body);

/// <summary>How it ended, where anything came: of whatever status, and not longer than <see cref="UpnpDescription.MaxLength"/>.</summary>
internal sealed record GatewayHttpAnswer(int Status, ReadOnlyMemory<byte> Body)
{
    public const int Ok = 200;

    /// <summary>SOAP's faults come with it (UPnP Device Architecture 1.1 §3.2.2).</summary>
    public const int InternalServerError = 500;
}
