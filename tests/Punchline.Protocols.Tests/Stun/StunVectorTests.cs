using System.Security.Cryptography;
using System.Text;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Stun;

namespace Punchline.Protocols.Tests.Stun;

public sealed class StunVectorTests
{
    private static readonly byte[] Key = Encoding.ASCII.GetBytes(Rfc5769.Password);

    [Fact]
    public void The_sample_request_is_read()
    {
        Assert.True(StunMessage.TryRead(Rfc5769.Request, out var message));
        Assert.Equal(StunClass.Request, message.Class);
        Assert.Equal(StunMethod.Binding, message.Method);
        Assert.Equal("b7e7a701bc34d686fa87dfae", message.TransactionId.ToString());
        Assert.Equal("STUN test client", Text(message, StunAttributeType.Software));
        Assert.Equal("evtj:h6vY", Text(message, StunAttributeType.Username));
        Assert.True(message.HasFingerprint);
        Assert.True(StunIntegrity.Verify(message, Key));
        Assert.False(StunIntegrity.Verify(message, [.. Key, 0x21]));
        Assert.False(StunIntegrity.VerifySha256(message, Key));
    }

    [Fact]
    public void The_sample_IPv4_response_is_read() => ReadResponse(Rfc5769.IPv4Response, "192.0.2.1:32853");

    [Fact]
    public void The_sample_IPv6_response_is_read() =>
        ReadResponse(Rfc5769.IPv6Response, "[2001:db8:1234:5678:11:2233:4455:6677]:32853");

    [Fact]
    public void The_sample_request_with_long_term_credentials_is_read_and_written_to_the_byte()
    {
        // The name is six katakana; the password is what SASLprep makes of RFC 5769's.
        const string Username = "\u30de\u30c8\u30ea\u30c3\u30af\u30b9";
#pragma warning disable CA5351 // RFC 8489 §18.5.1.1: the long-term key is an MD5.
        var key = MD5.HashData(Encoding.UTF8.GetBytes($"{Username}:example.org:TheMatrIX"));
#pragma warning restore CA5351
        Assert.True(StunMessage.TryRead(Rfc5769.LongTermRequest, out var message));
        Assert.Equal(Username, Text(message, StunAttributeType.Username));
        Assert.Equal("f//499k954d6OL34oL9FSTvy64sA", Text(message, StunAttributeType.Nonce));
        Assert.Equal("example.org", Text(message, StunAttributeType.Realm));
        Assert.False(message.HasFingerprint);
        Assert.True(StunIntegrity.Verify(message, key));

        var writer = new StunWriter(new byte[200], StunClass.Request, StunMethod.Binding, message.TransactionId);
        writer.WriteAttribute(StunAttributeType.Username, Encoding.UTF8.GetBytes(Username));
        writer.WriteAttribute(StunAttributeType.Nonce, "f//499k954d6OL34oL9FSTvy64sA"u8);
        writer.WriteAttribute(StunAttributeType.Realm, "example.org"u8);
        writer.WriteMessageIntegrity(key);
        Assert.Equal(Convert.ToHexStringLower(Rfc5769.LongTermRequest), Convert.ToHexStringLower(writer.Written));
    }

    [Fact]
    public void The_sample_request_with_Sha256_is_read_and_written_to_the_byte()
    {
        var key = SHA256.HashData(Encoding.UTF8.GetBytes("\u30de\u30c8\u30ea\u30c3\u30af\u30b9:example.org:TheMatrIX"));
        Assert.True(StunMessage.TryRead(Rfc5769.Sha256Request, out var message));
        Assert.True(StunIntegrity.VerifySha256(message, key));
        Assert.False(StunIntegrity.Verify(message, key));

        var writer = new StunWriter(new byte[200], StunClass.Request, StunMethod.Binding, message.TransactionId);
        foreach (var attribute in message.Attributes)
        {
            if (attribute.Type != StunAttributeType.MessageIntegritySha256) writer.WriteAttribute(attribute.Type, attribute.Value);
        }
        writer.WriteMessageIntegritySha256(key);
        Assert.Equal(Convert.ToHexStringLower(Rfc5769.Sha256Request), Convert.ToHexStringLower(writer.Written));
    }

    [Fact]
    public void Each_changed_bit_of_a_sample_with_a_fingerprint_is_noticed()
    {
        foreach (var vector in Rfc5769.All.Take(3))
        {
            for (var bit = 0; bit < vector.Length * 8; bit++)
            {
                var changed = vector.ToArray();
                changed[bit / 8] ^= (byte)(1 << (bit % 8));
                Assert.False(StunMessage.TryRead(changed, out var message) && message.HasFingerprint, $"bit {bit}");
            }
        }
    }

    private static void ReadResponse(byte[] response, string mapped)
    {
        Assert.True(StunMessage.TryRead(response, out var message));
        Assert.Equal(StunClass.SuccessResponse, message.Class);
        Assert.Equal("test vector", Text(message, StunAttributeType.Software));
        Assert.True(message.TryFind(StunAttributeType.XorMappedAddress, out var value));
        Assert.True(StunAddress.TryReadXor(value, message.TransactionId, out var endpoint));
        Assert.Equal(Endpoint.Parse(mapped), endpoint);
        Assert.True(message.HasFingerprint);
        Assert.True(StunIntegrity.Verify(message, Key));

        var written = new byte[StunAddress.MaxLength];
        var length = StunAddress.WriteXor(written, endpoint, message.TransactionId);
        Assert.Equal(value, written.AsSpan(0, length));
    }

    private static string Text(in StunMessage message, StunAttributeType type)
    {
        Assert.True(message.TryFind(type, out var value));
        return Encoding.UTF8.GetString(value);
    }
}
