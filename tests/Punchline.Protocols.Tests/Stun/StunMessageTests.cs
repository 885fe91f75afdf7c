using Punchline.Protocols.Primitives;
using Punchline.Protocols.Stun;
using Punchline.Simulation;

namespace Punchline.Protocols.Tests.Stun;

public sealed class StunMessageTests
{
    private const int FuzzRuns = 20_000;
    private const string Header = "000100002112a442000000000000000000000001";

    [Theory] // RFC 8489 §5 and §18.2: the binding method's four types, and a method with all its bits.
    [InlineData(StunClass.Request, 0x001, 0x0001)]
    [InlineData(StunClass.Indication, 0x001, 0x0011)]
    [InlineData(StunClass.SuccessResponse, 0x001, 0x0101)]
    [InlineData(StunClass.ErrorResponse, 0x001, 0x0111)]
    [InlineData(StunClass.Request, 0xfff, 0x3eef)]
    internal void Class_and_method_interleave(StunClass messageClass, int method, ushort type)
    {
        Assert.Equal(type, StunMessageType.Encode(messageClass, (StunMethod)method));
        Assert.Equal(messageClass, StunMessageType.Class(type));
        Assert.Equal((StunMethod)method, StunMessageType.Method(type));
    }

    [Theory]
    [InlineData(Header, true)]
    [InlineData("000100002112a4420000000000000000000000", false)] // short header
    [InlineData("400100002112a442000000000000000000000001", false)] // first bits not 0
    [InlineData("000100002112a443000000000000000000000001", false)] // another cookie
    [InlineData("000100042112a442000000000000000000000001", false)] // length beyond the datagram
    [InlineData("000100002112a44200000000000000000000000180220000", false)] // length short of it
    [InlineData("000100022112a4420000000000000000000000018022", false)] // half an attribute header
    [InlineData("000100042112a44200000000000000000000000180220000", true)]
    [InlineData("000100042112a44200000000000000000000000180220001", false)] // value beyond the end
    [InlineData("000100052112a4420000000000000000000000018022000161", false)] // not padded
    [InlineData("000100082112a4420000000000000000000000018022000161202020", true)] // padding is not looked at
    [InlineData("000100082112a4420000000000000000000000018022ffff61000000", false)]
    public void Only_whole_messages_are_read(string hex, bool isWhole) =>
        Assert.Equal(isWhole, StunMessage.TryRead(Convert.FromHexString(hex), out _));

    [Theory]
    [InlineData(StunMessage.MaxLength, true)]
    [InlineData(StunMessage.MaxLength + 4, false)]
    public void The_longest_message_fills_an_Ethernet_packet(int length, bool isRead)
    {
        var message = Convert.FromHexString(Header + "80220000").Concat(new byte[length - 24]).ToArray();
        (message[2], message[3]) = ((byte)((length - 20) >> 8), (byte)(length - 20));
        (message[22], message[23]) = ((byte)((length - 24) >> 8), (byte)(length - 24));
        Assert.Equal(isRead, StunMessage.TryRead(message, out _));
    }

    [Fact]
    public void Fingerprint_is_the_last_attribute()
    {
        var writer = new StunWriter(new byte[100], StunClass.Request, StunMethod.Binding, default);
        writer.WriteFingerprint();
        Assert.True(StunMessage.TryRead(writer.Written, out var message) && message.HasFingerprint);
        writer.WriteAttribute(StunAttributeType.Software, "late"u8);
        Assert.False(StunMessage.TryRead(writer.Written, out _));
    }

    [Fact]
    public void Attributes_behind_integrity_are_ignored()
    {
        var key = "key"u8;
        var writer = new StunWriter(new byte[300], StunClass.Request, StunMethod.Binding, default);
        writer.WriteAttribute(StunAttributeType.Username, "u"u8);
        writer.WriteMessageIntegrity(key);
        writer.WriteAttribute(StunAttributeType.Nonce, "unauthenticated"u8);
        writer.WriteMessageIntegritySha256(key);
        writer.WriteMessageIntegrity("another"u8);
        writer.WriteAttribute(StunAttributeType.Realm, "unauthenticated"u8);
        writer.WriteFingerprint();

        Assert.True(StunMessage.TryRead(writer.Written, out var message));
        var seen = new List<StunAttributeType>();
        foreach (var attribute in message.Attributes) seen.Add(attribute.Type);
        Assert.Equal(
            [StunAttributeType.Username, StunAttributeType.MessageIntegrity, StunAttributeType.MessageIntegritySha256, StunAttributeType.Fingerprint],
            seen);
        Assert.True(StunIntegrity.Verify(message, key));
        Assert.True(StunIntegrity.VerifySha256(message, key));
    }

    [Theory] // RFC 8489 §14.6 leaves truncation to the usage, and ours does not allow it.
    [InlineData(32, true)]
    [InlineData(28, false)]
    [InlineData(16, false)]
    [InlineData(0, false)]
    public void Sha256_integrity_is_not_truncated(int length, bool isValid)
    {
        var key = "key"u8;
        var covered = new StunWriter(new byte[100], StunClass.Request, StunMethod.Binding, default).Written.ToArray();
        var hash = new byte[StunIntegrity.Sha256Length];
        StunIntegrity.Compute(StunAttributeType.MessageIntegritySha256, covered, length, key, hash);
        var writer = new StunWriter(new byte[100], StunClass.Request, StunMethod.Binding, default);
        writer.WriteAttribute(StunAttributeType.MessageIntegritySha256, hash.AsSpan(0, length));
        Assert.True(StunMessage.TryRead(writer.Written, out var message));
        Assert.Equal(isValid, StunIntegrity.VerifySha256(message, key));
    }

