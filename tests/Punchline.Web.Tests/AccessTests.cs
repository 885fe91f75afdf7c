using Microsoft.Playwright;
using Punchline.Cli.Session;
using Punchline.Web.Tests.Harness;
using static Microsoft.Playwright.Assertions;

namespace Punchline.Web.Tests;

/// <summary>
/// The page on screens of several widths, light and dark. Pictures of each go to the directory that a variable names; those in docs/
/// are made so: <c>PUNCHLINE_TEST_SCREENSHOTS=docs dotnet test --project tests/Punchline.Web.Tests --filter-class "*AccessTests"</c>.
/// </summary>
public sealed class AccessTests(Browser browser) : IClassFixture<Browser>
{
    private const string Pictures = "PUNCHLINE_TEST_SCREENSHOTS";

    public static TheoryData<string, int, int, ColorScheme> Screens { get; } = new()
    {
        { "desktop-light", 1280, 800, ColorScheme.Light },
        { "desktop-dark", 1280, 800, ColorScheme.Dark },
        { "tablet-light", 800, 900, ColorScheme.Light },
        { "phone-light", 390, 780, ColorScheme.Light },
        { "smallest-light", 320, 568, ColorScheme.Light }, // WCAG 1.4.10: 320 CSS pixels
        { "phone-dark", 360, 740, ColorScheme.Dark },
    };

    [Theory]
    [MemberData(nameof(Screens))]
    public async Task Everything_can_be_read_named_and_hit(string screen, int width, int height, ColorScheme colours)
    {
        await using var meeting = await Meeting.BeginAsync();
        var (_, alice) = await meeting.ArriveAsync(browser, "alice", width, height, colours);
        var (_, bob) = await meeting.ArriveAsync(browser, "bob");
        await InspectAsync(alice, screen, "start");
        foreach (var page in (IPage[])[alice, bob]) await Meeting.JoinAsync(page, "lounge", "four unusual chessboard herons");
        await Expect(alice.GetByRole(AriaRole.Heading, new() { Name = "lounge" }).Locator("..").GetByText("1 of 1 connected")).ToHaveCountAsync(1);
        await Meeting.SayAsync(bob, "Good morning! Who else reads this?");
        await Expect(Messages(alice).GetByText("Good morning!")).ToBeVisibleAsync();
        await Meeting.SayAsync(alice, "Nobody. It came straight from you, sealed.");
        await Meeting.SayAsync(alice, "The server only introduced us.\nIt may go home now.");
        await Expect(Messages(alice).GetByRole(AriaRole.Img, new() { Name = "Delivered to all" })).ToHaveCountAsync(2);
        await InspectAsync(alice, screen, "room");

        var members = alice.GetByRole(AriaRole.Button, new() { Name = "Members (1)" });
        if (await members.IsVisibleAsync()) await members.ClickAsync();
        var panel = alice.GetByRole(AriaRole.Complementary, new() { Name = "Members" });
        await panel.GetByText("Connection", new() { Exact = true }).ClickAsync();
        await Expect(panel.GetByText("after hearing of it,")).ToBeVisibleAsync();
        await InspectAsync(alice, screen, "members");
    }

    [Theory]
    [MemberData(nameof(Screens))]
    public async Task So_can_what_takes_hours_and_other_networks(string screen, int width, int height, ColorScheme colours)
    {
        await using var stage = await Stage.OpenAsync();
        var page = await stage.ShowAsync(browser, width, height, colours);
        await page.GetByLabel("In the BitTorrent DHT").CheckAsync();
        await InspectAsync(page, screen, "dht");
        await page.GetByRole(AriaRole.Button, new() { Name = "QR code of your id" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Img, new() { Name = "Your id" })).ToBeVisibleAsync();
        await InspectAsync(page, screen, "code");
        await page.GetByRole(AriaRole.Button, new() { Name = "Close" }).ClickAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "This network" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Examine" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "What is not known" })).ToBeVisibleAsync();
        await InspectAsync(page, screen, "doctor");

        var room = stage.OpenRoom();
        Stage.Measure(room);
        room.Show(new RoomEvent.Joined(Stage.Eve, "eve"));
        room.Show(new RoomEvent.Failed(Stage.Eve, "no-answer", "Nothing came back (22 packets to 2 addresses in 20 s).", "One of the two routers may give every destination another port. Forward a UDP port on one side, or try another network there."));
        await page.GetByRole(AriaRole.Button, new() { Name = "New conversation" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "lounge" }).ClickAsync();
        var members = page.GetByRole(AriaRole.Button, new() { Name = "Members (2)" });
        if (await members.IsVisibleAsync()) await members.ClickAsync();
        var panel = page.GetByRole(AriaRole.Complementary, new() { Name = "Members" });
        await panel.GetByText("Connection", new() { Exact = true }).First.ClickAsync();
        await InspectAsync(page, screen, "charts");
        await panel.Locator(".story").First.ScrollIntoViewIfNeededAsync();
        await InspectAsync(page, screen, "story");
        stage.Session.Block(Stage.Bob);
        stage.Session.ShowInbox(new InboxSnapshot("ann", "--server server.test", ServerState.Connected, [new RingingCall(1, DateTimeOffset.UtcNow, Stage.Eve, "eve", $"You have not met it: its id is {Stage.Eve}.")]));
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "eve calls" })).ToBeVisibleAsync();
        await InspectAsync(page, screen, "call");
    }

    [Fact]
    public async Task Nobody_needs_a_mouse()
    {
        await using var meeting = await Meeting.BeginAsync();
        var (_, alice) = await meeting.ArriveAsync(browser, "alice");
        await TabToAsync(alice, "Room");
        await alice.Keyboard.TypeAsync("lounge");
        await alice.Keyboard.PressAsync("Enter");
        await Expect(alice.GetByLabel("Message to lounge")).ToBeFocusedAsync();
        await alice.Keyboard.TypeAsync("Hello?");
        await alice.Keyboard.PressAsync("Enter");
        await Expect(Messages(alice).GetByText("Hello?")).ToBeVisibleAsync();
        await Expect(Messages(alice).GetByRole(AriaRole.Img, new() { Name = "Nobody was here" })).ToHaveCountAsync(1);
        await alice.Keyboard.PressAsync("Shift+Tab");
        await Expect(Messages(alice)).ToBeFocusedAsync();
        await TabToAsync(alice, "Leave");
        await alice.Keyboard.PressAsync("Enter");
        await Expect(alice.GetByRole(AriaRole.Heading, new() { Name = "Begin a conversation" })).ToBeVisibleAsync();
    }

    // Of all controls of the page there are fewer.
    private static async Task TabToAsync(IPage page, string name)
    {
        const int MostStops = 40;
        for (var stop = 0; stop < MostStops; stop++)
        {
            await page.Keyboard.PressAsync("Tab");
            var focused = await page.EvaluateAsync<string>("() => { const at = document.activeElement; return (at.labels?.[0] ?? at).textContent.trim(); }");
            if (string.Equals(focused, name, StringComparison.Ordinal)) return;
        }
        Assert.Fail($"No Tab leads to {name}.");
    }

    private static async Task InspectAsync(IPage page, string screen, string view)
    {
        if (Environment.GetEnvironmentVariable(Pictures) is { Length: > 0 } directory)
            await page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(directory, $"web-{view}-{screen}.png") });
        await Inspection.CheckAsync(page);
    }

    private static ILocator Messages(IPage page) => page.GetByRole(AriaRole.Log);
}
