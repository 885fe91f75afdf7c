using System.Text;
using Punchline.Protocols.Dht;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Tests.Dht;

/// <summary>The examples of BEP 5, which have ids and tokens of letters, and the keys that other BEPs add.</summary>
public sealed class KrpcMessageTests
{
    private static readonly NodeId Abc = NodeId.Read("abcdefghij0123456789"u8);
    private static readonly NodeId Mno = NodeId.Read("mnopqrstuvwxyz123456"u8);

    public static TheoryData<string, string> Queries => new()
    {
        { "ping", "d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe" },
        { "find_node", "d1:ad2:id20:abcdefghij01234567896:target20:mnopqrstuvwxyz123456e1:q9:find_node1:t2:aa1:y1:qe" },
        { "get_peers", "d1:ad2:id20:abcdefghij01234567899:info_hash20:mnopqrstuvwxyz123456e1:q9:get_peers1:t2:aa1:y1:qe" },
        {
            "announce_peer",
            "d1:ad2:id20:abcdefghij012345678912:implied_porti1e9:info_hash20:mnopqrstuvwxyz1234564:porti6881e5:token8:aoeusnthe1:q13:announce_peer1:t2:aa1:y1:qe"
        },
        { "get", "d1:ad2:id20:abcdefghij01234567896:target20:mnopqrstuvwxyz123456e1:q3:get1:t2:aa1:y1:qe" },
        { "put", "d1:ad2:id20:abcdefghij01234567895:token8:aoeusnth1:v12:Hello World!e1:q3:put1:t2:aa1:y1:qe" },
    };

    [Theory]
    [MemberData(nameof(Queries))]
    public void Queries_of_the_BEPs_are_read_and_written_to_the_byte(string name, string text)
    {
        Assert.True(KrpcMessage.TryRead(Bytes(text), out var query));
        Assert.Equal((KrpcKind.Query, Abc, false), (query.Kind, query.Id, query.IsReadOnly));
        Assert.Equal(name.Replace("_", "", StringComparison.Ordinal), query.Method.ToString(), ignoreCase: true);
        if (query.Method is not (KrpcMethod.Ping or KrpcMethod.Put)) Assert.Equal(Mno, query.Target);
        var buffer = new byte[KrpcQuery.MaxLength];
        var length = new KrpcQuery
        {
            Method = query.Method, Transaction = query.Transaction, Id = query.Id, Target = query.Target, Token = query.Token, Port = 6_881, Value = query.Value,
        }.Write(buffer);
        Assert.Equal(text, Encoding.ASCII.GetString(buffer, 0, length));
    }

    [Fact]
    public void Without_implied_port_the_port_counts()
    {
        var text = "d1:ad2:id20:abcdefghij01234567899:info_hash20:mnopqrstuvwxyz1234564:porti6881e5:token8:aoeusnthe1:q13:announce_peer1:t2:aa1:y1:qe";
        Assert.True(KrpcMessage.TryRead(Bytes(text), out var query));
        Assert.Equal(6_881, query.Port);
        Assert.True(KrpcMessage.TryRead(Bytes(text.Replace("9:info", "12:implied_porti1e9:info", StringComparison.Ordinal)), out query));
        Assert.Equal(0, query.Port);
        foreach (var port in (string[])["0", "65536", "-1"])
            Assert.False(KrpcMessage.TryRead(Bytes(text.Replace("i6881e", $"i{port}e", StringComparison.Ordinal)), out _));
    }

    [Fact]
    public void Responses_of_BEP_5_are_read()
    {
        Assert.True(KrpcMessage.TryRead("d1:rd2:id20:mnopqrstuvwxyz123456e1:t2:aa1:y1:re"u8, out var ping));
        Assert.Equal((KrpcKind.Response, Mno), (ping.Kind, ping.Id));
        Assert.True(KrpcMessage.TryRead("d1:rd2:id20:abcdefghij01234567895:token8:aoeusnth6:valuesl6:axje.u6:idhtnmee1:t2:aa1:y1:re"u8, out var peers));
        Assert.Equal("aoeusnth"u8, peers.Token);
        var read = new List<Endpoint>();
        foreach (var peer in peers.Peers)
        {
            Assert.True(peer.TryGetBytes(out var bytes));
            Assert.True(CompactAddress.TryRead(bytes, out var endpoint));
            read.Add(endpoint);
        }
        // "axje.u": a, x, j, e and 0x2e75.
        Assert.Equal([Endpoint.Parse("97.120.106.101:11893"), Endpoint.Parse("105.100.104.116:28269")], read);
        // "def456..." stands for nodes; 9 bytes are none.
        Assert.False(KrpcMessage.TryRead("d1:rd2:id20:0123456789abcdefghij5:nodes9:def456...e1:t2:aa1:y1:re"u8, out _));
        Assert.True(KrpcMessage.TryRead("d1:rd2:id20:0123456789abcdefghij5:nodes26:mnopqrstuvwxyz123456axje.ue1:t2:aa1:y1:re"u8, out var nodes));
        Assert.True(CompactAddress.TryReadNode(nodes.Nodes, out var id, out var node));
        Assert.Equal((Mno, read[0]), (id, node));
    }

