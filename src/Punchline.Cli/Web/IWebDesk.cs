using Punchline.Cli.Session;

namespace Punchline.Cli.Web;

/// <summary>What a page can have done. What cannot be done is a <see cref="UsageException"/> with a sentence for the person there.</summary>
internal interface IWebDesk
{
    /// <summary>What there is to show. Its rooms stay when they are over.</summary>
    SessionModel Session { get; }

    /// <summary>This peer.</summary>
    PeerId Id { get; }

    /// <summary>What a page shows before there is any room.</summary>
    WebSelf Self { get; }

    /// <summary>Joins a room, and returns at once; how that goes is told in the room.</summary>
    /// <returns>The room's number.</returns>
    int Join(JoinRequest request);

    /// <summary>Calls a peer, and returns at once; how that goes is told in the call's room.</summary>
    /// <returns>The room's number.</returns>
    int Call(CallRequest request);

    void Send(int room, string text);

    /// <summary>Leaves a room, or forgets one that is over.</summary>
    void Leave(int room);

    /// <summary>Waits for calls, and returns when they can come.</summary>
    Task WaitAsync(WaitRequest request);

    Task StopWaitingAsync();

    /// <returns>The number of the call's room.</returns>
    int Answer(int call);

    Task RefuseAsync(int call);

    /// <summary>Somebody compared a peer's id with the person behind it.</summary>
    void Verify(PeerId peer);

    /// <summary>Nothing is wanted of a peer any more, or it is again.</summary>
    void Block(PeerId peer, bool isBlocked);

    /// <summary>Finds out what this network is, which takes some seconds.</summary>
    Task<WebDiagnosis> ExamineAsync(ExamineRequest request, CancellationToken cancellationToken);
}
