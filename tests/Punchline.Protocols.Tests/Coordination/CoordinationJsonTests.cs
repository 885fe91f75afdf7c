using System.Text;
using Punchline.Protocols.Coordination;
using Punchline.Protocols.Primitives;
using Punchline.Simulation;

namespace Punchline.Protocols.Tests.Coordination;

public sealed class CoordinationJsonTests
{
    private const string Id = "abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrsq";
    private static readonly MemberEntry Member = new(
        PeerId.Parse(Id), new InstanceId(1), 7, Endpoint.Parse("198.51.100.1:0"), [0xfb, 0xff]);

    // The golden texts of the first version: what was once understood must stay understood.
    private const string MemberText = $$"""{"id":"{{Id}}","instance":"AAAAAAAAAAAAAAAAAAAAAQ","generation":7,"address":"198.51.100.1","blob":"-_8"}""";

    public static TheoryData<string> ClientTexts => new(
        $$"""{"type":"join","key":"BAE","instance":"AAAAAAAAAAAAAAAAAAAAAQ","generation":4294967295,"blob":"-_8","mac":"{{new string('A', 43)}}"}""",
        """{"type":"update","generation":8,"blob":""}""",
        """{"type":"heartbeat"}""",
        """{"type":"leave"}""",
        $$"""{"type":"signal","to":"{{Id}}","data":"-_8"}""");

    public static TheoryData<string> ServerTexts => new(
        $$"""{"type":"challenge","nonce":"{{new string('A', 43)}}","key":"BAE","stun":["203.0.113.10:8080","[2001:db8::1]:8081"],"certificate":"{{new string('A', 43)}}"}""",
        $$"""{"type":"challenge","nonce":"{{new string('A', 43)}}","key":"BAE","stun":[]}""",
        $$"""{"type":"welcome","address":"198.51.100.1:50000","heartbeatSeconds":5,"members":[{{MemberText}}]}""",
        $$"""{"type":"joined","member":{{MemberText}}}""",
        $$"""{"type":"updated","member":{{MemberText}}}""",
        $$"""{"type":"left","id":"{{Id}}","reason":"timeout"}""",
        """{"type":"replaced"}""",
        """{"type":"heartbeat"}""",
        $$"""{"type":"signal","from":"{{Id}}","data":"-_8"}""",
        """{"type":"error","code":"room-full","message":"The room is full."}""");

    [Theory]
    [MemberData(nameof(ClientTexts))]
    public void A_client_message_is_read_and_written_back_to_the_same_text(string text)
    {
        Assert.True(CoordinationJson.TryRead(Encoding.UTF8.GetBytes(text), out ClientMessage? message));
        Assert.Equal(text, Encoding.UTF8.GetString(CoordinationJson.Write(message)));
    }

    [Theory]
    [MemberData(nameof(ServerTexts))]
    public void A_server_message_is_read_and_written_back_to_the_same_text(string text)
    {
        Assert.True(CoordinationJson.TryRead(Encoding.UTF8.GetBytes(text), out ServerMessage? message));
        Assert.Equal(text, Encoding.UTF8.GetString(CoordinationJson.Write(message)));
    }

    [Fact]
    public void A_member_survives_the_wire()
    {
        Assert.True(CoordinationJson.TryRead(CoordinationJson.Write(new JoinedMessage(Member)), out ServerMessage? message));
        var read = Assert.IsType<JoinedMessage>(message).Member;
        Assert.Equal(Member with { Blob = read.Blob }, read);
        Assert.Equal(Member.Blob, read.Blob);
    }

    [Theory]
    [InlineData("""{"later":{"nested":[1,2]},"type":"update","generation":8,"blob":"AA","more":null}""", typeof(UpdateMessage))]
    [InlineData("""{"type":"of a later version","generation":"?"}""", typeof(ClientMessage))]
    public void What_a_later_version_adds_is_ignored(string text, Type expected)
    {
        Assert.True(CoordinationJson.TryRead(Encoding.UTF8.GetBytes(text), out ClientMessage? message));
        Assert.Equal(expected, message.GetType());
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("3")]
    [InlineData("{")]
    [InlineData("""{"type":"heartbeat"} x""")]
    [InlineData("""{"type":"heartbeat",}""")]
    [InlineData("""{"type":"update","blob":"AA"}""")]
    [InlineData("""{"type":"update","generation":8}""")]
    [InlineData("""{"type":"update","generation":8,"blob":null}""")]
    [InlineData("""{"type":"update","generation":8,"blob":"A"}""")]
    [InlineData("""{"type":"signal","to":"nobody","data":""}""")]
    [InlineData("""{"type":"signal","data":""}""")]
    [InlineData("""{"type":"update","generation":8,"blob":"+/+/"}""")]
    [InlineData("""{"type":"update","generation":8,"blob":["AA"]}""")]
    [InlineData("""{"type":"update","generation":-1,"blob":"AA"}""")]
    [InlineData("""{"type":"update","generation":4294967296,"blob":"AA"}""")]
    [InlineData("""{"type":"update","generation":"8","blob":"AA"}""")]
    [InlineData("""{"type":"update","generation":8,"generation":9,"blob":"AA"}""")]
    [InlineData("""{"type":"update","generation":8,"blob":"\ud800"}""")]
    [InlineData("""{"type":"update","generation":8,"blob":"AA","deep":[[[[[[[[[]]]]]]]]]}""")]
    public void What_is_no_client_message_is_not_read(string text) =>
        Assert.False(CoordinationJson.TryRead(Encoding.UTF8.GetBytes(text), out ClientMessage? _));

