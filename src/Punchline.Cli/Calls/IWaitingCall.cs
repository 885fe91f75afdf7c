using System.Threading.Channels;
using Punchline.Cli.Chat;

namespace Punchline.Cli.Calls;

/// <summary>What the tool needs of an <see cref="IncomingCall"/>.</summary>
internal interface IWaitingCall
{
    PeerId Peer { get; }

    string Name { get; }

    Task Withdrawn { get; }

    /// <exception cref="PunchlineException">It rings no more.</exception>
    ValueTask<CallRoom> AcceptAsync();

    ValueTask RefuseAsync(CallRefusal refusal);
}

/// <summary>A call that was taken.</summary>
/// <param name="Room">Of the two.</param>
/// <param name="Output">Where what happens there is told.</param>
/// <param name="Lines">Messages for it alone, whose end hangs up; null: those that answered say them.</param>
internal sealed record CallRoom(IChatRoom Room, IChatOutput Output, ChannelReader<InputLine>? Lines = null);

/// <summary>A call at this peer's inbox.</summary>
/// <param name="call">The call.</param>
/// <param name="enter">Makes what tells of its room.</param>
internal sealed class InboxCall(IncomingCall call, Func<Room, CallRoom> enter) : IWaitingCall
{
    public PeerId Peer => call.Peer;

    public string Name => call.Name;

    public Task Withdrawn => call.Withdrawn;

    public async ValueTask<CallRoom> AcceptAsync() => enter(await call.AcceptAsync(CancellationToken.None));

    public ValueTask RefuseAsync(CallRefusal refusal) => call.RefuseAsync(refusal, CancellationToken.None);
}
