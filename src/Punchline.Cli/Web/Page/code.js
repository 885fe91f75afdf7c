// A text as a QR code, in a dialog: to be read by a camera, or held beside another screen.

import { post } from "./api.js";
import { el, say, svg } from "./dom.js";

/**
 * @param {string} label What is shown, for whoever does not see where the button is.
 * @param {string} title
 * @param {() => string} text
 * @param {string} hint
 */
export function codeButton(label, title, text, hint) {
  const button = el("button", { type: "button", class: "quiet", "aria-label": `QR code of ${label}`, "aria-haspopup": "dialog", onclick: show }, "QR");
  async function show() {
    const shown = text();
    const place = el("div", { class: "code" });
    const close = el("button", { type: "button", onclick: () => dialog.close() }, "Close");
    const dialog = /** @type {HTMLDialogElement} */ (el("dialog", { "aria-label": title, onclose: () => dialog.remove() },
      el("h2", {}, title), place, el("p", { class: "id" }, el("code", {}, shown)), el("p", { class: "hint" }, hint), close));
    document.body.append(dialog);
    dialog.showModal();
    try {
      const { size, path } = await post("/api/code", { text: shown });
      // Dark on light in every colour scheme: cameras expect it.
      place.replaceChildren(svg("svg", { viewBox: `0 0 ${size} ${size}`, role: "img", "aria-label": title, "shape-rendering": "crispEdges" },
        svg("rect", { width: size, height: size, class: "light" }), svg("path", { d: path, class: "dark" })));
    } catch (refusal) {
      say(place, /** @type {Error} */ (refusal).message);
    }
  }
  return button;
}
