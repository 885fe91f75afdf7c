using System.Net;
using System.Text;
using Microsoft.Playwright;
using Punchline.Cli.Doctor;
using Punchline.Cli.Session;
using Punchline.Cli.Web;
using Punchline.Web.Tests.Harness;
using static Microsoft.Playwright.Assertions;

namespace Punchline.Web.Tests;

/// <summary>What members, other sites and other users try.</summary>
public sealed class HostilityTests(Browser browser) : IClassFixture<Browser>
{
    private const string Script = "<script>window.ran = 1</script><img src=x onerror=\"window.ran = 1\"><b>bold</b>";

    [Fact]
    public async Task Html_and_script_in_names_and_messages_are_text()
    {
        await using var meeting = await Meeting.BeginAsync();
        var (process, alice) = await meeting.ArriveAsync(browser, "alice");
        var (_, mallory) = await meeting.ArriveAsync(browser, "mallory");
        List<string> asked = [];
        alice.Request += (_, request) => asked.Add(request.Url);
        const string Name = "<img src=//x.test>\u202eeve";
        await mallory.GetByLabel("Your name").FillAsync(Name);
        foreach (var page in (IPage[])[alice, mallory]) await Meeting.JoinAsync(page, "<i>room</i>", "four unusual chessboard herons");
        await Expect(alice.GetByText("1 of 1 connected")).ToBeVisibleAsync();

        var word = new string('w', 100_000);
        await Meeting.SayAsync(mallory, Script);
        await Meeting.SayAsync(mallory, word);

        var texts = alice.GetByRole(AriaRole.Log).Locator(".received .text");
        await Expect(texts).ToHaveCountAsync(2);
        Assert.Equal([Script, word], await texts.AllTextContentsAsync());
        // The mark that turns the reading direction is gone, everything else is as it was written.
        await Expect(alice.GetByRole(AriaRole.Log).Locator(".author").First).ToHaveTextAsync(Name.Replace("\u202e", "", StringComparison.Ordinal));
        Assert.Equal(0, await alice.Locator("img, #main script, #main b, #main i").CountAsync());
        Assert.False(await alice.EvaluateAsync<bool>("'ran' in window"));
        Assert.False(await alice.EvaluateAsync<bool>("document.documentElement.scrollWidth > innerWidth"));
        Assert.All(asked, url => Assert.StartsWith(process.Origin, url));
    }

