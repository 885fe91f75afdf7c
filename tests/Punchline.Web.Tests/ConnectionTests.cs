using System.Globalization;
using Microsoft.Playwright;
using Punchline.Cli.Session;
using Punchline.Web.Tests.Harness;
using static Microsoft.Playwright.Assertions;

namespace Punchline.Web.Tests;

/// <summary>What the page shows of a connection: how it does, how it came, and who is on the other side.</summary>
public sealed class ConnectionTests(Browser browser) : IClassFixture<Browser>
{
    [Fact]
    public async Task An_hour_is_drawn_and_goes_on_with_each_sample()
    {
        await using var stage = await Stage.OpenAsync();
        var room = stage.OpenRoom();
        Stage.Measure(room);
        var page = await stage.ShowAsync(browser);
        var panel = await OpenAsync(page);

        var charts = panel.Locator(".chart");
        await Expect(charts.Locator("figcaption > span:first-child")).ToHaveTextAsync(["Round trip", "Loss", "Throughput"]);
        await Expect(panel.GetByRole(AriaRole.Img, new() { Name = "Round trip over the last 60 minutes: now 40 ms, between 40 ms and 100 ms" })).ToBeVisibleAsync();
        await Expect(panel.Locator(".state")).ToHaveTextAsync("Direct, UDP, 40 ms");
        await Expect(charts.Nth(2).Locator("path")).ToHaveCountAsync(2);
        // Once for each of the two whiles between which there was no connection.
        var line = await charts.First.Locator("path").GetAttributeAsync("d");
        Assert.Equal(2, line!.Count(command => command == 'M'));
        Assert.Equal(QualityMeter.MaxSamples - 19 - 2, line!.Count(command => command == 'L'));

        room.ShowQuality([
            new MemberQuality(Stage.Bob, new QualitySample(DateTimeOffset.UtcNow, QualityMeter.Interval, TimeSpan.FromMilliseconds(12.34), TimeSpan.Zero, 100, 5, 10_000, 20_000_000, 0))]);
        await Expect(charts.Locator("figcaption b")).ToHaveTextAsync(["12 ms", "5 %", "↓ 2 MB/s", "↑ 1 kB/s"]);
        await page.ReloadAsync();
        await Expect((await OpenAsync(page)).Locator(".chart figcaption b").First).ToHaveTextAsync("12 ms");
    }

    [Fact]
    public async Task Its_story_tells_what_was_tried_on_which_address_and_which_it_became()
    {
        await using var stage = await Stage.OpenAsync();
        stage.OpenRoom();
        var page = await stage.ShowAsync(browser);
        var panel = await OpenAsync(page);
        var story = panel.Locator(".story");
        await Expect(story.Locator("> li > span")).ToHaveTextAsync([
            "It is here.", "Trying 3 addresses at once by UDP:", "Trying an address by TCP:", "One of the routers gives every destination another port. Its ports are searched, which takes up to 20 s.",
            "Connected 164 ms after hearing of it, direct, UDP, at 198.51.100.12:52940; round trip 41.8 ms."]);
        await Expect(story.Locator(".addresses li:not(.taken)")).ToHaveTextAsync([
            "[2001:db8:85a3::8a2e:370:7334]:52940 its own", "198.51.100.12:40001 mapped by its router", "198.51.100.12:52940 seen from outside"], new() { UseInnerText = true });
        await Expect(story.Locator(".taken")).ToHaveTextAsync("198.51.100.12:52940 seen from outside, the way now", new() { UseInnerText = true });
    }

    [Fact]
    public async Task A_code_is_shown_in_a_dialog_and_closed_by_a_key()
    {
        await using var stage = await Stage.OpenAsync();
        var page = await stage.ShowAsync(browser);
        var button = page.GetByRole(AriaRole.Button, new() { Name = "QR code of your id" });
        await button.FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        var dialog = page.GetByRole(AriaRole.Dialog, new() { Name = "Your id" });
        var code = Punchline.Cli.Web.WebCode.Of($"{Stage.Ann}");
        await Expect(dialog.Locator("path")).ToHaveAttributeAsync("d", code.Path);
        await Expect(dialog.Locator("code")).ToHaveTextAsync($"{Stage.Ann}");
        await page.Keyboard.PressAsync("Escape");
        await Expect(dialog).ToHaveCountAsync(0);
        await Expect(button).ToBeFocusedAsync();
    }

    [Fact]
    public async Task Who_was_compared_is_verified_and_who_is_not_wanted_is_blocked()
    {
        await using var stage = await Stage.OpenAsync();
        stage.OpenRoom();
        var page = await stage.ShowAsync(browser);
        var panel = await OpenAsync(page);
        await panel.GetByRole(AriaRole.Button, new() { Name = "It matches" }).ClickAsync();
        await Expect(panel.Locator(".trust")).ToHaveTextAsync("verified");
        await Expect(panel.GetByRole(AriaRole.Button, new() { Name = "It matches" })).ToBeHiddenAsync();
        await panel.GetByRole(AriaRole.Button, new() { Name = "Block", Exact = true }).ClickAsync();
        await Expect(panel.Locator(".state")).ToContainTextAsync("Blocked");
        await panel.GetByRole(AriaRole.Button, new() { Name = "Unblock" }).ClickAsync();
        await Expect(panel.Locator(".state")).Not.ToContainTextAsync("Blocked");
        Assert.Equal([$"verify {Stage.Bob}", $"block {Stage.Bob}", $"unblock {Stage.Bob}"], stage.Asked);
    }

