using System.Net.NetworkInformation;
using Microsoft.Playwright;
using Punchline.Web.Tests.Harness;
using static Microsoft.Playwright.Assertions;

namespace Punchline.Web.Tests;

/// <summary>Rooms without a server, what is left of them in the next session, and who is not wanted there: real processes.</summary>
public sealed class PlaceTests(Browser browser) : IClassFixture<Browser>
{
    private const string Secret = "four unusual chessboard herons";

    // Behind these a node of the DHT has been asked for 15 s, and two have been heard on a busy machine.
    private static readonly LocatorAssertionsToBeVisibleOptions Patient = new() { Timeout = 60_000 };

    [Fact]
    public async Task On_one_network_a_room_needs_nothing_but_the_line_that_others_paste()
    {
        if (!NetworkInterface.GetAllNetworkInterfaces().Any(link => link is { OperationalStatus: OperationalStatus.Up, SupportsMulticast: true } && link.NetworkInterfaceType != NetworkInterfaceType.Loopback))
            Assert.Skip("No network here but the machine itself.");
        await using var meeting = await Meeting.BeginAsync();
        var (_, alice) = await meeting.ArriveAsync(browser, "alice");
        var (_, bob) = await meeting.ArriveAsync(browser, "bob");
        await alice.GetByLabel("On this network").CheckAsync();
        await alice.GetByRole(AriaRole.Button, new() { Name = "Join" }).ClickAsync();
        var told = await alice.GetByText("Others join with this line:").TextContentAsync();
        var line = told!.Split('\n')[1];
        Assert.Matches("^punchline join [a-z]+ --secret [-a-z0-9]+$", line);

        await bob.GetByLabel("Room", new() { Exact = true }).FocusAsync();
        await bob.EvaluateAsync("line => navigator.clipboard.writeText(line)", line);
        await bob.Keyboard.PressAsync("Control+V");
        await Expect(bob.GetByLabel("On this network")).ToBeCheckedAsync();
        await bob.Keyboard.PressAsync("Enter");
        foreach (var page in (IPage[])[alice, bob]) await Expect(page.GetByText("1 of 1 connected")).ToBeVisibleAsync(Patient);
        await Meeting.SayAsync(bob, "No server anywhere.");
        await Expect(alice.GetByRole(AriaRole.Log).GetByText("No server anywhere.")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task What_stands_in_the_way_of_the_DHT_is_said_where_it_happens()
    {
        // Port 1 is nobody's.
        await using var process = await WebProcess.StartAsync(null, "alice", "--dht", "--bootstrap", "127.0.0.1:1");
        await using var context = await browser.NewContextAsync();
        var page = await context.NewPageAsync();
        await page.GotoAsync(process.Link);
        await Expect(page.GetByLabel("In the BitTorrent DHT")).ToBeCheckedAsync();
        var join = page.GetByRole(AriaRole.Form, new() { Name = "Join a room" });
        await join.GetByLabel("Room", new() { Exact = true }).FillAsync("lounge");
        await join.GetByRole(AriaRole.Button, new() { Name = "Join" }).ClickAsync();
        await Expect(join.GetByRole(AriaRole.Alert)).ToContainTextAsync("This room has no secret. In the DHT whoever guesses");
        var wait = page.GetByRole(AriaRole.Form, new() { Name = "Wait for calls" });
        await wait.GetByRole(AriaRole.Button, new() { Name = "Wait" }).ClickAsync();
        await Expect(wait.GetByRole(AriaRole.Alert)).ToContainTextAsync("Say below that you want it");

        await Meeting.JoinAsync(page, "lounge", Secret);
        await Expect(page.GetByRole(AriaRole.Log).GetByText("No node of the DHT answers: 127.0.0.1:1")).ToBeVisibleAsync(Patient);
        await Expect(page.GetByText("Not in this room any more")).ToBeVisibleAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_next_session_shows_what_was_said_where_that_is_kept(bool isKept)
    {
        string[] options = isKept ? [] : ["--no-history"];
        await using var meeting = await Meeting.BeginAsync();
        await using var first = await WebProcess.StartAsync(meeting.Server, "alice", options);
        await using var context = await browser.NewContextAsync();
        var page = await OpenAsync(context, first.Link);
        await Meeting.JoinAsync(page, "lounge", Secret);
        await Meeting.SayAsync(page, "Said yesterday.");
        await Expect(page.GetByRole(AriaRole.Log).Locator(".sent")).ToHaveCountAsync(1);

        await using var second = await first.StartAgainAsync(meeting.Server, "alice", options);
        var next = await OpenAsync(context, second.Link);
        await Meeting.JoinAsync(next, "lounge", Secret);
        await Meeting.SayAsync(next, "Said today.");
        await Expect(next.GetByRole(AriaRole.Log).Locator(".sent:not(.earlier) .text")).ToHaveTextAsync(["Said today."]);
        await Expect(next.GetByRole(AriaRole.Log).Locator(".earlier .text")).ToHaveTextAsync(isKept ? ["Said yesterday."] : []);
    }

    [Fact]
    public async Task Who_is_blocked_is_cut_off_and_calls_in_vain()
    {
        await using var meeting = await Meeting.BeginAsync();
        var (_, alice) = await meeting.ArriveAsync(browser, "alice");
        var (_, eve) = await meeting.ArriveAsync(browser, "eve");
        var id = await alice.GetByRole(AriaRole.Region, new() { Name = "You" }).Locator("code").TextContentAsync();
        await alice.GetByRole(AriaRole.Form, new() { Name = "Wait for calls" }).GetByRole(AriaRole.Button).ClickAsync();
        await Expect(alice.GetByText("Waiting. Others call with this line:")).ToBeVisibleAsync();
        foreach (var page in (IPage[])[alice, eve]) await Meeting.JoinAsync(page, "lounge", Secret);
        await Expect(alice.GetByText("1 of 1 connected")).ToBeVisibleAsync();
        var panel = alice.GetByRole(AriaRole.Complementary, new() { Name = "Members" });
        await panel.GetByText("Connection", new() { Exact = true }).ClickAsync();
        await panel.GetByRole(AriaRole.Button, new() { Name = "Block", Exact = true }).ClickAsync();

        await Expect(alice.GetByText("0 of 1 connected")).ToBeVisibleAsync();
        await Expect(eve.GetByRole(AriaRole.Log).GetByText("alice left.")).ToBeVisibleAsync();
        await eve.GetByRole(AriaRole.Button, new() { Name = "New conversation" }).ClickAsync();
        await eve.GetByLabel("Who", new() { Exact = true }).FillAsync(id!);
        await eve.GetByRole(AriaRole.Button, new() { Name = "Call", Exact = true }).ClickAsync();
        await Expect(eve.GetByRole(AriaRole.Log).GetByText("did not take the call")).ToBeVisibleAsync();
        await Expect(alice.GetByRole(AriaRole.Region, new() { Name = "Incoming calls" }).GetByRole(AriaRole.Heading)).ToHaveCountAsync(0);

        await panel.GetByRole(AriaRole.Button, new() { Name = "Unblock" }).ClickAsync();
        await Expect(alice.GetByText("1 of 1 connected")).ToBeVisibleAsync(Patient);
    }

    [Fact]
    public async Task The_doctor_examines_this_network()
    {
        await using var meeting = await Meeting.BeginAsync();
        var (_, alice) = await meeting.ArriveAsync(browser, "alice");
        await alice.GetByRole(AriaRole.Button, new() { Name = "This network" }).ClickAsync();
        await alice.GetByRole(AriaRole.Button, new() { Name = "Examine" }).ClickAsync();
        await Expect(alice.GetByRole(AriaRole.List, new() { Name = "The way to the internet" }).GetByText("this machine")).ToBeVisibleAsync(Patient);
        await alice.GetByLabel("Server", new() { Exact = true }).FillAsync("no such server");
        await alice.GetByRole(AriaRole.Button, new() { Name = "Examine" }).ClickAsync();
        await Expect(alice.GetByRole(AriaRole.Alert)).ToContainTextAsync("no such server");
    }

    private static async Task<IPage> OpenAsync(IBrowserContext context, string link)
    {
        var page = await context.NewPageAsync();
        await page.GotoAsync(link);
        await page.GetByRole(AriaRole.Heading, new() { Name = "Begin a conversation" }).WaitForAsync();
        return page;
    }
}
