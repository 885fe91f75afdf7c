using Punchline.Cli.Session;
using Punchline.Cli.Web;
using Punchline.Server.Tests.Coordination;

namespace Punchline.Cli.Tests.Web;

/// <summary>Notes what a page asked for.</summary>
internal sealed class FakeDesk : IWebDesk
{
    public static readonly PeerId Ann = new([1, .. new byte[31]]);

    public List<string> Asked { get; } = [];

    /// <summary>What a command meets with.</summary>
    public Exception? Problem { get; set; }

    public SessionModel Session { get; } = new(new ManualTime()) { KeepsEndedRooms = true };

    public PeerId Id => Ann;

    public WebSelf Self { get; } = new(Ann.ToString(), "ann", "server", "server.test", Notices: []);

    public int Join(JoinRequest request) => Note($"{request}", 7);

    public int Call(CallRequest request) => Note($"{request}", 8);

    public void Send(int room, string text) => Note($"send {room} {text}", 0);

    public void Leave(int room) => Note($"leave {room}", 0);

    public Task WaitAsync(WaitRequest request) => Task.FromResult(Note($"{request}", 0));

    public Task StopWaitingAsync() => Task.FromResult(Note("wait no more", 0));

    public int Answer(int call) => Note($"answer {call}", 9);

    public Task RefuseAsync(int call) => Task.FromResult(Note($"refuse {call}", 0));

    public void Verify(PeerId peer) => Note($"verify {peer}", 0);

    public void Block(PeerId peer, bool isBlocked) => Note($"{(isBlocked ? "block" : "unblock")} {peer}", 0);

    public Task<WebDiagnosis> ExamineAsync(ExamineRequest request, CancellationToken cancellationToken)
    {
        Note($"{request}", 0);
        return Task.FromResult(new WebDiagnosis("A router.", [], [], [], [], []));
    }

    private int Note(string asked, int answer)
    {
        if (Problem is not null) throw Problem;
        Asked.Add(asked);
        return answer;
    }
}
