using Punchline.Protocols.Coordination;
using Punchline.Protocols.Rooms;
using Punchline.Simulation;

namespace Punchline.Protocols.Tests.Rooms;

public sealed class DepartedChatsTests
{
    private readonly SeededRandom _random = new(1);
    private readonly DepartedChats _departed = new();

    [Fact]
    public void A_chat_is_given_back_once_and_to_its_own_instance()
    {
        var (instance, chat) = (InstanceId.Generate(_random), new ChatChannel());
        _departed.Keep(instance, chat);
        Assert.Null(_departed.Take(InstanceId.Generate(_random)));
        Assert.Same(chat, _departed.Take(instance));
        Assert.Null(_departed.Take(instance));
        Assert.Equal(0, _departed.Count);
    }

    [Fact]
    public void A_whole_room_is_kept_and_the_oldest_gives_way()
    {
        var instances = Enumerable.Range(0, DepartedChats.MaxKept + 1).Select(_ => InstanceId.Generate(_random)).ToList();
        foreach (var instance in instances) _departed.Keep(instance, new ChatChannel());
        Assert.Equal(DepartedChats.MaxKept, _departed.Count);
        Assert.Null(_departed.Take(instances[0]));
        Assert.NotNull(_departed.Take(instances[1]));
    }

    [Fact]
    public void All_of_them_together_keep_no_more_than_one_member_may_leave_unacknowledged()
    {
        var frame = ChatFrame.WriteMessage(1, new byte[ChatFrame.MaxTextBytes / 2]);
        var instances = new List<InstanceId>();
        for (ulong member = 0; member < 4; member++)
        {
            instances.Add(InstanceId.Generate(_random));
            var chat = new ChatChannel();
            // A little more than a third of what all may have.
            for (ulong i = 1; i <= 43; i++) chat.Enqueue(i, frame);
            _departed.Keep(instances[^1], chat);
        }
        Assert.Equal(2, _departed.Count);
        Assert.Null(_departed.Take(instances[1]));
        Assert.Equal(43, _departed.Take(instances[2])!.Undelivered);
        Assert.Equal(43, _departed.Take(instances[3])!.Undelivered);
    }
}
