using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport;
using Punchline.Protocols.Transport.ConnectionIds;
using Punchline.Protocols.Transport.Frames;

namespace Punchline.Protocols.Tests.Transport;

public sealed class ConnectionIdTests
{
    private readonly RecordingIdOwner _owner = new(100);

    [Fact]
    public void Ids_are_issued_as_many_as_the_peer_can_hold()
    {
        var peer = Peer(peerLimit: 3);
        peer.Connection.Ping();
        var packet = Assert.Single(peer.Drain());
        Assert.Equal(["01", Issued(1, 100), Issued(2, 101)], [Hex(packet.Frames)[..2], .. Split(Hex(packet.Frames)[2..])]);
        Assert.Equal([100UL, 101], _owner.Alive);

        static IEnumerable<string> Split(string hex) => hex.Chunk(Issued(1, 100).Length).Select(chunk => new string(chunk));
    }

    [Fact]
    public void Packets_to_any_issued_id_are_taken_until_it_is_retired()
    {
        var peer = Peer(peerLimit: 4);
        peer.Drain();
        peer.Addressing = 101;
        Assert.True(peer.SendHex("01"));
        peer.Addressing = 103;
        Assert.False(peer.SendHex("01")); // never issued
        peer.Addressing = 100;
        Assert.True(peer.SendHex("19" + "02")); // RETIRE_CONNECTION_ID of 101
        Assert.Equal([100UL, 102, 103], _owner.Alive);
        Assert.Contains(Issued(4, 103), Hex(peer.Drain()[0].Frames), StringComparison.Ordinal);
        peer.Addressing = 101;
        Assert.False(peer.SendHex("01"));
        peer.Addressing = 103;
        Assert.True(peer.SendHex("19" + "02")); // again: nothing to do
        Assert.Null(peer.Connection.CloseReason);
    }

    [Theory]
    [InlineData("19" + "04", nameof(TransportError.ProtocolViolation))] // never issued
    [InlineData("19" + "00", nameof(TransportError.ProtocolViolation))] // the id of this very packet
    [InlineData("18" + "00" + "00" + "08" + "0000000000000009" + "00000000000000000000000000000001", nameof(TransportError.ProtocolViolation))] // number 0 has another id
    [InlineData("18" + "01" + "00" + "08" + "1111111111111111" + "00000000000000000000000000000001", nameof(TransportError.ProtocolViolation))] // and number 0's id another number
    [InlineData("18" + "01" + "02" + "08" + "0000000000000009" + "00000000000000000000000000000001", nameof(TransportError.FrameEncodingError))] // retires itself
    [InlineData("18" + "01" + "00" + "07" + "00000000000009" + "00000000000000000000000000000001", nameof(TransportError.FrameEncodingError))] // 7 bytes
    [InlineData("18" + "01" + "00" + "15", nameof(TransportError.FrameEncodingError))] // 21 bytes
    [InlineData("18" + "01" + "00" + "08" + "0000000000000009" + "000000000000000000000000000001", nameof(TransportError.FrameEncodingError))] // a token of 15
    public void A_broken_rule_closes_the_connection(string frames, string error)
    {
        var peer = Peer(peerLimit: 4);
        Assert.True(peer.SendHex(frames));
        peer.AssertClosedWith(Enum.Parse<TransportError>(error));
    }

    [Fact]
    public void More_ids_than_announced_close_the_connection()
    {
        var peer = Peer(peerLimit: 4);
        for (ulong i = 1; i < LocalConnectionIds.MaxActive; i++) Assert.True(Issue(peer, i));
        Assert.True(Issue(peer, 1)); // a repetition counts for nothing
        Assert.Null(peer.Connection.CloseReason);
        Issue(peer, LocalConnectionIds.MaxActive);
        peer.AssertClosedWith(TransportError.ConnectionIdLimitError);
    }

    [Fact]
    public void Another_address_of_ours_uses_the_next_id_and_retires_the_last()
    {
        var peer = Peer(peerLimit: 4);
        Assert.False(peer.Connection.TryChangeConnectionId());
        Issue(peer, 2); // arrives first
        Issue(peer, 1);
        peer.Drain();
        Assert.True(peer.Connection.TryChangeConnectionId());
        peer.AddressedBy = 1_001;
        Assert.StartsWith("19" + "00", Hex(Assert.Single(peer.Drain()).Frames), StringComparison.Ordinal);
        Assert.Equal([RecordingIdOwner.TokenOf(1_001)], _owner.Watched);
        Assert.True(peer.Connection.TryChangeConnectionId());
        peer.AddressedBy = 1_002;
        Assert.StartsWith("19" + "01", Hex(Assert.Single(peer.Drain()).Frames), StringComparison.Ordinal);
        Assert.False(peer.Connection.TryChangeConnectionId());
        Assert.Equal([RecordingIdOwner.TokenOf(1_002)], _owner.Watched);
    }