    [Fact]
    public async Task What_was_said_before_comes_above_and_is_marked()
    {
        await using var stage = await Stage.OpenAsync();
        var state = Directory.CreateTempSubdirectory("punchline-web-");
        using (var identity = PeerIdentity.Create())
        {
            var store = new HistoryStore(state.FullName, identity);
            using (var before = store.Open("room"))
            {
                before.TryAppend(new LogEntry.Received(1, DateTimeOffset.Parse("2026-11-20T09:00:00Z", CultureInfo.InvariantCulture), "Are you there?", Stage.Bob, "bob", 1));
                before.TryAppend(new LogEntry.Sent(2, DateTimeOffset.Parse("2026-11-20T09:01:00Z", CultureInfo.InvariantCulture), "Always.", 1, [], []));
            }
            var page = await stage.ShowAsync(browser);
            var room = stage.OpenRoom();
            room.Notice("The room is open.");
            await page.GetByRole(AriaRole.Button, new() { Name = "lounge" }).ClickAsync();
            await Expect(page.GetByText("The room is open.")).ToBeVisibleAsync();
            room.Keep(store.Open("room"));
            room.ShowSent(7, "And now?");

            var log = page.GetByRole(AriaRole.Log);
            await Expect(log.Locator(".earlier .text")).ToHaveTextAsync(["Are you there?", "Always."]);
            await Expect(log.Locator(".divider")).ToContainTextAsync("Said before, until");
            await Expect(log.Locator("> *:nth-child(3)")).ToHaveClassAsync("divider");
            // Who had what then is not known any more.
            await Expect(log.GetByRole(AriaRole.Img)).ToHaveCountAsync(1);
            await Expect(page).ToHaveTitleAsync("punchline");
            await page.ReloadAsync();
            await Expect(log.Locator(".text")).ToHaveTextAsync(["Are you there?", "Always.", "And now?"]);
            room.ShowEnded();
        }
        state.Delete(recursive: true);
    }

    [Fact]
    public async Task The_doctor_draws_the_way_and_says_what_works_and_what_would_help()
    {
        await using var stage = await Stage.OpenAsync();
        var page = await stage.ShowAsync(browser);
        await page.GetByRole(AriaRole.Button, new() { Name = "This network" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Examine" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.List, new() { Name = "The way to the internet" }).GetByRole(AriaRole.Listitem)).ToHaveTextAsync([
            "this machine192.168.1.10", "router192.168.1.1", "carrier's NAT100.64.0.1", "internetas 198.51.100.11"]);
        await Expect(page.GetByRole(AriaRole.Region, new() { Name = "What works" }).GetByRole(AriaRole.Img)).ToHaveCountAsync(4);
        await Expect(page.GetByRole(AriaRole.Region, new() { Name = "What would help" })).ToContainTextAsync("behind another NAT");
        Assert.Equal(["ExamineRequest { Server = server.test:8080 }"], stage.Asked);
    }

    [Fact]
    public async Task Where_to_meet_is_chosen_and_pasted()
    {
        await using var stage = await Stage.OpenAsync();
        var page = await stage.ShowAsync(browser);
        var join = page.GetByRole(AriaRole.Form, new() { Name = "Join a room" });
        await page.GetByLabel("On this network").CheckAsync();
        await Expect(page.GetByLabel("Server", new() { Exact = true })).ToBeHiddenAsync();
        await join.GetByRole(AriaRole.Button, new() { Name = "Join" }).ClickAsync();
        await Expect(page.GetByText("Whoever knows my id may find")).ToBeHiddenAsync();

        await join.GetByLabel("Room", new() { Exact = true }).FocusAsync();
        await page.EvaluateAsync("() => navigator.clipboard.writeText('punchline join fosera --dht --secret 335v2-k3h52-22x47-djrbv')");
        await page.Keyboard.PressAsync("Control+V");
        await Expect(page.GetByLabel("In the BitTorrent DHT")).ToBeCheckedAsync();
        await join.GetByRole(AriaRole.Button, new() { Name = "Join" }).ClickAsync();
        var wait = page.GetByRole(AriaRole.Form, new() { Name = "Wait for calls" });
        await wait.GetByLabel("Whoever knows my id may find").CheckAsync();
        await wait.GetByRole(AriaRole.Button, new() { Name = "Wait" }).ClickAsync();
        await Expect(join.GetByLabel("Room", new() { Exact = true })).ToHaveValueAsync("");
        Assert.Equal([
            "JoinRequest { Place = lan, Server = , Name = ann, Room = , Secret =  }",
            "JoinRequest { Place = dht, Server = , Name = ann, Room = fosera, Secret = 335v2-k3h52-22x47-djrbv }",
            "WaitRequest { Place = dht, Server = , Name = ann, Reachable = True }"], stage.Asked);
    }

    private static async Task<ILocator> OpenAsync(IPage page)
    {
        await page.GetByRole(AriaRole.Button, new() { Name = "lounge" }).ClickAsync();
        var panel = page.GetByRole(AriaRole.Complementary, new() { Name = "Members" });
        await panel.GetByText("Connection", new() { Exact = true }).ClickAsync();
        return panel;
    }
}
