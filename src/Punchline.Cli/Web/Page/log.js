// A room's messages and notices. It scrolls itself, unless its reader scrolled up, and shows the latest few hundred.

import { el, say, shortId } from "./dom.js";

/** @typedef {import("./session.js").Entry} Entry */
/** @typedef {import("./session.js").Room} Room */

/** Shown at first, and with each step back. */
const step = 300;

/** Shown at most, where the reader is at the end: older ones can be had back. */
const most = 1000;

/** Pixels from the end that still are the end. */
const slack = 48;

export class Log {
  /** @type {Map<number, HTMLElement>} */
  items = new Map();
  isAtEnd = true;
  missed = 0;

  /**
   * @param {Room} room
   * @param {() => void} onRead The end came into view.
   */
  constructor(room, onRead) {
    this.room = room;
    this.list = el("div", { role: "log", "aria-label": "Messages", tabindex: 0, class: "log", onscroll: () => this.watch(onRead) });
    this.earlier = el("button", { type: "button", class: "quiet more", onclick: () => this.showEarlier() }, "Earlier messages");
    this.latest = el("button", { type: "button", class: "latest", hidden: true, onclick: () => this.scrollToEnd() });
    this.element = el("div", { class: "logbox" }, this.earlier, this.list, this.latest);
    for (const entry of [...room.log.values()].slice(-step)) this.append(entry);
    this.divide();
    this.showWhetherEarlier();
  }

  /** @param {Entry} entry New, or different. */
  show(entry) {
    const item = this.items.get(entry.number);
    if (item) {
      const ticks = item.querySelector(".ticks");
      if (ticks) showTicks(ticks, entry);
    } else if (entry.number > (([...this.items.keys()].at(-1)) ?? 0)) {
      this.append(entry);
      if (this.isAtEnd) this.forgetOldest();
      else if (entry.kind === "received") this.missed++;
      this.settle();
    }
  }

  /** Where it was, or at the end: sizes are known only once it is shown. */
  settle() {
    if (this.isAtEnd) this.scrollToEnd();
    this.latest.hidden = this.isAtEnd;
    say(this.latest, this.missed > 0 ? `${this.missed} new ↓` : "Latest ↓");
  }

  scrollToEnd() {
    this.list.scrollTop = this.list.scrollHeight;
    this.isAtEnd = true;
    this.missed = 0;
    this.latest.hidden = true;
  }

  /** @param {() => void} onRead */
  watch(onRead) {
    this.isAtEnd = this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < slack;
    if (this.isAtEnd) {
      this.missed = 0;
      onRead();
    }
    this.latest.hidden = this.isAtEnd;
  }

  /** @param {Entry} entry */
  append(entry) {
    const item = itemOf(entry);
    this.items.set(entry.number, item);
    this.list.append(item);
  }

  /** Marks where what was said in earlier sessions ends. */
  divide() {
    const last = [...this.items.keys()].findLast(number => number <= 0);
    if (last === undefined) return;
    this.items.get(last)?.after(el("p", { class: "divider" }, "Said before, until ", timeOf(this.room.log.get(last)?.time ?? "")));
  }

  forgetOldest() {
    if (this.items.size <= most) return;
    for (const number of [...this.items.keys()].slice(0, this.items.size - step)) {
      this.items.get(number)?.remove();
      this.items.delete(number);
    }
    this.showWhetherEarlier();
  }

  showEarlier() {
    const first = this.items.keys().next().value ?? 0;
    const earlier = [...this.room.log.values()].filter(entry => entry.number < first).slice(-step);
    const added = earlier.map(entry => /** @type {[number, HTMLElement]} */ ([entry.number, itemOf(entry)]));
    const fromEnd = this.list.scrollHeight - this.list.scrollTop;
    this.list.prepend(...added.map(([, item]) => item));
    this.items = new Map([...added, ...this.items]);
    this.list.scrollTop = this.list.scrollHeight - fromEnd;
    this.showWhetherEarlier();
  }

  showWhetherEarlier() {
    this.earlier.hidden = (this.items.keys().next().value ?? 0) <= (this.room.log.keys().next().value ?? 0);
  }
}

/** @param {Entry} entry */
function itemOf(entry) {
  const item = bareItemOf(entry);
  item.classList.toggle("earlier", entry.number <= 0);
  return item;
}

/** @param {Entry} entry */
function bareItemOf(entry) {
  if (entry.kind === "notice") return el("div", { class: "notice" }, el("p", {}, entry.text), timeOf(entry.time));
  const text = el("p", { class: "text", dir: "auto" }, entry.text);
  if (entry.kind === "received") {
    const author = el("span", { class: "author", title: entry.peer }, entry.name || shortId(entry.peer ?? ""));
    return el("div", { class: "message received" }, author, text, el("span", { class: "meta" }, timeOf(entry.time)));
  }
  const ofMine = (/** @type {...(Node | string)} */ ...delivery) => el("div", { class: "message sent" }, el("span", { class: "unseen" }, "You"), text, el("span", { class: "meta" }, timeOf(entry.time), ...delivery));
  // Who had it then is not kept.
  if (entry.number <= 0) return ofMine();
  const ticks = el("span", { class: "ticks", role: "img" });
  showTicks(ticks, entry);
  return ofMine(" ", ticks);
}

/**
 * @param {Element} ticks
 * @param {Entry} entry
 */
function showTicks(ticks, { recipients = 0, delivered = 0 }) {
  const isAll = recipients > 0 && delivered === recipients;
  say(ticks, recipients === 0 ? "○" : isAll ? "✓✓" : recipients > 1 ? `✓ ${delivered}/${recipients}` : "✓");
  ticks.setAttribute("aria-label", recipients === 0 ? "Nobody was here" : isAll ? "Delivered to all" : `Delivered to ${delivered} of ${recipients}`);
  ticks.setAttribute("title", ticks.getAttribute("aria-label") ?? "");
}

/**
 * @param {string} time
 * @param {boolean} [isExact] To the second.
 */
export function timeOf(time, isExact = false) {
  const date = new Date(time);
  const isToday = date.toDateString() === new Date().toDateString();
  const clock = date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: isExact ? "2-digit" : undefined });
  return el("time", { datetime: time, title: date.toLocaleString() }, isToday ? clock : `${date.toLocaleDateString()} ${clock}`);
}
