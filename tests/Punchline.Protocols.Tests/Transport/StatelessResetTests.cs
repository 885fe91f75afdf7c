using Punchline.Protocols.Noise;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport;
using Punchline.Protocols.Transport.ConnectionIds;
using Punchline.Simulation;

namespace Punchline.Protocols.Tests.Transport;

public sealed class StatelessResetTests
{
    private static readonly Timestamp Start = Timestamp.FromMilliseconds(1_000);

    private readonly StatelessResetKey _key = new(new byte[StatelessResetKey.Length]);
    private readonly byte[] _buffer = new byte[1_200];

    [Fact] // Python: hmac.new(bytes(32), bytes.fromhex("0102030405060708"), "sha256")
    public void A_token_is_a_MAC_of_the_id() =>
        Assert.Equal(new ResetToken(new UInt128(0xc59a063ccd78f8ef, 0x7da2e361f5027145)), _key.CreateToken(0x0102030405060708));

    [Fact]
    public void A_restarted_process_makes_the_same_tokens_and_another_peer_others()
    {
        using var identity = P256KeyPair.Generate(new SeededRandom(1));
        using var other = P256KeyPair.Generate(new SeededRandom(2));
        Assert.Equal(Secret(identity), Secret(identity));
        Assert.NotEqual(Secret(identity), Secret(other));
        var unrelated = new byte[32];
        identity.DeriveKey("another purpose"u8, unrelated);
        Assert.NotEqual(Secret(identity), unrelated);

        static byte[] Secret(P256KeyPair key)
        {
            var secret = new byte[32];
            key.DeriveKey("punchline stateless reset"u8, secret);
            return secret;
        }
    }

    [Theory]
    [InlineData(30, 0)]
    [InlineData(42, 0)]
    [InlineData(43, 1)]
    [InlineData(1_452, 1)]
    public void A_reset_is_shorter_than_what_it_answers_and_looks_like_data(int length, int answers)
    {
        var responder = new StatelessResetResponder(_key, new SeededRandom(3));
        responder.HandleUnknown(Pair.InitiatorAddress, length, 9, Start);
        var resets = Drain(responder);
        Assert.Equal(answers, resets.Count);
        foreach (var reset in resets)
        {
            Assert.InRange(reset.Length, PacketHeader.MinPacketLength, Math.Min(length - 1, StatelessResetResponder.MinTriggerLength - 1));
            Assert.True(PacketHeader.TryRead(reset, out _));
            Assert.Equal(_key.CreateToken(9), ResetToken.Read(reset.AsSpan()[^ResetToken.Length..]));
        }
    }

    [Fact]
    public void Every_length_and_both_phases_occur_and_no_reset_is_answered()
    {
        var lengths = new HashSet<int>();
        var types = new HashSet<int>();
        for (ulong seed = 0; seed < 500; seed++)
        {
            var responder = new StatelessResetResponder(_key, new SeededRandom(seed));
            responder.HandleUnknown(Pair.InitiatorAddress, 1_200, seed, Start);
            var reset = Assert.Single(Drain(responder));
            lengths.Add(reset.Length);
            types.Add(reset[0]);
            responder.HandleUnknown(Pair.InitiatorAddress, reset.Length, 0, Start);
            Assert.Empty(Drain(responder));
        }
        Assert.Equal(Enumerable.Range(30, 13), lengths.Order());
        Assert.Equal([0x80, 0x81], types.Order());
    }

    [Fact]
    public void Resets_are_few_in_all_and_to_each_address()
    {
        var responder = new StatelessResetResponder(_key, new SeededRandom(3));
        var sent = 0;
        for (var i = 0; i < 1_000; i++)
        {
            responder.HandleUnknown(new Endpoint((UInt128)(uint)i, 5_000), 1_200, 9, Start);
            sent += Drain(responder).Count;
        }
        Assert.Equal(32, sent); // the burst
        for (var i = 0; i < 1_000; i++)
        {
            responder.HandleUnknown(Pair.InitiatorAddress, 1_200, 9, Start + TimeSpan.FromSeconds(1 + (i / 100.0)));
            sent += Drain(responder).Count;
        }
        Assert.Equal(32 + 12, sent); // 12 to one address in a minute, as before any authenticated packet (PROTOCOL §5)
        for (var i = 0; i < 100; i++) responder.HandleUnknown(new Endpoint((UInt128)(uint)i, 6_000), 1_200, 9, Start + TimeSpan.FromSeconds(100));
        Assert.Equal(StatelessResetResponder.MaxQueued, Drain(responder).Count);
    }

    [Fact]
    public void The_token_of_the_id_in_use_ends_the_connection_without_a_word()
    {
        var owner = new RecordingIdOwner(100);
        var peer = new ScriptedPeer(peerParameters: TransportParameters.Default with { StatelessResetToken = new ResetToken(5) }, ids: owner);
        Assert.Equal([new ResetToken(5)], owner.Watched);
        peer.Connection.Ping();
        Assert.False(peer.Connection.HandleStatelessReset(new ResetToken(6), peer.Now));
        Assert.False(peer.Connection.IsClosed);
        Assert.True(peer.Connection.HandleStatelessReset(new ResetToken(5), peer.Now));
        Assert.Equal(CloseOrigin.StatelessReset, peer.Connection.CloseReason!.Origin);
        Assert.Equal([ConnectionEventKind.Closed], peer.Events().Select(raised => raised.Kind));
        Assert.Empty(peer.Drain());
        Assert.False(peer.Connection.HandleStatelessReset(new ResetToken(5), peer.Now));
        Assert.False(peer.Connection.IsDrained);
        peer.Now = peer.Connection.NextTimeout;
        peer.Connection.HandleTimeout(peer.Now);
        Assert.True(peer.Connection.IsDrained);
        Assert.Empty(peer.Drain());
    }

    private List<byte[]> Drain(StatelessResetResponder responder)
    {
        var resets = new List<byte[]>();
        while (responder.TryDequeueTransmit(_buffer, out var transmit)) resets.Add(_buffer[..transmit.Length]);
        return resets;
    }
}