    [Theory]
    [InlineData("""{"type":"left","id":"short","reason":"left"}""")]
    [InlineData("""{"type":"left","id":null,"reason":"left"}""")]
    [InlineData("""{"type":"left","id":"\udc00","reason":"left"}""")]
    [InlineData("""{"type":"joined","member":null}""")]
    [InlineData("""{"type":"joined","member":{"id":"abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrsq","instance":"AAAA","generation":7,"address":"198.51.100.1","blob":""}}""")]
    [InlineData("""{"type":"joined","member":{"id":"abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrsq","instance":"AAAAAAAAAAAAAAAAAAAAAQ","generation":7,"address":"host","blob":""}}""")]
    [InlineData("""{"type":"welcome","address":"198.51.100.1:50000","heartbeatSeconds":0,"members":[]}""")]
    [InlineData("""{"type":"welcome","address":"198.51.100.1:50000","heartbeatSeconds":5,"members":[null]}""")]
    [InlineData("""{"type":"challenge","nonce":"AAAA","key":"AAAA","stun":[]}""")]
    [InlineData("""{"type":"challenge","nonce":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","key":"AAAA","stun":["one"]}""")]
    [InlineData("""{"type":"challenge","nonce":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","key":"AAAA","stun":["1.1.1.1:1","1.1.1.1:1","1.1.1.1:1","1.1.1.1:1","1.1.1.1:1","1.1.1.1:1","1.1.1.1:1","1.1.1.1:1","1.1.1.1:1"]}""")]
    public void What_is_no_server_message_is_not_read(string text) =>
        Assert.False(CoordinationJson.TryRead(Encoding.UTF8.GetBytes(text), out ServerMessage? _));

    [Fact]
    public void A_blob_may_have_4096_bytes_and_not_one_more()
    {
        Assert.True(CoordinationJson.TryRead(CoordinationJson.Write(new UpdateMessage(1, new byte[4096])), out ClientMessage? _));
        Assert.False(CoordinationJson.TryRead(CoordinationJson.Write(new UpdateMessage(1, new byte[4097])), out ClientMessage? _));
    }

    [Fact]
    public void The_largest_messages_are_within_their_limits()
    {
        var join = new JoinMessage(new byte[65], new InstanceId(UInt128.MaxValue), uint.MaxValue, new byte[4096], new byte[32]);
        Assert.InRange(CoordinationJson.Write(join).Length, 5600, CoordinationLimits.MaxClientMessageBytes);
        var largest = new MemberEntry(Member.Id, Member.Instance, uint.MaxValue, Endpoint.Parse("[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:0"), new byte[4096]);
        var welcome = new WelcomeMessage(Member.Address, 5, [.. Enumerable.Repeat(largest, 64)]);
        Assert.InRange(CoordinationJson.Write(welcome).Length, 350_000, CoordinationLimits.MaxServerMessageBytes);
    }

    [Theory]
    [InlineData(1UL)]
    [InlineData(2UL)]
    public void Mutated_messages_never_throw(ulong seed)
    {
        var random = new SeededRandom(seed);
        var texts = ClientTexts.Concat(ServerTexts).Select(row => Encoding.UTF8.GetBytes(row.Data)).ToArray();
        var read = 0;
        for (var round = 0; round < 4000; round++)
        {
            var text = texts[random.NextInt32(texts.Length)].ToArray();
            for (var mutations = 1 + random.NextInt32(3); mutations > 0; mutations--)
            {
                var at = random.NextInt32(text.Length);
                switch (random.NextInt32(3))
                {
                    case 0: text[at] = random.NextBytes(1)[0]; break;
                    case 1: text[at] = (byte)"{}[]\",:\\0-n"[random.NextInt32(11)]; break;
                    default: text = text[..(at + 1)]; break;
                }
            }
            if (CoordinationJson.TryRead(text, out ClientMessage? _)) read++;
            if (CoordinationJson.TryRead(text, out ServerMessage? _)) read++;
        }
        Assert.InRange(read, 1, 7999);
    }
}
