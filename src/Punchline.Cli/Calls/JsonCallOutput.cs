using Punchline.Cli.Chat;

namespace Punchline.Cli.Calls;

/// <summary><c>--json</c>: one object a line.</summary>
internal sealed class JsonCallOutput(TextWriter output, TextWriter error) : ICallOutput
{
    private readonly JsonLine _line = new(output);

    public void ShowWaiting(PeerId self, string name, string line) => _line.Write("waiting", json =>
    {
        json.WriteString("peer", self.ToString());
        json.WriteString("name", name);
    });

    public void ShowCall(PeerId peer, string name, string acquaintance) => _line.Write("call", json =>
    {
        json.WriteString("peer", peer.ToString());
        json.WriteString("name", name);
    });

    // A program knows what the event wants of it.
    public void AskWhetherToTakeIt()
    {
    }

    public void ShowCallEnded(PeerId peer, string name) => _line.Write("call-ended", json => json.WriteString("peer", peer.ToString()));

    public void ShowCalling(PeerId peer) => _line.Write("calling", json => json.WriteString("peer", peer.ToString()));

    public void ShowFailed(PeerId peer, CallProblem problem) => _line.Write("failed", json =>
    {
        json.WriteString("peer", peer.ToString());
        json.WriteString("cause", problem.Cause);
        json.WriteString("detail", problem.Detail);
        json.WriteString("advice", problem.Advice);
    });

    public void ShowServer(ServerState state) => _line.Write("server", json => json.WriteString("state", JsonOutput.NameOf(state)));

    public void Notice(string text) => error.WriteLine($"* {text}");
}
