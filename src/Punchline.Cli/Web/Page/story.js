// The story of how a connection was made, as a timeline: what was tried on which address, what came of it, and when.

import { el, follow } from "./dom.js";
import { timeOf } from "./log.js";

/** @typedef {import("./session.js").Member} Member */
/** @typedef {import("./session.js").Step} Step */
/** @typedef {import("./session.js").Path} Path */

export const kinds = /** @type {Record<string, string>} */ ({ lan: "on this network", direct: "direct", mapped: "direct, by a port that a router maps" });

/**
 * @param {HTMLElement} list
 * @param {Member} member
 */
export function showStory(list, { story, path }) {
  follow(list, story, keyOf, stepOf, (element, step) => {
    if (!step.addresses) return;
    // Which of them it became is known later.
    [...element.querySelectorAll("li")].forEach((item, index) => item.classList.toggle("taken", isTaken(path, step, index)));
  });
}

/** @param {Step} step */
const keyOf = ({ time, kind, transport, addresses }) => [time, kind, transport, addresses?.[0].address].join();

/**
 * @param {Path | undefined} path
 * @param {Step} step
 * @param {number} index
 */
const isTaken = (path, step, index) => path !== undefined && path.transport === step.transport && path.remote === step.addresses?.[index].address;

/** @param {Step} step */
function stepOf(step) {
  return el("li", { class: step.kind }, timeOf(step.time, true), " ", el("span", {}, sentenceOf(step)),
    ...(step.addresses ? [el("ul", { class: "addresses" }, ...step.addresses.map(({ address, origin }) => el("li", {}, el("code", {}, address), ` ${origin}`, el("span", { class: "mark" }, ", the way now"))))] : []),
    ...(step.advice ? [el("p", { class: "advice" }, step.advice)] : []));
}

/** @param {Step} step */
function sentenceOf(step) {
  switch (step.kind) {
    case "joined": return "It is here.";
    case "probing": return `Trying ${step.addresses?.length === 1 ? "an address" : `${step.addresses?.length} addresses at once`} by ${step.transport?.toUpperCase()}:`;
    case "connected": return `Connected ${step.elapsedMs} ms after hearing of it, ${wayOf(step)}`;
    case "path": return `Now ${wayOf(step)}`;
    case "trying": return step.text ?? "";
    case "disconnected": return `The connection ended: ${step.text}`;
    default: return `No way: ${step.text}`;
  }
}

/** @param {Step} step */
const wayOf = ({ path, rttMs }) => (path ? `${kinds[path.kind]}, ${path.transport.toUpperCase()}, at ${path.remote}; round trip ${rttMs} ms.` : "");
