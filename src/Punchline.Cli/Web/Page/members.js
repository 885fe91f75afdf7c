// Who is in a room, how each is reached, and how that came.

import { copyButton, el, follow, say, shortId } from "./dom.js";
import { timeOf } from "./log.js";

/** @typedef {import("./session.js").Member} Member */
/** @typedef {import("./session.js").Path} Path */
/** @typedef {import("./session.js").Room} Room */
/** @typedef {import("./session.js").Step} Step */

const kinds = /** @type {Record<string, string>} */ ({ lan: "on this network", direct: "direct", mapped: "direct, by a port that a router maps" });
const states = /** @type {Record<string, string>} */ ({ connected: "Connected", connecting: "Looking for a way…", unreachable: "No way found; it is tried again" });
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
  say(hint, room.isOver ? "It is over." : !room.server && count === 0 ? "Reaching the server…" : count === 0 ? "Nobody else is here yet." : "");
  follow(list, room.members.values(), member => member.peer, create, update);
}

/** @param {Member} member */
function create(member) {
  return el("li", { class: "member" },
    el("h3", {}, el("span", { class: "dot" }), el("span", { class: "name" }), " ", el("span", { class: "trust" })),
    el("p", { class: "state" }),
    el("details", {},
      el("summary", {}, "Connection"),
      el("dl", { class: "facts" }),
      el("h4", {}, "How it came"),
      el("ol", { class: "story" }),
      el("h4", {}, "Who it is"),
      el("p", { class: "id" }, el("code", {}, member.peer), copyButton("this id", () => member.peer)),
      el("p", { class: "hint" }, "To be sure, compare this number by another way, for instance aloud:"),
      el("p", { class: "id" }, el("code", {}, member.safetyNumber))));
}

/**
 * @param {HTMLElement} element
 * @param {Member} member
 */
function update(element, member) {
  const find = (/** @type {string} */ selector) => /** @type {HTMLElement} */ (element.querySelector(selector));
  element.dataset.state = member.state;
  say(find(".name"), member.name || shortId(member.peer));
  const [mark, meaning] = trusts[member.trust] ?? ["", ""];
  find(".trust").dataset.trust = member.trust;
  find(".trust").title = meaning;
  say(find(".trust"), mark);
  say(find(".state"), member.path ? `${capital(kinds[member.path.kind])}, ${member.path.transport.toUpperCase()}, ${member.rttMs} ms` : states[member.state]);
  find(".facts").replaceChildren(...factsOf(member).flatMap(([term, fact]) => [el("dt", {}, term), el("dd", {}, fact)]));
  follow(find(".story"), member.story, step => step.time + step.kind, stepOf, () => {});
  // What is wrong is not to be looked for.
  if (member.state === "unreachable") /** @type {HTMLDetailsElement} */ (find("details")).open = true;
}

/**
 * @param {Member} member
 * @returns {[string, string][]}
 */
function factsOf({ state, path, rttMs }) {
  if (!path) return [["State", states[state]]];
  return [["Path", kinds[path.kind]], ["Transport", path.transport.toUpperCase()], ["Round trip", `${rttMs} ms`], ["Its address", path.remote], ["Ours", path.local]];
}

/** @param {Step} step */
function stepOf(step) {
  return el("li", { class: step.kind }, timeOf(step.time), " ", el("span", {}, sentenceOf(step)), ...(step.advice ? [el("p", { class: "advice" }, step.advice)] : []));
}

/** @param {Step} step */
function sentenceOf(step) {
  switch (step.kind) {
    case "joined": return "It is here; looking for a way.";
    case "connected": return `Connected ${step.elapsedMs} ms after hearing of it, ${wayOf(step)}`;
    case "path": return `Now ${wayOf(step)}`;
    case "disconnected": return `The connection ended: ${step.text}`;
    case "trying": return step.text ?? "";
    default: return `No way: ${step.text}`;
  }
}

/** @param {Step} step */
const wayOf = ({ path, rttMs }) => (path ? `${kinds[path.kind]}, ${path.transport.toUpperCase()}, at ${path.remote}; round trip ${rttMs} ms.` : "");

/** @param {string} text */
const capital = text => text.charAt(0).toUpperCase() + text.slice(1);
