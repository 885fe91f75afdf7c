using Microsoft.Playwright;

namespace Punchline.Web.Tests.Harness;

/// <summary>
/// What a page owes to people who see little, or use no mouse, as far as it can be measured: WCAG 2.2, level AA, success criteria
/// 1.3.1 and 4.1.2 (names), 1.4.3 (contrast), 1.4.10 (reflow), 2.5.8 (target size), 3.1.1 (language). No library of rules is used.
/// </summary>
internal static class Inspection
{
    private const string Script =
        """
        () => {
          const problems = [];
          const isShown = element => element.checkVisibility({ visibilityProperty: true, opacityProperty: true });
          const say = (element, what) => problems.push(`${what}: ${element.outerHTML.slice(0, 120)}`);

          if (!document.documentElement.lang) problems.push("no language");
          if (document.querySelectorAll("main").length !== 1) problems.push("not one main");
          if ([...document.querySelectorAll("h1")].filter(isShown).length !== 1) problems.push("not one h1");
          if (document.documentElement.scrollWidth > innerWidth) problems.push("wider than the screen");
          const ids = [...document.querySelectorAll("[id]")].map(element => element.id);
          if (new Set(ids).size !== ids.length) problems.push("an id stands twice");
          for (const described of document.querySelectorAll("[aria-describedby]"))
            if (!document.getElementById(described.getAttribute("aria-describedby"))) say(described, "described by nothing");

          for (const control of [...document.querySelectorAll("input, textarea, button, a[href], summary")].filter(isShown)) {
            const labels = control.labels ? [...control.labels].map(label => label.textContent).join("") : "";
            if (!(control.getAttribute("aria-label") || labels || (control.matches("button, a, summary") ? control.textContent : "")).trim()) say(control, "no name");
            const { width, height } = control.getBoundingClientRect();
            if (!control.matches(".skip") && (width < 24 || height < 24)) say(control, `a target of ${width} by ${height}`);
          }
          for (const picture of document.querySelectorAll("img, svg, [role=img]"))
            if (isShown(picture) && !(picture.getAttribute("alt") || picture.getAttribute("aria-label") || picture.closest("[aria-hidden=true]"))) say(picture, "a picture without words");

          const channels = colour => colour.match(/[\d.]+/g).map(Number);
          const luminance = ([red, green, blue]) => [red, green, blue].map(channel => channel / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
            .reduce((sum, c, index) => sum + c * [0.2126, 0.7152, 0.0722][index], 0);
          const groundOf = element => {
            for (let at = element; at; at = at.parentElement) {
              const colour = channels(getComputedStyle(at).backgroundColor);
              if ((colour[3] ?? 1) === 1) return colour;
            }
            return [255, 255, 255];
          };
          const contrast = (one, other) => { const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b); return (high + 0.05) / (low + 0.05); };
          let measured = 0;
          for (const element of [...document.body.querySelectorAll("*")].filter(isShown)) {
            const hasText = [...element.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.textContent.trim()) || element.matches("input, textarea");
            if (!hasText || element.matches("noscript, .unseen, .skip")) continue;
            const ratio = contrast(channels(getComputedStyle(element).color), groundOf(element));
            measured++;
            if (ratio < 4.5) say(element, `a contrast of ${ratio.toFixed(2)}`);
          }
          if (measured < 5) problems.push(`only ${measured} texts measured`);
          return problems;
        }
        """;

    public static async Task CheckAsync(IPage page) => Assert.Empty(await page.EvaluateAsync<string[]>(Script));
}
