// Who is in a room, how each is reached, how that came, and how it does.

import { post } from "./api.js";
import { showCharts } from "./chart.js";
import { codeButton } from "./code.js";
import { copyButton, el, follow, say, shortId } from "./dom.js";
import { kinds, showStory } from "./story.js";

/** @typedef {import("./session.js").Member} Member */
/** @typedef {import("./session.js").Room} Room */

const states = /** @type {Record<string, string>} */ ({ connected: "Connected", connecting: "Looking for a way…", unreachable: "No way found; it is tried again" });
const blocked = "Blocked: nothing goes to it, nothing is taken from it.";
const trusts = /** @type {Record<string, [string, string]>} */ ({
  new: ["new", "Met in this room for the first time."],
  known: ["known", "Met in this room before, under this key."],
  verified: ["verified", "Its id was compared with the person behind it."],
  changed: ["changed key", "It came under a name that you knew with another key."],
});

/**
 * @param {HTMLElement} panel
 * @param {Room} room
 * @param {() => void} onClose
 */
export function showMembers(panel, room, onClose) {
  if (panel.dataset.room !== String(room.number)) {
    panel.dataset.room = String(room.number);
    panel.replaceChildren(
      el("header", {}, el("h2", {}, "Members"), el("button", { type: "button", class: "quiet narrow", onclick: onClose }, "Close")),
      el("p", { class: "hint" }), el("ul", { class: "members" }));
  }
  const [, hint, list] = /** @type {HTMLElement[]} */ ([...panel.children]);
  const count = room.members.size;
  say(hint, room.isOver ? "It is over." : count > 0 ? "" : room.hasServer && !room.server ? "Reaching the server…" : "Nobody else is here yet.");
  follow(list, room.members.values(), member => member.peer, create, (element, member) => update(element, member, room));
}

/** @param {Member} member */
function create(member) {
  const error = el("p", { class: "error", role: "alert" });
  const act = (/** @type {string} */ what) => async () => {
    try {
      await post(`/api/peers/${member.peer}/${what}`);
      say(error, "");
    } catch (refusal) {
      say(error, /** @type {Error} */ (refusal).message);
    }
  };
  const button = (/** @type {string} */ what, /** @type {string} */ words) => el("button", { type: "button", class: `quiet ${what}`, onclick: act(what) }, words);
  return el("li", { class: "member" },
    el("h3", {}, el("span", { class: "dot" }), el("span", { class: "name" }), " ", el("span", { class: "trust" })),
    el("p", { class: "state" }),
    el("details", {},
      el("summary", {}, "Connection"),
      el("dl", { class: "facts" }),
      el("div", { class: "charts" }),
      el("h4", {}, "How it came"),
      el("ol", { class: "story" }),
      el("h4", {}, "Who it is"),
      el("p", { class: "id" }, el("code", {}, member.peer), copyButton("this id", () => member.peer)),
      el("p", { class: "hint" }, "To be sure, compare this number by another way: aloud, or its code with the one on the other screen."),
      el("p", { class: "id" }, el("code", {}, member.safetyNumber), codeButton("the safety number", "Safety number", () => member.safetyNumber, "On the other side is the same code, if nobody sits between you.")),
      el("p", { class: "buttons" }, button("verify", "It matches"), button("block", "Block"), button("unblock", "Unblock")),
      error));
}

/**
 * @param {HTMLElement} element
 * @param {Member} member
 * @param {Room} room
 */
function update(element, member, room) {
  const find = (/** @type {string} */ selector) => /** @type {HTMLElement} */ (element.querySelector(selector));
  element.dataset.state = member.isBlocked ? "blocked" : member.state;
  say(find(".name"), member.name || shortId(member.peer));
  const [mark, meaning] = trusts[member.trust] ?? ["", ""];
  find(".trust").dataset.trust = member.trust;
  find(".trust").title = meaning;
  say(find(".trust"), mark);
  say(find(".state"), member.isBlocked ? blocked : member.path ? `${capital(kinds[member.path.kind])}, ${member.path.transport.toUpperCase()}, ${room.quality.get(member.peer)?.at(-1)?.rttMs ?? member.rttMs} ms` : states[member.state]);
  find(".facts").replaceChildren(...factsOf(member).flatMap(([term, fact]) => [el("dt", {}, term), el("dd", {}, fact)]));
  find(".charts").hidden = !member.path;
  if (member.path) showCharts(find(".charts"), room.quality.get(member.peer) ?? []);
  showStory(find(".story"), member);
  find(".verify").hidden = member.state !== "connected" || member.trust === "verified";
  find("button.block").hidden = member.isBlocked;
  find(".unblock").hidden = !member.isBlocked;
  // What is wrong is not to be looked for.
  if (member.state === "unreachable" && !member.isBlocked) /** @type {HTMLDetailsElement} */ (find("details")).open = true;
}

/**
 * @param {Member} member
 * @returns {[string, string][]}
 */
function factsOf({ isBlocked, state, path, rttMs }) {
  if (!path) return [["State", isBlocked ? "Blocked" : states[state]]];
  return [["Path", kinds[path.kind]], ["Transport", path.transport.toUpperCase()], ["Round trip", `${rttMs} ms at first`], ["Its address", path.remote], ["Ours", path.local]];
}

/** @param {string} text */
const capital = text => text.charAt(0).toUpperCase() + text.slice(1);
