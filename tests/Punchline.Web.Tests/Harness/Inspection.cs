using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

namespace Punchline.Web.Tests.Harness;

/// <summary>
/// What a page owes to people who see little, or use no mouse, as far as it can be measured: axe-core's rules for WCAG 2.2, level AA, and what its authors hold for good practice;
/// and reflow (1.4.10), of which it has no rule.
/// </summary>
internal static class Inspection
{
    private static readonly AxeRunOptions Options = new()
    {
        RunOnly = new RunOnlyOptions { Type = "tag", Values = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] },
    };

    public static async Task CheckAsync(IPage page)
    {
        var result = await page.RunAxe(Options);
        // What found nothing to look at has shown nothing.
        Assert.Contains(result.Passes, rule => rule.Id is "color-contrast");
        Assert.Contains(result.Passes, rule => rule.Id is "target-size");
        Assert.Equal("", string.Join('\n', result.Violations.SelectMany(rule => rule.Nodes.Select(node => $"{rule.Id}: {rule.Help}: {node.Html[..Math.Min(node.Html.Length, 160)]}"))));
        Assert.False(await page.EvaluateAsync<bool>("document.documentElement.scrollWidth > innerWidth"), "wider than the screen");
    }
}
