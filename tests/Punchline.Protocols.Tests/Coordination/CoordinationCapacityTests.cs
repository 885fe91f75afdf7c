using Punchline.Protocols.Coordination;
using static Punchline.Protocols.Coordination.CoordinationClientEvent;

namespace Punchline.Protocols.Tests.Coordination;

/// <summary>A small server's limits; the real ones are the same code with larger numbers.</summary>
public sealed class CoordinationCapacityTests
{
    [Fact]
    public void A_room_too_many_is_refused_while_those_that_are_there_stay_open()
    {
        var world = new CoordinationWorld(new CoordinationCapacity { MaxRooms = 2 });
        world.Join(world.NewIdentity(), tag: RoomTag(1));
        world.Join(world.NewIdentity(), tag: RoomTag(2));
        AssertRefused(world, world.Join(world.NewIdentity(), tag: RoomTag(3)));
        Assert.IsType<Welcomed>(world.Join(world.NewIdentity(), tag: RoomTag(2)).Events[^1]);
        Assert.Equal(2, world.Server.RoomCount);
    }

    [Fact]
    public void A_member_too_many_is_refused_and_who_comes_back_is_none()
    {
        var world = new CoordinationWorld(new CoordinationCapacity { MaxMembers = 2 });
        var alice = world.NewIdentity();
        world.Join(alice);
        var bob = world.Join(world.NewIdentity());
        AssertRefused(world, world.Join(world.NewIdentity()));
        Assert.IsType<Welcomed>(world.Join(alice).Events[^1]);
        bob.Client.Leave(world.Now);
        world.Deliver();
        Assert.IsType<Welcomed>(world.Join(world.NewIdentity()).Events[^1]);
        Assert.Equal(2, world.Server.MemberCount);
    }

    [Fact]
    public void A_connection_too_many_is_refused()
    {
        var world = new CoordinationWorld(new CoordinationCapacity { MaxConnections = 2 });
        world.Connect(world.NewIdentity());
        world.Join(world.NewIdentity());
        AssertRefused(world, world.Connect(world.NewIdentity()));
    }

    private static byte[] RoomTag(byte number) => [.. Enumerable.Repeat(number, 32)];

    private static void AssertRefused(CoordinationWorld world, Peer peer)
    {
        Assert.Equal(CoordinationErrorCode.ServerFull, Assert.IsType<Refused>(peer.Events[^1]).Code);
        Assert.Equal([peer.Connection], world.Closed);
    }
}
