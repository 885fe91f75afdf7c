using System.Reflection;
using Punchline.Protocols.Coordination;
using Punchline.Protocols.Node;
using Punchline.Protocols.Noise;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Rooms;
using Punchline.Simulation;

namespace Punchline.Protocols.Tests.Node;

/// <summary>PROTOCOL §2: what a server's refusal means to who comes for the first time, and to who was in.</summary>
public sealed class RefusalTests
{
    private const string Host = "server.example:8080";

    public static TheoryData<string> Codes =>
        [.. typeof(CoordinationErrorCode).GetFields(BindingFlags.Public | BindingFlags.Static).Select(code => (string)code.GetRawConstantValue()!), "of-a-later-version"];

    [Fact]
    public void The_codes_are_those_of_the_registry() => Assert.Equal(8 + 1, Codes.Count);

    [Theory]
    [MemberData(nameof(Codes))]
    public void A_first_join_that_is_refused_is_over_and_says_why(string code)
    {
        var random = new SeededRandom(1);
        using var identity = P256KeyPair.Generate(random);
        using var server = P256KeyPair.Generate(random);
        using var node = new NodeCore(identity, random);
        var now = Timestamp.FromMilliseconds(1_000);
        var room = node.OpenRoom(new RoomKeys(new byte[RoomKeys.KeyLength]), "node");
        node.HandleServerConnected(room, Host, [], isLoopback: false, now);
        node.HandleServerMessage(room, CoordinationJson.Write(new ChallengeMessage(new byte[32], server.PublicKey.ToArray(), [])), now);
        now += RoomAtServer.MaxJoinDelay;
        node.HandleTimeout(now);
        node.HandleServerMessage(room, CoordinationJson.Write(new ErrorMessage(code, "Because.")), now);
        Assert.True(node.IsServerFinal(room));
        Assert.True(node.TryDequeueServerClose(out _));
        Assert.True(node.TryDequeueEvent(room, now, out var told));
        Assert.Equal((code, "Because."), Assert.IsType<NodeEvent.ServerRefused>(told) is var refused ? (refused.Code, refused.Message) : default);
        Assert.False(node.TryDequeueEvent(room, now, out _));
    }

    [Theory]
    [MemberData(nameof(Codes))]
    public void Whoever_was_in_comes_again(string code)
    {
        using var room = new StagedRoom(members: 1, responds: true);
        _ = room.Events;
        room.Tell(new ErrorMessage(code, "Because."));
        Assert.False(room.Node.IsServerFinal(room.Number));
        Assert.True(room.Node.TryDequeueServerClose(out var number));
        Assert.Equal(room.Number, number);
        Assert.False(room.Node.TryDequeueServerClose(out _));
        Assert.IsType<NodeEvent.ServerLost>(Assert.Single(room.Events));

        // Refused again, which is no news; and let in.
        room.Node.HandleServerDisconnected(room.Number, room.Now);
        room.Register();
        room.Tell(new ErrorMessage(code, "Still."));
        Assert.False(room.Node.IsServerFinal(room.Number));
        Assert.True(room.Node.TryDequeueServerClose(out _));
        Assert.DoesNotContain(room.Events, told => told is NodeEvent.ServerLost or NodeEvent.ServerRefused or NodeEvent.Disconnected);
        room.Node.HandleServerDisconnected(room.Number, room.Now);
        room.Register();
        room.Tell(new WelcomeMessage(Endpoint.Parse("198.51.100.1:1"), 5, [room.Members[0].Entry]));
        Assert.IsType<NodeEvent.ServerJoined>(Assert.Single(room.Events));
    }

    [Fact]
    public void Whoever_was_replaced_does_not_come_again()
    {
        using var room = new StagedRoom(members: 1, responds: true);
        _ = room.Events;
        room.Tell(new ReplacedMessage());
        Assert.True(room.Node.IsServerFinal(room.Number));
        Assert.True(room.Node.TryDequeueServerClose(out _));
        Assert.IsType<NodeEvent.ServerReplaced>(Assert.Single(room.Events));
    }
}
