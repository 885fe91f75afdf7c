using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Punchline.Protocols.PortMapping;
using Punchline.Protocols.Primitives;

namespace Punchline.Simulation.Gateways;

/// <summary>What a gateway speaks, and how it behaves.</summary>
internal sealed record GatewayBehavior
{
    public bool Pcp { get; init; }

    public bool NatPmp { get; init; }

    /// <summary>Of the Internet Gateway Device: 1 or 2; 0 for none.</summary>
    public int Upnp { get; init; }

    /// <summary>The longest lease that it grants.</summary>
    public TimeSpan MaxLease { get; init; } = TimeSpan.FromHours(1);

    /// <summary>UPnP's error 725: what it maps stays until it is deleted.</summary>
    public bool OnlyPermanentLeases { get; init; }

    /// <summary>It speaks, and maps nothing.</summary>
    public bool Refuses { get; init; }

    /// <summary>External ports that others have.</summary>
    public IReadOnlySet<ushort> TakenPorts { get; init; } = new HashSet<ushort>();

    public static GatewayBehavior OfPcp { get; } = new() { Pcp = true };

    public static GatewayBehavior OfNatPmp { get; } = new() { NatPmp = true };

    public static GatewayBehavior OfUpnp1 { get; } = new() { Upnp = 1 };

    public static GatewayBehavior OfUpnp2 { get; } = new() { Upnp = 2 };

    /// <summary>As miniupnpd.</summary>
    public static GatewayBehavior OfAll { get; } = new() { Pcp = true, NatPmp = true, Upnp = 2 };
}

/// <summary>A mapping at a gateway.</summary>
internal sealed record GatewayMapping(Endpoint Inside, Timestamp Expires, PcpNonce Nonce);

/// <summary>A gateway that maps ports by PCP, NAT-PMP and UPnP, written from the specifications and not with our codecs.</summary>
/// <param name="behavior">What it speaks.</param>
/// <param name="address">Its address in the LAN.</param>
/// <param name="external">Its address on the other side, now.</param>
internal sealed class FakeGateway(GatewayBehavior behavior, Endpoint address, Func<UInt128> external)
{
    public const ushort HttpPort = 5_000;

    private const string Description = "/rootDesc.xml";
    private const string Control = "/ctl/IPConn";

    private readonly Dictionary<(MappedTransport Transport, ushort Port), GatewayMapping> _mappings = [];
    private Timestamp _started;

    public GatewayBehavior Behavior { get; set; } = behavior;

    /// <summary>Requests that it got, of all protocols.</summary>
    public int Requests { get; private set; }

    public Endpoint Address { get; } = address;

    /// <summary>Mappings that have not expired.</summary>
    public int CountMappings(Timestamp now) => _mappings.Values.Count(mapping => mapping.Expires > now);

    public GatewayMapping? Find(MappedTransport transport, ushort port, Timestamp now) =>
        _mappings.TryGetValue((transport, port), out var mapping) && mapping.Expires > now ? mapping : null;

    /// <summary>Power off and on: it has forgotten everything, and its clock begins anew.</summary>
    public void Restart(Timestamp now)
    {
        _mappings.Clear();
        _started = now;
    }

    /// <summary>The answer to a datagram on one of its ports; null for none.</summary>
    public byte[]? Answer(ushort port, Endpoint source, ReadOnlySpan<byte> datagram, Timestamp now)
    {
        Requests++;
        return port switch
        {
            SsdpMessage.Port => AnswerSearch(datagram),
            _ when !Behavior.Pcp && !Behavior.NatPmp => null,
            _ when datagram.Length >= 60 && datagram[0] == 2 && Behavior.Pcp => AnswerPcp(source, datagram, now),
            // RFC 6886 §3.5, RFC 6887 §9: a version that it does not know.
            _ when datagram[0] != 0 => [0, (byte)(0x80 | datagram[1]), 0, 1, .. Epoch(now)],
            _ when !Behavior.NatPmp => [2, (byte)(0x80 | datagram[1]), 0, 1, 0, 0, 0, 0, .. Epoch(now), .. new byte[12]],
            _ => AnswerNatPmp(source, datagram, now),
        };
    }

