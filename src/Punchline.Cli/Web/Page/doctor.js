// What this network is, which others it meets, and what would help: the doctor's findings as a page.

import { post } from "./api.js";
import { el, say, svg } from "./dom.js";

/** @typedef {{ name: string, detail: string }} Station */
/** @typedef {{ label: string, text?: string }} Finding */
/** @typedef {{ with: string, sign: string, how: string }} Prospect */
/** @typedef {{ kind: string, way: Station[], findings: Finding[], prospects: Prospect[], advice: string[], unknown: string[] }} Diagnosis */

const signs = /** @type {Record<string, [string, string]>} */ ({ yes: ["✓", "works"], maybe: ["~", "works as a rule"], no: ["✗", "does not work"], unknown: ["?", "not known"] });

/** Of 24 by 24. */
const icons = /** @type {Record<string, string>} */ ({
  "this machine": "M5 5h14v9H5zM2 18h20l-2-4H4z",
  router: "M3 13h18v6H3zM7 13V6M17 13V6M7 16h0M11 16h0",
  firewall: "M12 3l8 3v6c0 5-4 8-8 9-4-1-8-4-8-9V6z",
  carrier: "M12 9L6 21M12 9l6 12M8.5 16h7M12 9V6M8 8a5 5 0 0 1 0-6M16 8a5 5 0 0 0 0-6",
  internet: "M12 3a9 9 0 1 0 0 18 9 9 0 1 0 0-18zM3 12h18M12 3c-6 6-6 12 0 18M12 3c6 6 6 12 0 18",
});

export class DoctorView {
  /** @param {import("./session.js").Session} session */
  constructor(session) {
    this.server = /** @type {HTMLInputElement} */ (el("input", { id: "examined", type: "text", spellcheck: "false", placeholder: "HOST:PORT#PIN", value: session.self.server, "aria-describedby": "examined-hint" }));
    this.button = el("button", { type: "submit" }, "Examine");
    this.status = el("p", { class: "hint", role: "status" });
    this.error = el("p", { class: "error", role: "alert" });
    this.result = el("div", { class: "diagnosis" });
    this.element = el("section", { class: "start doctor" },
      el("h1", {}, "This network"),
      el("form", { class: "card", "aria-label": "Examine this network", onsubmit: (/** @type {Event} */ event) => this.examine(event) },
        el("div", { class: "field" }, el("label", { for: "examined" }, "Server"), this.server,
          el("p", { class: "hint", id: "examined-hint" }, "A server outside sees how your router treats peers. Without one, only this side of it is looked at.")),
        this.button, this.status, this.error),
      this.result);
  }

  /** @param {Event} event */
  async examine(event) {
    event.preventDefault();
    this.button.toggleAttribute("disabled", true);
    say(this.status, "Asking the router and the server, for some seconds…");
    say(this.error, "");
    try {
      this.result.replaceChildren(...partsOf(await post("/api/doctor", { server: this.server.value })));
    } catch (refusal) {
      say(this.error, /** @type {Error} */ (refusal).message);
    } finally {
      say(this.status, "");
      this.button.toggleAttribute("disabled", false);
    }
  }
}

/** @param {Diagnosis} diagnosis */
function partsOf({ kind, way, findings, prospects, advice, unknown }) {
  return [
    el("section", { class: "card", "aria-label": "What it is" }, el("h2", {}, "What it is"), el("p", {}, kind), el("ol", { class: "way", "aria-label": "The way to the internet" }, ...way.map(stationOf))),
    ...listOf("What would help", advice),
    ...(prospects.length > 0 ? [el("section", { class: "card", "aria-label": "What works" }, el("h2", {}, "With a peer behind"), el("ul", { class: "prospects" }, ...prospects.map(prospectOf)))] : []),
    el("section", { class: "card", "aria-label": "What was found" }, el("h2", {}, "What was found"),
      el("dl", { class: "facts" }, ...findings.flatMap(({ label, text }) => [el("dt", {}, label), el("dd", {}, text ?? "not known")]))),
    ...listOf("What is not known", unknown),
  ];
}

/** @param {Station} station */
function stationOf({ name, detail }) {
  const icon = icons[name] ?? (name.startsWith("carrier") ? icons.carrier : icons.router);
  return el("li", {}, svg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, svg("path", { d: icon })), el("b", {}, name), el("span", {}, detail));
}

/** @param {Prospect} prospect */
function prospectOf(prospect) {
  const [sign, words] = signs[prospect.sign];
  return el("li", { class: prospect.sign }, el("span", { class: "sign", role: "img", "aria-label": words }, sign), el("span", {}, prospect.with), el("span", { class: "how" }, prospect.how));
}

/**
 * @param {string} title
 * @param {string[]} texts
 */
const listOf = (title, texts) => (texts.length > 0 ? [el("section", { class: "card", "aria-label": title }, el("h2", {}, title), el("ul", { class: "advices" }, ...texts.map(text => el("li", {}, text))))] : []);
