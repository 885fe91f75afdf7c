// Calls that ring: above everything, until they are answered or the caller gives up.

import { post } from "./api.js";
import { el, follow, say, shortId } from "./dom.js";

/** @typedef {import("./session.js").Session} Session */
/** @typedef {import("./session.js").Call} Call */

/**
 * @param {HTMLElement} section
 * @param {Session} session
 * @param {(room: number) => void} onShow
 */
export function showCalls(section, session, onShow) {
  follow(section, session.inbox?.calls ?? [], call => call.number, call => create(call, onShow), () => {});
}

/**
 * @param {Call} call
 * @param {(room: number) => void} onShow
 */
function create(call, onShow) {
  const error = el("p", { class: "error" });
  const answer = (/** @type {string} */ path) => async () => {
    try {
      const taken = await post(path);
      if (taken) onShow(taken.room);
    } catch (refusal) {
      say(error, /** @type {Error} */ (refusal).message);
    }
  };
  return el("article", { class: "call" },
    el("h2", {}, `${call.name || shortId(call.peer)} calls`),
    el("p", {}, call.acquaintance),
    el("p", {}, "To take the call shows this machine's addresses to the caller."),
    el("p", { class: "buttons" },
      el("button", { type: "button", onclick: answer(`/api/inbox/${call.number}/answer`) }, "Take the call"),
      el("button", { type: "button", class: "quiet", onclick: answer(`/api/inbox/${call.number}/refuse`) }, "Refuse"),
      // Whoever is blocked is refused.
      el("button", { type: "button", class: "quiet block", onclick: answer(`/api/peers/${call.peer}/block`) }, "Block")),
    error);
}
