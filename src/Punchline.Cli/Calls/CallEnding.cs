namespace Punchline.Cli.Calls;

/// <summary>What ends a chat that is a call: there is one other, and it is gone.</summary>
internal static class CallEnding
{
    public static int? Of(RoomEvent roomEvent) => roomEvent switch
    {
        RoomEvent.Left { Reason: LeaveReason.Left } => ExitCode.Done,
        RoomEvent.Left => ExitCode.Failed,
        RoomEvent.Failed => ExitCode.NoPath,
        _ => null,
    };
}
