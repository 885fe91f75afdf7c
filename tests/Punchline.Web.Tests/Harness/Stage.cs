using System.Net;
using Microsoft.Playwright;
using Punchline.Cli.Doctor;
using Punchline.Cli.Session;
using Punchline.Cli.Web;

namespace Punchline.Web.Tests.Harness;

/// <summary>The page over a session that the test plays: what takes an hour, or networks that are not here, is there at once.</summary>
internal sealed class Stage : IWebDesk, IAsyncDisposable
{
    public static readonly PeerId Ann = new([1, .. new byte[31]]);
    public static readonly PeerId Bob = new([2, .. new byte[31]]);
    public static readonly PeerId Eve = new([3, .. new byte[31]]);

    private static readonly IPEndPoint Own = IPEndPoint.Parse("192.168.1.10:41934");

    private readonly List<IBrowserContext> _contexts = [];
    private WebHost? _host;

    public SessionModel Session { get; } = new(TimeProvider.System) { KeepsEndedRooms = true };

    public PeerId Id => Ann;

    public WebSelf Self { get; } = new($"{Ann}", "ann", "server", "server.test:8080", ["Another process uses the identity, so this one is a new peer until it ends."]);

    /// <summary>What was asked for, in order.</summary>
    public List<string> Asked { get; } = [];

    /// <summary>What the doctor says.</summary>
    public WebDiagnosis Diagnosis { get; set; } = new(
        "An ordinary router: one port for all, answers only come in (port-restricted).",
        [new WayStation("this machine", "192.168.1.10"), new WayStation("router", "192.168.1.1"), new WayStation("carrier's NAT", "100.64.0.1"), new WayStation("internet", "as 198.51.100.11")],
        [new Finding("UDP", "gets out; the server is 20 ms away"), new Finding("mapping", "one port for all destinations"), new Finding("hairpin", null), new Finding("gateway", "192.168.1.1 speaks NAT-PMP, but is behind another NAT")],
        [
            new WebProspect("an ordinary router, or a firewall", "yes", "directly"), new WebProspect("a symmetric router that draws ports", "maybe", "99.9 % in 20 s, by a search"),
            new WebProspect("a network that blocks UDP", "no", "no way"), new WebProspect("IPv6 alone", "unknown", "not known"),
        ],
        ["The router is behind another NAT: a port that it maps leads nowhere, so none is told to peers."],
        ["Whether TCP has one port for all: a server with a second address shows it."]);

    public string Link => _host!.Link;

    public string Origin => new Uri(Link).GetLeftPart(UriPartial.Authority);

    public static async Task<Stage> OpenAsync()
    {
        var stage = new Stage();
        stage._host = await WebHost.StartAsync(stage, 0, _ => { });
        return stage;
    }

    public async Task<IPage> ShowAsync(Browser browser, int width = 1280, int height = 800, ColorScheme colours = ColorScheme.Light)
    {
        var context = await browser.NewContextAsync(width, height, colours);
        _contexts.Add(context);
        var page = await context.NewPageAsync();
        await page.GotoAsync(Link);
        await page.GetByRole(AriaRole.Heading, new() { Level = 1 }).WaitForAsync();
        return page;
    }

    /// <summary>A room in which somebody was found by one of several ways, an hour ago.</summary>
    public RoomModel OpenRoom(string bob = "bob", string room = "lounge")
    {
        var model = Session.Open(room, Ann, "ann", Silence.Instance);
        model.Show(new RoomEvent.ServerChanged(ServerState.Connected));
        model.Show(new RoomEvent.Joined(Bob, bob));
        model.Show(new RoomEvent.Probing(Bob, PathTransport.Udp, [
            new ProbedAddress(AddressOrigin.Interface, IPEndPoint.Parse("[2001:db8:85a3::8a2e:370:7334]:52940")), new ProbedAddress(AddressOrigin.Mapped, IPEndPoint.Parse("198.51.100.12:40001")),
            new ProbedAddress(AddressOrigin.Outside, IPEndPoint.Parse("198.51.100.12:52940"))]));
        model.Show(new RoomEvent.Probing(Bob, PathTransport.Tcp, [new ProbedAddress(AddressOrigin.Outside, IPEndPoint.Parse("198.51.100.12:52940"))]));
        model.Show(new RoomEvent.Trying(Bob, "search", "One of the routers gives every destination another port. Its ports are searched, which takes up to 20 s.", "Use IPv6."));
        model.Show(new RoomEvent.Connected(Bob, bob, new PeerPath(PathKind.Direct, PathTransport.Udp, Own, IPEndPoint.Parse("198.51.100.12:52940")), TimeSpan.FromMilliseconds(164), TimeSpan.FromMilliseconds(41.8)));
        model.ShowTrust(Bob, TrustMark.Known);
        return model;
    }

    /// <summary>An hour of samples, in which the connection had a bad quarter and was away for some minutes.</summary>
    public static void Measure(RoomModel room, int samples = QualityMeter.MaxSamples)
    {
        var now = DateTimeOffset.UtcNow;
        for (var index = samples - 1; index >= 0; index--)
        {
            if (index is > 60 and < 80) continue;
            var isBad = index is > 180 and < 270;
            room.ShowQuality([
                new MemberQuality(Bob, new QualitySample(
                    now - (index * QualityMeter.Interval), QualityMeter.Interval, TimeSpan.FromMilliseconds((isBad ? 90 : 40) + (index * 37 % 11)), TimeSpan.FromMilliseconds(4),
                    1_000, isBad ? (ulong)(index % 7) * 8 : 0, (ulong)(20_000 + (index * 7_919 % 90_000)), (ulong)(200_000 + (index * 104_729 % 900_000)), 0))]);
        }
    }

    public int Join(JoinRequest request) => Note($"{request}");

    public int Call(CallRequest request) => Note($"{request}");

    public void Send(int room, string text) => Note($"send {room} {text}");

    public void Leave(int room) => Note($"leave {room}");

    public Task WaitAsync(WaitRequest request) => Task.FromResult(Note($"{request}"));

    public Task StopWaitingAsync() => Task.FromResult(Note("wait no more"));

    public int Answer(int call) => Note($"answer {call}");

    public Task RefuseAsync(int call) => Task.FromResult(Note($"refuse {call}"));

    public void Verify(PeerId peer)
    {
        Note($"verify {peer}");
        Session.Verify(peer);
    }

    public void Block(PeerId peer, bool isBlocked)
    {
        Note($"{(isBlocked ? "block" : "unblock")} {peer}");
        Session.Block(peer, isBlocked);
    }

    public Task<WebDiagnosis> ExamineAsync(ExamineRequest request, CancellationToken cancellationToken)
    {
        Note($"{request}");
        return Task.FromResult(Diagnosis);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var context in _contexts) await context.DisposeAsync();
        await _host!.DisposeAsync();
    }

    // No room opens by itself.
    private int Note(string asked)
    {
        lock (Asked) Asked.Add(asked);
        return 0;
    }
}