    [Fact]
    public void The_error_of_BEP_5_is_read()
    {
        Assert.True(KrpcMessage.TryRead("d1:eli201e23:A Generic Error Ocurrede1:t2:aa1:y1:ee"u8, out var error));
        Assert.Equal((KrpcKind.Error, 201L), (error.Kind, error.ErrorCode));
    }

    [Fact]
    public void Read_only_want_and_ip_are_read()
    {
        Assert.True(KrpcMessage.TryRead(
            "d1:ad2:id20:abcdefghij01234567896:target20:mnopqrstuvwxyz1234564:wantl2:n42:n6ee1:q9:find_node2:roi1e1:t2:aa1:y1:qe"u8, out var query));
        Assert.Equal((true, KrpcWant.IPv4 | KrpcWant.IPv6), (query.IsReadOnly, query.Want));
        Assert.True(KrpcMessage.TryRead("d2:ip6:axje.u1:rd2:id20:mnopqrstuvwxyz123456e1:t2:aa1:v4:LT111:y1:re"u8, out var response));
        Assert.Equal(Endpoint.Parse("97.120.106.101:11893"), response.External);
        // An ip of another form says nothing, and takes nothing from the answer.
        Assert.True(KrpcMessage.TryRead("d2:ip4:axje1:rd2:id20:mnopqrstuvwxyz123456e1:t2:aa1:y1:re"u8, out response));
        Assert.Equal(default, response.External);
    }

    [Theory]
    [InlineData("d1:ad2:id19:abcdefghij012345678e1:q4:ping1:t2:aa1:y1:qe")] // a short id
    [InlineData("d1:q4:ping1:t2:aa1:y1:qe")] // no arguments
    [InlineData("d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t0:1:y1:qe")] // no transaction
    [InlineData("d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t17:aaaaaaaaaaaaaaaaa1:y1:qe")]
    [InlineData("d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:y1:qe")]
    [InlineData("d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:xe")]
    [InlineData("d1:ad2:id20:abcdefghij0123456789e1:qi4e1:t2:aa1:y1:qe")]
    [InlineData("d1:ad2:id20:abcdefghij0123456789e1:q9:find_node1:t2:aa1:y1:qe")] // no target
    [InlineData("d1:ad2:id20:abcdefghij01234567896:target2:mne1:q9:find_node1:t2:aa1:y1:qe")]
    [InlineData("d1:rd2:id20:abcdefghij01234567896:values6:axje.ue1:t2:aa1:y1:re")] // values that are no list
    [InlineData("d1:rd2:id20:abcdefghij01234567896:valuesl5:axje.ee1:t2:aa1:y1:re")]
    [InlineData("d1:rd2:id20:abcdefghij01234567895:tokeni1ee1:t2:aa1:y1:re")]
    [InlineData("d1:eli201ee1:t2:aa1:y1:ee")]
    [InlineData("d1:el3:abc3:abce1:t2:aa1:y1:ee")]
    [InlineData("l1:ae")]
    public void Malformed_messages_are_not_read(string text) => Assert.False(KrpcMessage.TryRead(Bytes(text), out _));

    [Fact]
    public void An_unknown_method_is_a_query_all_the_same()
    {
        Assert.True(KrpcMessage.TryRead("d1:ad2:id20:abcdefghij0123456789e1:q4:vote1:t2:aa1:y1:qe"u8, out var query));
        Assert.Equal(KrpcMethod.Unknown, query.Method);
        var buffer = new byte[KrpcAnswer.MaxLength];
        var length = KrpcAnswer.WriteError(query.Transaction, KrpcErrorCode.MethodUnknown, buffer);
        Assert.Equal("d1:eli204e14:Method Unknowne1:t2:aa1:y1:ee", Encoding.ASCII.GetString(buffer, 0, length));
    }

    [Fact]
    public void The_longest_answer_fits_a_packet()
    {
        var buffer = new byte[KrpcAnswer.MaxLength];
        var value = Bytes("996:" + new string('a', 996));
        var length = new KrpcAnswer
        {
            Transaction = new byte[KrpcMessage.MaxTransactionLength],
            Id = Abc,
            Destination = Endpoint.Parse("[2001:db8::1]:6881"),
            Nodes6 = new byte[Lookup.Width * CompactAddress.IPv6NodeLength],
            Token = new byte[AnnounceTokens.TokenLength],
            Value = value,
        }.Write(buffer);
        Assert.Equal(ItemStore.MaxValueLength, value.Length);
        Assert.True(KrpcMessage.TryRead(buffer.AsSpan(0, length), out var read));
        Assert.Equal(value, read.Value);
        Assert.InRange(length, 1_300, 1_452); // 1,500 less IPv6 and UDP
    }

    private static byte[] Bytes(string text) => Encoding.ASCII.GetBytes(text);
}
