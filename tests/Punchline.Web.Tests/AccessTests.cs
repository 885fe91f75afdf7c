using Microsoft.Playwright;
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

    [Theory]
    [InlineData("desktop-light", 1280, 800, ColorScheme.Light)]
    [InlineData("desktop-dark", 1280, 800, ColorScheme.Dark)]
    [InlineData("tablet-light", 800, 900, ColorScheme.Light)]
    [InlineData("phone-light", 390, 780, ColorScheme.Light)]
    [InlineData("smallest-light", 320, 568, ColorScheme.Light)] // WCAG 1.4.10: 320 CSS pixels
    [InlineData("phone-dark", 360, 740, ColorScheme.Dark)]
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
