// The list of conversations, and how to begin another.

import { el, follow, say } from "./dom.js";
import { doctor } from "./reading.js";
import { titleOf } from "./session.js";

/** @typedef {import("./session.js").Session} Session */
/** @typedef {import("./reading.js").Reading} Reading */

/**
 * @param {HTMLElement} nav
 * @param {Session} session
 * @param {Reading} reading
 * @param {(room: number) => void} onShow 0: the page on which to begin; or the doctor.
 */
export function showRooms(nav, session, reading, onShow) {
  if (!nav.firstChild) {
    nav.append(el("p", { class: "brand" }, "punchline"),
      el("button", { type: "button", class: "begin", onclick: () => onShow(0) }, "New conversation"), el("ul", { class: "rooms" }), el("p", { class: "hint waiting" }),
      el("button", { type: "button", class: "quiet network", onclick: () => onShow(doctor) }, "This network"));
  }
  const [, begin, list, waiting, network] = [...nav.children];
  mark(begin, reading.shown === 0);
  mark(network, reading.shown === doctor);
  follow(list, session.rooms.values(), room => room.number,
    room => el("li", {}, el("button", { type: "button", onclick: () => onShow(room.number) },
      el("span", { class: "title" }), el("span", { class: "badge" }), el("span", { class: "hint" }))),
    (element, room) => {
      const button = /** @type {HTMLElement} */ (element.firstElementChild);
      const unread = reading.unreadIn(room);
      const [title, badge, hint] = [...button.children];
      say(title, titleOf(room));
      say(badge, unread > 0 ? `${unread}` : "");
      badge.setAttribute("aria-label", unread > 0 ? `${unread} unread` : "");
      say(hint, room.isOver ? "over" : room.members.size === 1 ? [...room.members.values()][0].name : `${room.members.size} others`);
      mark(button, reading.shown === room.number);
    });
  say(waiting, session.inbox && !session.inbox.problem ? "Waiting for calls" : "");
}

/**
 * @param {Element} element
 * @param {boolean} isCurrent
 */
function mark(element, isCurrent) {
  if (isCurrent) element.setAttribute("aria-current", "page");
  else element.removeAttribute("aria-current");
}