    /// <summary>The answer of its web server.</summary>
    public GatewayHttpAnswer? AnswerHttp(GatewayHttpRequest request, Endpoint client, Timestamp now)
    {
        Requests++;
        if (Behavior.Upnp == 0 || request.Url.Server != Address.WithPort(HttpPort)) return null;
        if (request.Url.Path == Description && request.Action is null) return new GatewayHttpAnswer(200, Encoding.UTF8.GetBytes(Describe()));
        if (request.Url.Path != Control || request.Action is null) return new GatewayHttpAnswer(404, default);
        var body = Encoding.UTF8.GetString(request.Body.Span);
        var action = request.Action[(request.Action.IndexOf('#', StringComparison.Ordinal) + 1)..^1];
        return action switch
        {
            "GetExternalIPAddress" => Success(action, $"<NewExternalIPAddress>{new Endpoint(external(), 0).ToIPAddress()}</NewExternalIPAddress>"),
            "AddPortMapping" or "AddAnyPortMapping" => AddPortMapping(action, body, client, now),
            "DeletePortMapping" => _mappings.Remove((TransportIn(body), ushort.Parse(Argument(body, "NewExternalPort"), CultureInfo.InvariantCulture))) ? Success(action, "") : Fault(714),
            _ => Fault(401),
        };
    }

    private byte[]? AnswerSearch(ReadOnlySpan<byte> datagram)
    {
        var text = Encoding.ASCII.GetString(datagram);
        // UPnP Device Architecture 1.1 §1.3.2: a device of version 2 answers those who look for version 1, with what they looked for.
        for (var version = 1; version <= Behavior.Upnp; version++)
        {
            var type = $"urn:schemas-upnp-org:device:InternetGatewayDevice:{version}";
            if (!text.StartsWith("M-SEARCH * HTTP/1.1\r\n", StringComparison.Ordinal) || !text.Contains($"\r\nST: {type}\r\n", StringComparison.Ordinal)) continue;
            return Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nST: {type}\r\nUSN: uuid:0::{type}\r\nEXT:\r\nLOCATION: http://{Address.WithPort(HttpPort)}{Description}\r\n\r\n");
        }
        return null;
    }

    private byte[] AnswerPcp(Endpoint source, ReadOnlySpan<byte> request, Timestamp now)
    {
        var seconds = BinaryPrimitives.ReadUInt32BigEndian(request[4..]);
        var nonce = new PcpNonce(BinaryPrimitives.ReadUInt64BigEndian(request[24..]), BinaryPrimitives.ReadUInt32BigEndian(request[32..]));
        var transport = (MappedTransport)request[36];
        var internalPort = BinaryPrimitives.ReadUInt16BigEndian(request[40..]);
        var suggested = BinaryPrimitives.ReadUInt16BigEndian(request[42..]);
        var isOurs = BinaryPrimitives.ReadUInt128BigEndian(request[8..]) == source.Address;
        var result = Behavior.Refuses ? 2 : isOurs ? 0 : 12;
        var (port, granted) = result == 0 ? Map(transport, source.WithPort(internalPort), suggested, seconds, nonce, now) : ((ushort)0, 1_800);
        var response = new byte[60];
        request[..60].CopyTo(response);
        response[1] |= 0x80;
        response[3] = (byte)result;
        BinaryPrimitives.WriteUInt32BigEndian(response.AsSpan(4), (uint)granted);
        response.AsSpan(8, 16).Clear();
        Epoch(now).CopyTo(response, 8);
        BinaryPrimitives.WriteUInt16BigEndian(response.AsSpan(42), port);
        BinaryPrimitives.WriteUInt128BigEndian(response.AsSpan(44), external());
        return response;
    }

    private byte[]? AnswerNatPmp(Endpoint source, ReadOnlySpan<byte> request, Timestamp now)
    {
        if (request.Length == 2 && request[1] == 0) return [0, 128, 0, 0, .. Epoch(now), .. Bytes((uint)external())];
        if (request.Length != 12 || request[1] is not (1 or 2)) return null;
        if (Behavior.Refuses) return [0, (byte)(0x80 | request[1]), 0, 2, .. Epoch(now)];
        var internalPort = BinaryPrimitives.ReadUInt16BigEndian(request[4..]);
        var transport = request[1] == 1 ? MappedTransport.Udp : MappedTransport.Tcp;
        var (port, granted) = Map(transport, source.WithPort(internalPort), BinaryPrimitives.ReadUInt16BigEndian(request[6..]), BinaryPrimitives.ReadUInt32BigEndian(request[8..]), default, now);
        return [0, (byte)(0x80 | request[1]), 0, 0, .. Epoch(now), (byte)(internalPort >> 8), (byte)internalPort, (byte)(port >> 8), (byte)port, .. Bytes((uint)granted)];
    }

