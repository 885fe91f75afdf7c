using Microsoft.Playwright;

[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace Punchline.Web.Tests.Harness;

/// <summary>The system's Chromium, without a screen. Where there is none the tests are skipped; where there has to be one, they fail.</summary>
public sealed class Browser : IAsyncLifetime
{
    private const string Requirement = "PUNCHLINE_REQUIRE_LAB";

    private static readonly string[] Programs = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

    private IPlaywright? _playwright;
    private IBrowser? _browser;

    public async ValueTask InitializeAsync()
    {
        if (Programs.FirstOrDefault(File.Exists) is not { } program) return;
        _playwright = await Playwright.CreateAsync();
        // Chromium's sandbox refuses root, which tests may be; the pages are our own.
        _browser = await _playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions { ExecutablePath = program, Args = ["--no-sandbox", "--disable-gpu"] });
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null) await _browser.DisposeAsync();
        _playwright?.Dispose();
    }

    /// <summary>As somebody else's browser: with cookies and storage of its own.</summary>
    public async Task<IBrowserContext> NewContextAsync(int width = 1280, int height = 800, ColorScheme colours = ColorScheme.Light)
    {
        if (_browser is null)
        {
            const string Reason = "there is no Chromium at any of the usual places";
            if (Environment.GetEnvironmentVariable(Requirement) is "1") Assert.Fail($"{Requirement}=1, and yet {Reason}.");
            Assert.Skip($"No browser here: {Reason}.");
        }
        return await _browser.NewContextAsync(new BrowserNewContextOptions
        {
            ViewportSize = new ViewportSize { Width = width, Height = height },
            ColorScheme = colours,
            Locale = "en-GB",
            Permissions = ["clipboard-read", "clipboard-write"],
        });
    }
}
