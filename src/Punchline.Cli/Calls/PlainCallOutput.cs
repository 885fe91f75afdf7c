using Punchline.Cli.Chat;
using Punchline.Protocols.Rooms;

namespace Punchline.Cli.Calls;

/// <summary>For people, in sentences.</summary>
/// <param name="notice">Where they go.</param>
internal class PlainCallOutput(Action<string> notice) : ICallOutput
{
    protected const string Question = "Take the call, which shows this machine's addresses to the caller? Type yes or no.";

    private bool _hasSeenServer;

    /// <summary>A line each.</summary>
    public PlainCallOutput(TextWriter error) : this(text => error.WriteLine($"* {text}"))
    {
    }

    public void ShowWaiting(PeerId self, string name, string line) => Notice($"Waiting for calls as {name}. Others call with this line:\n    {line}");

    public void ShowCall(PeerId peer, string name, string acquaintance) => Notice($"{Named(peer, name)} calls. {acquaintance}");

    public virtual void AskWhetherToTakeIt() => Notice(Question);

    public void ShowCallEnded(PeerId peer, string name) => Notice($"{Named(peer, name)} calls no more.");

    public void ShowCalling(PeerId peer) => Notice($"Calling {PlainOutput.ShortId(peer)}…, for up to a minute. It sees this machine's addresses; Ctrl+C gives up.");

    public void ShowFailed(PeerId peer, CallProblem problem) => Notice($"{problem.Detail} {problem.Advice}");

    public void ShowServer(ServerState state)
    {
        // The first time it goes without saying, and who is replaced hears of it otherwise.
        if (state == ServerState.Lost) Notice("The server is away: nobody can call until it is back.");
        if (state == ServerState.Connected && _hasSeenServer) Notice("The server is back.");
        _hasSeenServer = true;
    }

    public void Notice(string text) => notice(text);

    private static string Named(PeerId peer, string name)
    {
        var cleaned = PeerText.Clean(name).Trim();
        return cleaned.Length > 0 ? $"{cleaned} ({PlainOutput.ShortId(peer)}…)" : $"{PlainOutput.ShortId(peer)}…";
    }
}
