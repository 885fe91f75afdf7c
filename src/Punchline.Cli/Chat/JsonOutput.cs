using System.Collections.Immutable;
using System.Text.Json;
using Punchline.Cli.Session;

namespace Punchline.Cli.Chat;

/// <summary><c>--json</c>: one object a line, for programs; their names are promised, and later versions only add.</summary>
internal sealed class JsonOutput(TextWriter output, TextWriter error) : IChatOutput
{
    private readonly JsonLine _line = new(output);

    public void ShowReady(PeerId self, string name, string room) => Write("ready", json =>
    {
        WritePeer(json, self, name);
        json.WriteString("room", room);
    });

    public void Notice(string text) => error.WriteLine($"* {text}");

    public void ShowQuality(ImmutableArray<MemberQuality> qualities)
    {
        foreach (var (peer, sample) in qualities)
        {
            Write("quality", json =>
            {
                WritePeer(json, peer);
                WriteMilliseconds(json, "overMs", sample.Duration);
                WriteMilliseconds(json, "rttMs", sample.RoundTrip);
                WriteMilliseconds(json, "jitterMs", sample.Jitter);
                json.WriteNumber("packetsSent", sample.PacketsSent);
                json.WriteNumber("packetsLost", sample.PacketsLost);
                json.WriteNumber("bytesSent", sample.BytesSent);
                json.WriteNumber("bytesReceived", sample.BytesReceived);
                json.WriteNumber("pathChanges", sample.PathChanges);
            });
        }
    }

    public void Show(RoomEvent roomEvent)
    {
        switch (roomEvent)
        {
            case RoomEvent.ServerChanged changed:
                Write("server", json =>
                {
                    json.WriteString("state", NameOf(changed.State));
                    if (changed.Reason is { } why) json.WriteString("reason", why);
                });
                break;
            case RoomEvent.DhtSearched searched:
                Write("dht", json =>
                {
                    json.WriteNumber("nodes", searched.KnownNodes);
                    json.WriteNumber("addresses", searched.FoundAddresses);
                    json.WriteBoolean("portPerDestination", searched.IsPortPerDestination);
                });
                break;
            case RoomEvent.Joined joined:
                Write("joined", json => WritePeer(json, joined.Peer, joined.Name));
                break;
            case RoomEvent.Probing probing:
                Write("probing", json =>
                {
                    WritePeer(json, probing.Peer);
                    json.WriteString("transport", probing.Transport == PathTransport.Tcp ? "tcp" : "udp");
                    json.WriteStartArray("addresses");
                    foreach (var (origin, endPoint) in probing.Addresses)
                    {
                        json.WriteStartObject();
                        json.WriteString("origin", NameOf(origin));
                        json.WriteString("address", endPoint.ToString());
                        json.WriteEndObject();
                    }
                    json.WriteEndArray();
                });
                break;
            case RoomEvent.Left left:
                Write("left", json =>
                {
                    WritePeer(json, left.Peer);
                    json.WriteString("reason", left.Reason == LeaveReason.Left ? "left" : "timeout");
                });
                break;
            case RoomEvent.Connected connected:
                Write("connected", json =>
                {
                    WritePeer(json, connected.Peer, connected.Name);
                    WritePath(json, connected.Path);
                    WriteMilliseconds(json, "elapsedMs", connected.Elapsed);
                    WriteMilliseconds(json, "rttMs", connected.RoundTrip);
                });
                break;
            case RoomEvent.PathChanged changed:
                Write("path", json =>
                {
                    WritePeer(json, changed.Peer);
                    WritePath(json, changed.Path);
                    WriteMilliseconds(json, "rttMs", changed.RoundTrip);
                });
                break;
            case RoomEvent.Disconnected disconnected:
                Write("disconnected", json =>
                {
                    WritePeer(json, disconnected.Peer);
                    json.WriteString("reason", disconnected.Reason);
                });
                break;
            case RoomEvent.Trying trying:
                Write("trying", json =>
                {
                    WritePeer(json, trying.Peer);
                    json.WriteString("means", trying.Means);
                    json.WriteString("detail", trying.Detail);
                    json.WriteString("advice", trying.Advice);
                });
                break;
            case RoomEvent.Failed failed:
                Write("failed", json =>
                {
                    WritePeer(json, failed.Peer);
                    json.WriteString("cause", failed.Cause);
                    json.WriteString("detail", failed.Detail);
                    json.WriteString("advice", failed.Advice);
                });
                break;
            case RoomEvent.Message message:
                Write("message", json =>
                {
                    WritePeer(json, message.Peer, message.Name);
                    json.WriteNumber("id", message.Id);
                    json.WriteString("text", message.Text);
                });
                break;
            case RoomEvent.Delivered delivered:
                Write("delivered", json =>
                {
                    WritePeer(json, delivered.Peer);
                    json.WriteNumber("id", delivered.Id);
                });
                break;
        }
    }

    private void Write(string name, Action<Utf8JsonWriter> writeRest) => _line.Write(name, writeRest);

    private static void WritePeer(Utf8JsonWriter json, PeerId peer, string? name = null)
    {
        json.WriteString("peer", peer.ToString());
        if (name is not null) json.WriteString("name", name);
    }

    private static void WritePath(Utf8JsonWriter json, PeerPath path)
    {
        json.WriteStartObject("path");
        json.WriteString("kind", path.Kind switch { PathKind.Lan => "lan", PathKind.Mapped => "mapped", _ => "direct" });
        json.WriteString("transport", path.Transport == PathTransport.Tcp ? "tcp" : "udp");
        json.WriteString("local", path.Local.ToString());
        json.WriteString("remote", path.Remote.ToString());
        json.WriteEndObject();
    }

    // Tenths tell a LAN from a neighbour; more would be noise.
    private static void WriteMilliseconds(Utf8JsonWriter json, string name, TimeSpan time) =>
        json.WriteNumber(name, Math.Round((decimal)time.TotalMilliseconds, 1));

    internal static string NameOf(AddressOrigin origin) => origin switch
    {
        AddressOrigin.Interface => "interface",
        AddressOrigin.Mapped => "mapped",
        AddressOrigin.Opened => "opened",
        AddressOrigin.Observed => "observed",
        _ => "outside",
    };

    internal static string NameOf(ServerState state) => state switch
    {
        ServerState.Connected => "connected",
        ServerState.Lost => "lost",
        _ => "replaced",
    };
}