    [Fact]
    public async Task Html_and_script_are_text_in_charts_stories_codes_and_the_doctors_words()
    {
        await using var stage = await Stage.OpenAsync();
        stage.Diagnosis = new WebDiagnosis(Script, [new WayStation(Script, Script)], [new Finding(Script, Script)], [new WebProspect(Script, "yes", Script)], [Script], [Script]);
        var page = await stage.ShowAsync(browser);
        List<string> asked = [];
        page.Request += (_, request) => asked.Add(request.Url);
        var room = stage.OpenRoom(Script, Script);
        Stage.Measure(room, samples: 3);
        room.Show(new RoomEvent.Disconnected(Stage.Bob, Script));
        room.Show(new RoomEvent.Failed(Stage.Bob, Script, Script, Script));
        stage.Session.ShowInbox(new InboxSnapshot("ann", Script, ServerState.Connected, [new RingingCall(1, DateTimeOffset.UtcNow, Stage.Eve, Script, Script)]));
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = Script })).ToBeVisibleAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "This network" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Examine" }).ClickAsync();
        foreach (var place in (string[])[".way b", ".way span", ".facts dt", ".facts dd", ".prospects .how", ".advices li >> nth=0"]) await Expect(page.Locator(place)).ToHaveTextAsync(Script);
        Assert.Equal(0, await page.Locator("img, main script, main b > b, main i").CountAsync());

        await page.GetByRole(AriaRole.Button, new() { Name = Script }).Last.ClickAsync();
        await Expect(page.Locator("#members .story > li.failed > span")).ToContainTextAsync(Script);
        await Expect(page.Locator("#members .advice")).ToHaveTextAsync(Script);
        // Whatever a QR code says, it is drawn by numbers.
        await page.EvaluateAsync(
            """
            async text => {
              const { codeButton } = await import("/code.js");
              document.body.append(codeButton(text, text, () => text, text));
            }
            """,
            Script);
        await page.Locator("body > button").ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog);
        await Expect(dialog.Locator("code")).ToHaveTextAsync(Script);
        Assert.Matches("^[Mhvz0-9 -]+$", await dialog.Locator("path").GetAttributeAsync("d"));
        Assert.Equal(0, await page.Locator("img, body script, aside b > b, dialog b, aside i").CountAsync());
        Assert.False(await page.EvaluateAsync<bool>("'ran' in window"));
        Assert.All(asked, url => Assert.StartsWith(stage.Origin, url));
    }

    [Fact]
    public async Task A_page_of_another_origin_gets_nothing()
    {
        await using var meeting = await Meeting.BeginAsync();
        var (process, alice) = await meeting.ArriveAsync(browser, "alice");
        await Meeting.JoinAsync(alice, "lounge", "four unusual chessboard herons");
        using var other = new HttpListener();
        var origin = Listen(other);

        var evil = await alice.Context.NewPageAsync();
        await evil.GotoAsync(origin);
        // It is on 127.0.0.1 as well: for cookies the same site, and so the hardest case.
        var outcome = await evil.EvaluateAsync<string[]>(
            """
            async target => {
              const attempt = async (path, options) => {
                try { const answer = await fetch(target + path, options); return `${path} ${answer.type} ${answer.status}`; } catch (refused) { return `${path} ${refused.name}`; }
              };
              const all = { credentials: "include" };
              return [
                await attempt("/api/events", all),
                await attempt("/api/rooms/1/leave", { ...all, method: "POST" }),
                await attempt("/api/rooms/1/messages", { ...all, method: "POST", headers: { "Content-Type": "application/json" }, body: '{"text":"I am Alice"}' }),
                await attempt("/api/doctor", { ...all, method: "POST", headers: { "Content-Type": "application/json" }, body: '{"server":""}' }),
                await attempt("/api/code", { ...all, method: "POST", headers: { "Content-Type": "application/json" }, body: '{"text":"I am Alice"}' }),
                await attempt(`/api/peers/${"a".repeat(52)}/block`, { ...all, method: "POST" }),
                await attempt("/", all),
                await new Promise(resolve => { const frame = document.createElement("iframe"); frame.src = target; frame.onload = () => { let seen; try { seen = frame.contentDocument?.body.textContent || "nothing"; } catch { seen = "nothing"; } resolve(seen); }; document.body.append(frame); }),
              ];
            }
            """,
            process.Origin);
        Assert.Equal(["/api/events TypeError", "/api/rooms/1/leave TypeError", "/api/rooms/1/messages TypeError", "/api/doctor TypeError", "/api/code TypeError", $"/api/peers/{new string('a', 52)}/block TypeError", "/ TypeError", "nothing"], outcome);

        // Without reading the answer, a request may be sent all the same; it did nothing.
        await evil.EvaluateAsync("async target => { await fetch(`${target}/api/rooms/1/leave`, { method: 'POST', mode: 'no-cors', credentials: 'include' }).catch(() => {}); }", process.Origin);
        await Expect(alice.GetByRole(AriaRole.Heading, new() { Name = "lounge" })).ToBeVisibleAsync();
        await alice.ReloadAsync();
        await Expect(alice.GetByRole(AriaRole.Heading, new() { Name = "lounge" })).ToBeVisibleAsync();
        await Expect(alice.GetByRole(AriaRole.Log).Locator(".sent")).ToHaveCountAsync(0);
        other.Stop();
    }

    [Fact]
    public async Task The_link_works_once_and_without_it_there_is_nothing()
    {
        await using var meeting = await Meeting.BeginAsync();
        var (process, alice) = await meeting.ArriveAsync(browser, "alice");
        Assert.Equal($"{process.Origin}/", alice.Url);
        await Meeting.JoinAsync(alice, "lounge", "four unusual chessboard herons");

        var stranger = await (await browser.NewContextAsync()).NewPageAsync();
        await stranger.GotoAsync(process.Link);
        await Expect(stranger.GetByText("This link was used already")).ToBeVisibleAsync();
        await stranger.GotoAsync($"{process.Origin}/");
        await stranger.ReloadAsync();
        await Expect(stranger.GetByText("use the link that punchline printed")).ToBeVisibleAsync();
        await Expect(stranger.GetByText("lounge")).ToHaveCountAsync(0);
        await stranger.Context.CloseAsync();
    }

    [Fact]
    public async Task The_file_that_a_browser_is_given_leads_to_the_page()
    {
        await using var process = await WebProcess.StartAsync("server.test", "alice");
        var directory = Directory.CreateTempSubdirectory("punchline-web-");
        var file = Path.Combine(directory.FullName, "open.html");
        await File.WriteAllTextAsync(file, BrowserOpener.PageTo(process.Link), TestContext.Current.CancellationToken);
        await using var context = await browser.NewContextAsync();
        var page = await context.NewPageAsync();
        await page.GotoAsync(new Uri(file).AbsoluteUri);
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Begin a conversation" })).ToBeVisibleAsync();
        directory.Delete(recursive: true);
    }

    private static string Listen(HttpListener listener)
    {
        using var probe = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        var port = ((IPEndPoint)probe.LocalEndpoint).Port;
        probe.Stop();
        listener.Prefixes.Add($"http://127.0.0.1:{port}/");
        listener.Start();
        _ = AnswerAsync(listener);
        return $"http://127.0.0.1:{port}/";
    }

    private static async Task AnswerAsync(HttpListener listener)
    {
        try
        {
            while (true)
            {
                var context = await listener.GetContextAsync();
                context.Response.ContentType = "text/html";
                await context.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes("<!doctype html><title>evil</title><body>"));
                context.Response.Close();
            }
        }
        catch (Exception exception) when (exception is HttpListenerException or ObjectDisposedException)
        {
            // The test is over.
        }
    }
}