    [Fact]
    public void The_first_of_duplicates_counts()
    {
        var writer = new StunWriter(new byte[100], StunClass.SuccessResponse, StunMethod.Binding, default);
        writer.WriteAttribute(StunAttributeType.Realm, "first"u8);
        writer.WriteAttribute(StunAttributeType.Realm, "second"u8);
        Assert.True(StunMessage.TryRead(writer.Written, out var message));
        Assert.True(message.TryFind(StunAttributeType.Realm, out var realm));
        Assert.Equal("first"u8, realm);
    }

    [Theory]
    [InlineData("000004146f6b", true, 420)]
    [InlineData("00000414", true, 420)]
    [InlineData("00000263", false, 0)]
    [InlineData("00000663", true, 699)]
    [InlineData("00000700", false, 0)]
    [InlineData("00000464", false, 0)]
    [InlineData("000004", false, 0)]
    public void Error_codes_run_from_300_to_699(string hex, bool isRead, int code)
    {
        Assert.Equal(isRead, StunError.TryRead(Convert.FromHexString(hex), out var read, out _));
        Assert.Equal(code, read);
    }

    [Theory]
    [InlineData("192.0.2.1:32853", 8)]
    [InlineData("[2001:db8::1]:1", 20)]
    public void Addresses_survive_both_forms(string text, int length)
    {
        var endpoint = Endpoint.Parse(text);
        var id = new StunTransactionId(0x0102_0304, 0x0506_0708_090a_0b0c);
        var value = new byte[StunAddress.MaxLength];
        Assert.Equal(length, StunAddress.Write(value, endpoint));
        Assert.True(StunAddress.TryRead(value.AsSpan(0, length), out var plain));
        Assert.Equal(length, StunAddress.WriteXor(value, endpoint, id));
        Assert.True(StunAddress.TryReadXor(value.AsSpan(0, length), id, out var masked));
        Assert.Equal((endpoint, endpoint), (plain, masked));
        Assert.False(StunAddress.TryRead(value.AsSpan(0, length - 1), out _));
        value[1] = 3;
        Assert.False(StunAddress.TryRead(value.AsSpan(0, length), out _));
    }

    [Fact]
    public void No_mutation_of_the_samples_throws()
    {
        var random = new SeededRandom(0x5707);
        var vectors = Rfc5769.All.ToArray();
        var read = 0;
        for (var run = 0; run < FuzzRuns; run++)
        {
            var bytes = vectors[random.NextInt32(vectors.Length)].ToArray();
            for (var changes = random.NextInt32(4); changes >= 0; changes--) bytes[random.NextInt32(bytes.Length)] = (byte)random.NextInt32(256);
            if (random.NextInt32(4) == 0) bytes = bytes[..random.NextInt32(bytes.Length)];
            if (random.NextInt32(2) == 0) Reseal(bytes);
            if (Exercise(bytes)) read++;
        }
        // Both ways must have been walked often, or this test says little.
        Assert.InRange(read, FuzzRuns / 4, FuzzRuns * 3 / 4);
    }

    [Fact]
    public void No_random_attributes_throw()
    {
        var random = new SeededRandom(0x5708);
        var read = 0;
        for (var run = 0; run < FuzzRuns; run++)
        {
            var bytes = random.NextBytes(StunMessage.HeaderLength + random.NextInt32(120));
            bytes[0] &= 3;
            Reseal(bytes);
            if (bytes.Length >= 24) bytes[22] = 0;
            if (Exercise(bytes)) read++;
        }
        Assert.InRange(read, 100, FuzzRuns - 100);
    }

    // Makes the header right again, so that what is behind it is reached.
    private static void Reseal(byte[] bytes)
    {
        if (bytes.Length < StunMessage.HeaderLength) return;
        bytes[0] &= 3;
        var length = bytes.Length - StunMessage.HeaderLength;
        (bytes[2], bytes[3]) = ((byte)(length >> 8), (byte)length);
        Convert.FromHexString("2112a442").CopyTo(bytes, 4);
        // A fingerprint at the end would refuse every mutation: it becomes an attribute that nobody knows.
        if (length >= 8 && bytes[^8] == 0x80 && bytes[^7] == 0x28) bytes[^7] = 0x7f;
    }

    private static bool Exercise(byte[] bytes)
    {
        var response = new byte[StunResponder.MaxResponseLength];
        StunResponder.TryRespond(bytes, Endpoint.FromIPv4(1, 1), response, out var length);
        Assert.InRange(length, 0, StunResponder.MaxResponseLength);
        if (!StunMessage.TryRead(bytes, out var message)) return false;
        StunIntegrity.Verify(message, "k"u8);
        StunIntegrity.VerifySha256(message, "k"u8);
        foreach (var attribute in message.Attributes)
        {
            StunError.TryRead(attribute.Value, out _, out _);
            StunAddress.TryReadXor(attribute.Value, message.TransactionId, out _);
        }
        return true;
    }
}
