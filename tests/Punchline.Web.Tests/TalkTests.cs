using Microsoft.Playwright;
using Punchline.Web.Tests.Harness;
using static Microsoft.Playwright.Assertions;

namespace Punchline.Web.Tests;

/// <summary>Two people, each with a process and a browser of their own.</summary>
public sealed class TalkTests(Browser browser) : IClassFixture<Browser>
{
    private const string Secret = "four unusual chessboard herons";

    [Fact]
    public async Task Two_pages_meet_and_talk_and_lose_nothing_when_loaded_anew()
    {
        await using var meeting = await Meeting.BeginAsync();
        var (_, alice) = await meeting.ArriveAsync(browser, "alice");
        var (_, bob) = await meeting.ArriveAsync(browser, "bob");
        await Meeting.JoinAsync(alice, "lounge", Secret);
        await Meeting.JoinAsync(bob, "lounge", Secret);
        await Expect(alice.GetByText("1 of 1 connected")).ToBeVisibleAsync();

        await Meeting.SayAsync(alice, "Hello Bob!");
        await Expect(Messages(bob).GetByText("Hello Bob!")).ToBeVisibleAsync();
        await Expect(Messages(alice).GetByRole(AriaRole.Img, new() { Name = "Delivered to all" })).ToHaveCountAsync(1);

        var composer = alice.GetByLabel("Message to lounge");
        await composer.FillAsync("one");
        await composer.PressAsync("Shift+Enter");
        await composer.PressSequentiallyAsync("two");
        await composer.PressAsync("Enter");
        await Expect(Messages(bob).GetByText("one\ntwo")).ToBeVisibleAsync();
        await Expect(composer).ToHaveValueAsync("");

        await bob.GetByLabel("Message to lounge").FillAsync("half a sen");
        await bob.ReloadAsync();
        await Expect(Messages(bob).Locator(".received .text")).ToHaveTextAsync(["Hello Bob!", "one two"]);
        await Expect(bob.GetByLabel("Message to lounge")).ToHaveValueAsync("half a sen");
        await Meeting.SayAsync(bob, "Still here.");
        await Expect(Messages(alice).GetByText("Still here.")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task What_is_not_read_yet_is_counted_in_the_title_and_in_the_list()
    {
        await using var meeting = await Meeting.BeginAsync();
        var (_, alice) = await meeting.ArriveAsync(browser, "alice");
        var (_, bob) = await meeting.ArriveAsync(browser, "bob");
        foreach (var page in (IPage[])[alice, bob]) await Meeting.JoinAsync(page, "lounge", Secret);
        await Expect(alice.GetByText("1 of 1 connected")).ToBeVisibleAsync();
        await bob.GetByRole(AriaRole.Button, new() { Name = "New conversation" }).ClickAsync();
        await Meeting.JoinAsync(bob, "other", Secret);

        await Meeting.SayAsync(alice, "first");
        await Meeting.SayAsync(alice, "second");

        await Expect(bob).ToHaveTitleAsync("(2) punchline");
        await bob.GetByRole(AriaRole.Button, new() { Name = "lounge 2 unread" }).ClickAsync();
        await Expect(Messages(bob).GetByText("second")).ToBeVisibleAsync();
        await Expect(bob).ToHaveTitleAsync("punchline");
    }

    [Fact]
    public async Task Who_scrolled_up_is_left_there()
    {
        await using var meeting = await Meeting.BeginAsync();
        var (_, alice) = await meeting.ArriveAsync(browser, "alice");
        var (_, bob) = await meeting.ArriveAsync(browser, "bob", height: 420);
        foreach (var page in (IPage[])[alice, bob]) await Meeting.JoinAsync(page, "lounge", Secret);
        await Expect(alice.GetByText("1 of 1 connected")).ToBeVisibleAsync();
        for (var number = 1; number <= 20; number++) await Meeting.SayAsync(alice, $"line {number}");
        await Expect(Messages(bob).GetByText("line 20", new() { Exact = true })).ToBeInViewportAsync();

        await Messages(bob).EvaluateAsync("log => { log.scrollTop = 0; }");
        await Expect(bob.GetByRole(AriaRole.Button, new() { Name = "Latest" })).ToBeVisibleAsync();
        await Meeting.SayAsync(alice, "below");
        var more = bob.GetByRole(AriaRole.Button, new() { Name = "1 new" });
        await Expect(more).ToBeVisibleAsync();
        Assert.Equal(0, await Messages(bob).EvaluateAsync<int>("log => log.scrollTop"));
        await more.ClickAsync();
        await Expect(Messages(bob).GetByText("below")).ToBeInViewportAsync();
    }

    [Fact]
    public async Task A_call_rings_is_taken_and_hung_up()
    {
        await using var meeting = await Meeting.BeginAsync();
        var (_, alice) = await meeting.ArriveAsync(browser, "alice");
        var (_, bob) = await meeting.ArriveAsync(browser, "bob");
        // A server that is not there first, for which one can be waited again. Port 1 is nobody's.
        var waiting = bob.GetByRole(AriaRole.Form, new() { Name = "Wait for calls" });
        await bob.GetByLabel("Server", new() { Exact = true }).FillAsync("127.0.0.1:1");
        await waiting.GetByRole(AriaRole.Button).ClickAsync();
        await Expect(waiting.GetByRole(AriaRole.Alert)).ToContainTextAsync("127.0.0.1:1");
        await bob.GetByLabel("Server", new() { Exact = true }).FillAsync(meeting.Server);
        await waiting.GetByRole(AriaRole.Button).ClickAsync();
        await Expect(bob.GetByText("Waiting. Others call with this line:")).ToBeVisibleAsync();
        var id = await bob.GetByRole(AriaRole.Region, new() { Name = "You" }).Locator("code").TextContentAsync();

        await alice.GetByLabel("Who", new() { Exact = true }).FillAsync(id!);
        await alice.GetByRole(AriaRole.Button, new() { Name = "Call", Exact = true }).ClickAsync();
        var calls = bob.GetByRole(AriaRole.Region, new() { Name = "Incoming calls" });
        await Expect(calls.GetByRole(AriaRole.Heading, new() { Name = "alice calls" })).ToBeVisibleAsync();
        await Expect(bob).ToHaveTitleAsync("☎ punchline");
        await calls.GetByRole(AriaRole.Button, new() { Name = "Take the call" }).ClickAsync();

        await Expect(alice.GetByText("1 of 1 connected")).ToBeVisibleAsync();
        await Meeting.SayAsync(alice, "Can you hear me?");
        await Expect(Messages(bob).GetByText("Can you hear me?")).ToBeVisibleAsync();
        await bob.GetByRole(AriaRole.Button, new() { Name = "Hang up" }).ClickAsync();
        await Expect(alice.GetByText("The call is over")).ToBeVisibleAsync();
        await alice.ReloadAsync();
        await Expect(Messages(alice).GetByText("Can you hear me?")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task What_does_not_work_is_said_where_it_happens_and_stays_there()
    {
        await using var meeting = await Meeting.BeginAsync();
        var (_, alice) = await meeting.ArriveAsync(browser, "alice");
        var call = alice.GetByRole(AriaRole.Form, new() { Name = "Call somebody" });
        await call.GetByLabel("Who").FillAsync("nobody");
        await call.GetByRole(AriaRole.Button).ClickAsync();
        await Expect(call.GetByRole(AriaRole.Alert)).ToContainTextAsync("nobody");

        await call.GetByLabel("Who").FillAsync(PeerIdentity.Create().Id.ToString());
        await call.GetByRole(AriaRole.Button).ClickAsync();
        await Expect(Messages(alice).GetByText("It has to wait for calls")).ToBeVisibleAsync();
        await alice.ReloadAsync();
        await Expect(Messages(alice).GetByText("It has to wait for calls")).ToBeVisibleAsync();
        await alice.GetByRole(AriaRole.Button, new() { Name = "Close" }).First.ClickAsync();
        await Expect(alice.GetByRole(AriaRole.Heading, new() { Name = "Begin a conversation" })).ToBeVisibleAsync();
    }

    [Fact]
    public async Task What_was_said_can_be_read_when_the_process_is_gone_and_the_page_says_that_it_is()
    {
        await using var meeting = await Meeting.BeginAsync();
        var (process, alice) = await meeting.ArriveAsync(browser, "alice");
        await Meeting.JoinAsync(alice, "lounge", Secret);
        await Meeting.SayAsync(alice, "Hello?");
        await Expect(Messages(alice).GetByText("Hello?")).ToBeVisibleAsync();
        await process.EndAsync();
        await Expect(alice.GetByRole(AriaRole.Status).Filter(new() { HasText = "punchline does not answer" })).ToBeVisibleAsync();
        await Expect(Messages(alice).GetByText("Hello?")).ToBeVisibleAsync();
        await Meeting.SayAsync(alice, "Anybody?");
        await Expect(alice.GetByText("punchline does not run any more.")).ToBeVisibleAsync();
        await Expect(alice.GetByLabel("Message to lounge")).ToHaveValueAsync("Anybody?");
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_said_in_the_room()
    {
        await using var meeting = await Meeting.BeginAsync();
        var (_, alice) = await meeting.ArriveAsync(browser, "alice");
        // Port 1 is nobody's.
        await alice.GetByLabel("Server", new() { Exact = true }).FillAsync("127.0.0.1:1");
        await Meeting.JoinAsync(alice, "lounge", Secret);
        await Expect(Messages(alice).GetByText("It is tried again and again")).ToBeVisibleAsync();
    }

    private static ILocator Messages(IPage page) => page.GetByRole(AriaRole.Log);
}