    [Fact]
    public void The_peer_can_have_ids_retired()
    {
        var peer = Peer(peerLimit: 4);
        Issue(peer, 1);
        Issue(peer, 2);
        peer.Drain();
        Issue(peer, 3, retirePriorTo: 3);
        peer.AddressedBy = 1_003;
        var frames = Hex(Assert.Single(peer.Drain()).Frames);
        for (var sequence = 0; sequence < 3; sequence++) Assert.Contains($"190{sequence}", frames, StringComparison.Ordinal);
        Issue(peer, 2); // repeated, while its retirement is on the way
        Assert.Empty(peer.Drain());
        Assert.Null(peer.Connection.CloseReason);
    }

    [Fact]
    public void Who_has_ids_retired_without_end_is_closed()
    {
        var peer = Peer(peerLimit: 4);
        for (ulong i = 1; !peer.Connection.IsClosed; i++)
        {
            Assert.InRange(i, 1UL, RemoteConnectionIds.MaxRetiring + 1UL);
            Issue(peer, i, retirePriorTo: i);
        }
        peer.AssertClosedWith(TransportError.ConnectionIdLimitError);
    }

    [Fact]
    public void Lost_frames_about_ids_are_sent_again()
    {
        var pair = new Pair(hasManyIds: true) { Passes = (side, _) => side.Name != "initiator" };
        pair.Initiator.Connection.Ping();
        pair.Run(TimeSpan.FromMilliseconds(50));
        pair.Passes = (_, _) => true;
        pair.Responder.Connection.Ping();
        Assert.True(pair.RunUntil(() => pair.Responder.Connection.TryChangeConnectionId()));
        pair.Passes = (side, _) => side.Name != "responder";
        pair.Run(TimeSpan.FromMilliseconds(50));
        pair.Passes = (_, _) => true;
        for (var i = 0; i < 20; i++) Assert.True(pair.RunUntil(() => pair.Responder.Connection.TryChangeConnectionId()), $"change {i}");
        Assert.Null(pair.Initiator.Connection.CloseReason);
    }

    [Fact]
    public void A_connection_that_is_disposed_leaves_no_id_and_no_token()
    {
        var peer = Peer(peerLimit: 4);
        Issue(peer, 1);
        peer.Connection.TryChangeConnectionId();
        Assert.NotEmpty(_owner.Alive);
        Assert.NotEmpty(_owner.Watched);
        peer.Connection.Dispose();
        Assert.Empty(_owner.Alive);
        Assert.Empty(_owner.Watched);
    }

    [Fact]
    public void Frames_about_ids_have_the_layout_of_RFC_9000()
    {
        var writer = new SpanWriter(new byte[NewConnectionIdFrame.MaxLength]);
        new NewConnectionIdFrame(SpanWriter.MaxVarInt, SpanWriter.MaxVarInt - 1, 9, new ResetToken(7)).Write(ref writer);
        Assert.Equal(NewConnectionIdFrame.MaxLength, writer.Length);
        Assert.Equal("18" + "ffffffffffffffff" + "fffffffffffffffe" + "08" + "0000000000000009" + "00000000000000000000000000000007", Hex(writer.Written));
        writer = new SpanWriter(new byte[RetireConnectionIdFrame.MaxLength]);
        new RetireConnectionIdFrame(SpanWriter.MaxVarInt).Write(ref writer);
        Assert.Equal("19" + "ffffffffffffffff", Hex(writer.Written));
    }

    private ScriptedPeer Peer(ulong peerLimit) => new(
        TransportParameters.Default, peerParameters: TransportParameters.Default with { ActiveConnectionIdLimit = peerLimit }, ids: _owner);

    // The scripted peer's own ids are 1,000 and their number.
    private static bool Issue(ScriptedPeer peer, ulong sequence, ulong retirePriorTo = 0) => peer.Send((ref SpanWriter writer) =>
        new NewConnectionIdFrame(sequence, retirePriorTo, 1_000 + sequence, RecordingIdOwner.TokenOf(1_000 + sequence)).Write(ref writer));

    private static string Issued(ulong sequence, ulong id) => $"18{sequence:x2}0008{id:x16}{id * id:x32}";

    private static string Hex(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(bytes);
}
