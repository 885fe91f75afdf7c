namespace Punchline.Cli.Calls;

/// <summary>How what happens before a call is a chat is told.</summary>
internal interface ICallOutput
{
    /// <summary>We wait for calls.</summary>
    /// <param name="self">Who can be called.</param>
    /// <param name="name">What callers see once their call is taken.</param>
    /// <param name="line">What others type to call.</param>
    void ShowWaiting(PeerId self, string name, string line);

    /// <summary>Somebody calls.</summary>
    /// <param name="peer">Who.</param>
    /// <param name="name">What it calls itself.</param>
    /// <param name="acquaintance">Whether we know it, in a sentence.</param>
    void ShowCall(PeerId peer, string name, string acquaintance);

    /// <summary>The call waits for a line that says yes or no.</summary>
    void AskWhetherToTakeIt();

    /// <summary>The caller rings no more.</summary>
    void ShowCallEnded(PeerId peer, string name);

    /// <summary>We call somebody.</summary>
    void ShowCalling(PeerId peer);

    /// <summary>Our call was not taken.</summary>
    void ShowFailed(PeerId peer, CallProblem problem);

    /// <summary>The server, as an inbox sees it.</summary>
    void ShowServer(ServerState state);

    /// <summary>Something for people alone.</summary>
    void Notice(string text);
}

/// <summary>Why a call of ours was not taken.</summary>
/// <param name="Cause">For programs.</param>
/// <param name="Detail">What happened.</param>
/// <param name="Advice">What would help.</param>
/// <param name="ExitCode">What the shell is told.</param>
internal sealed record CallProblem(string Cause, string Detail, string Advice, int ExitCode)
{
    /// <summary>Null: it is none of these.</summary>
    /// <param name="exception">What the call ended with.</param>
    /// <param name="place">The options by which the peer would have to wait.</param>
    public static CallProblem? Of(PunchlineException exception, string place) => exception.Error switch
    {
        PunchlineError.PeerOffline => new("offline", exception.Message, $"It has to wait for calls at the same place: punchline join --wait {place}", Cli.ExitCode.NoPath),
        PunchlineError.PeerBusy => new("busy", exception.Message, "Try again later.", Cli.ExitCode.Failed),
        PunchlineError.PeerRefused => new("refused", exception.Message, "Tell the person there by another way who you are (`punchline id`), and that you call.", Cli.ExitCode.Failed),
        PunchlineError.PeerNotAnswering => new("no-answer", exception.Message, "Try again later.", Cli.ExitCode.Failed),
        _ => null,
    };
}
