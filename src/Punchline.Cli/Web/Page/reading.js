// How far each room was read, which room is shown, and what was begun to write: kept over a reload, by this tab.

/** @typedef {import("./session.js").Session} Session */
/** @typedef {import("./session.js").Room} Room */

const name = "punchline-reading";

/** What is shown in place of a room: what this network is. */
export const doctor = -1;

export class Reading {
  /** @param {Session} session */
  constructor(session) {
    this.session = session;
    /** @type {{ run: string, shown: number, read: Record<number, number>, drafts: Record<number, string> }} */
    this.state = { run: "", shown: 0, read: {}, drafts: {} };
    const kept = sessionStorage.getItem(name);
    if (kept) this.state = JSON.parse(kept);
  }

  /** Of another run's rooms nothing is known. */
  follow() {
    if (this.state.run !== this.session.run) this.state = { run: this.session.run, shown: 0, read: {}, drafts: {} };
    if (this.state.shown !== doctor && !this.session.rooms.has(this.state.shown)) this.state.shown = 0;
  }

  /** 0: none, but the page on which to begin; or the doctor. */
  get shown() {
    return this.state.shown;
  }

  set shown(room) {
    this.state.shown = room;
    this.keep();
  }

  /** @param {Room} room */
  draftOf(room) {
    return this.state.drafts[room.number] ?? "";
  }

  /**
   * @param {Room} room
   * @param {string} text
   */
  keepDraft(room, text) {
    this.state.drafts[room.number] = text;
    this.keep();
  }

  /** @param {Room} room */
  markRead(room) {
    const last = [...room.log.keys()].at(-1) ?? 0;
    if (this.state.read[room.number] === last) return;
    this.state.read[room.number] = last;
    this.keep();
  }

  /** @param {Room} room */
  unreadIn(room) {
    const read = this.state.read[room.number] ?? 0;
    let unread = 0;
    for (const entry of room.log.values()) if (entry.kind === "received" && entry.number > read) unread++;
    return unread;
  }

  get unread() {
    return [...this.session.rooms.values()].reduce((sum, room) => sum + this.unreadIn(room), 0);
  }

  keep() {
    sessionStorage.setItem(name, JSON.stringify(this.state));
  }
}