    // What a host has mapped is renewed at its port, whatever it suggests; zero seconds delete it.
    private (ushort Port, int Seconds) Map(MappedTransport transport, Endpoint inside, ushort suggested, uint seconds, PcpNonce nonce, Timestamp now)
    {
        foreach (var (key, mapping) in _mappings)
        {
            if (mapping.Expires <= now) _mappings.Remove(key);
            else if (key.Transport == transport && mapping.Inside == inside && mapping.Nonce == nonce) suggested = key.Port;
        }
        if (seconds == 0)
        {
            _mappings.Remove((transport, suggested));
            return (0, 0);
        }
        while (suggested == 0 || IsTaken(transport, suggested, inside)) suggested = suggested == 0 ? (ushort)20_000 : (ushort)(suggested + 1);
        var granted = Math.Min(seconds, (uint)Behavior.MaxLease.TotalSeconds);
        _mappings[(transport, suggested)] = new GatewayMapping(inside, now + TimeSpan.FromSeconds(granted), nonce);
        return (suggested, (int)granted);
    }

    private bool IsTaken(MappedTransport transport, ushort port, Endpoint inside) =>
        Behavior.TakenPorts.Contains(port) || (_mappings.TryGetValue((transport, port), out var mapping) && mapping.Inside != inside);

    private GatewayHttpAnswer AddPortMapping(string action, string body, Endpoint client, Timestamp now)
    {
        var seconds = uint.Parse(Argument(body, "NewLeaseDuration"), CultureInfo.InvariantCulture);
        var port = ushort.Parse(Argument(body, "NewExternalPort"), CultureInfo.InvariantCulture);
        var inside = Endpoint.Parse($"{Argument(body, "NewInternalClient")}:{Argument(body, "NewInternalPort")}");
        var any = action == "AddAnyPortMapping";
        if (any && Behavior.Upnp < 2) return Fault(401);
        if (Behavior.Refuses || inside.Address != client.Address) return Fault(606);
        if (Behavior.OnlyPermanentLeases && seconds != 0) return Fault(725);
        if (!any && IsTaken(TransportIn(body), port, inside)) return Fault(718);
        while (IsTaken(TransportIn(body), port, inside)) port++;
        _mappings[(TransportIn(body), port)] = new GatewayMapping(inside, seconds == 0 ? Timestamp.Never : now + TimeSpan.FromSeconds(seconds), default);
        return Success(action, any ? $"<NewReservedPort>{port}</NewReservedPort>" : "");
    }

    private static MappedTransport TransportIn(string body) => Argument(body, "NewProtocol") == "UDP" ? MappedTransport.Udp : MappedTransport.Tcp;

    private static string Argument(string body, string name)
    {
        var start = body.IndexOf($"<{name}>", StringComparison.Ordinal) + name.Length + 2;
        return body[start..body.IndexOf($"</{name}>", StringComparison.Ordinal)];
    }

    private string Describe() =>
        $"""
        <?xml version="1.0"?>
        <root xmlns="urn:schemas-upnp-org:device-1-0"><device><deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:{Behavior.Upnp}</deviceType>
        <deviceList><device><deviceList><device><serviceList><service><serviceType>urn:schemas-upnp-org:service:WANIPConnection:{Behavior.Upnp}</serviceType>
        <controlURL>{Control}</controlURL></service></serviceList></device></deviceList></device></deviceList></device></root>
        """;

    private GatewayHttpAnswer Success(string action, string arguments) => new(
        200, Encoding.UTF8.GetBytes($"<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><u:{action}Response xmlns:u=\"urn:schemas-upnp-org:service:WANIPConnection:{Behavior.Upnp}\">{arguments}</u:{action}Response></s:Body></s:Envelope>"));

    private static GatewayHttpAnswer Fault(int code) => new(
        500, Encoding.UTF8.GetBytes($"<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><s:Fault><faultcode>s:Client</faultcode><faultstring>UPnPError</faultstring><detail><UPnPError xmlns=\"urn:schemas-upnp-org:control-1-0\"><errorCode>{code}</errorCode></UPnPError></detail></s:Fault></s:Body></s:Envelope>"));

    private byte[] Epoch(Timestamp now) => Bytes((uint)(now - _started).TotalSeconds);

    private static byte[] Bytes(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return bytes;
    }
}
