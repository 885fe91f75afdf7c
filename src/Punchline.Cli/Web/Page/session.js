// What there is to show: a snapshot, kept current by events, each of which carries what it changed whole.

/**
 * @typedef {{ kind: string, transport: string, local: string, remote: string }} Path
 * @typedef {{ time: string, kind: string, path?: Path, rttMs?: number, elapsedMs?: number, text?: string, advice?: string }} Step
 * @typedef {{ peer: string, name: string, trust: string, state: string, path?: Path, rttMs?: number, safetyNumber: string, story: Step[] }} Member
 * @typedef {{ number: number, time: string, kind: string, text: string, peer?: string, name?: string, recipients?: number, delivered?: number }} Entry
 * @typedef {{ number: number, name: string, selfName: string, server?: string, isOver: boolean, isCall: boolean, members: Map<string, Member>, log: Map<number, Entry> }} Room
 * @typedef {{ number: number, time: string, peer: string, name: string, acquaintance: string }} Call
 * @typedef {{ name: string, line: string, server?: string, calls: Call[], problem?: string }} Inbox
 * @typedef {{ id: string, name: string, server: string, notices: string[] }} Self
 */

/** As many as punchline keeps. */
const maxEntries = 10_000;

export class Session {
  run = "";
  last = 0;
  /** @type {Self} */
  self = { id: "", name: "", server: "", notices: [] };
  /** @type {Map<number, Room>} */
  rooms = new Map();
  /** @type {Inbox | null} */
  inbox = null;

  /**
   * @param {any} line Of the stream.
   * @returns {{ room?: Room, entry?: Entry, isNew?: boolean }} What is different: a room's entry, or anything.
   */
  apply(line) {
    if (line.snapshot) {
      this.self = line.self;
      this.run = line.snapshot.run;
      this.last = line.snapshot.lastEvent;
      this.inbox = line.snapshot.inbox ?? null;
      this.rooms = new Map(line.snapshot.rooms.map((/** @type {any} */ room) => [room.number, roomOf(room)]));
      return {};
    }
    const event = line.event;
    this.last = event.number;
    if (event.kind === "opened") this.rooms.set(event.room, roomOf(event.opened));
    if (event.kind === "closed") this.rooms.delete(event.room);
    if (event.kind === "inbox") this.inbox = event.inbox ?? null;
    const room = this.rooms.get(event.room);
    if (!room) return {};
    if (event.kind === "ended") room.isOver = true;
    if (event.kind === "server") room.server = event.server;
    if (event.kind === "member") room.members.set(event.member.peer, event.member);
    if (event.kind === "gone") room.members.delete(event.peer);
    if (event.kind !== "entry") return { room };
    const isNew = !room.log.has(event.entry.number);
    room.log.set(event.entry.number, event.entry);
    if (room.log.size > maxEntries) room.log.delete(/** @type {number} */ (room.log.keys().next().value));
    return { room, entry: event.entry, isNew };
  }
}

/**
 * @param {any} room
 * @returns {Room}
 */
const roomOf = room => ({
  ...room,
  members: new Map(room.members.map((/** @type {Member} */ member) => [member.peer, member])),
  log: new Map(room.log.map((/** @type {Entry} */ entry) => [entry.number, entry])),
});

/**
 * What a person calls a room: a call's by who is there.
 * @param {Room} room
 */
export function titleOf(room) {
  if (!room.isCall) return room.name;
  const name = room.members.get(room.name)?.name ?? [...room.log.values()].findLast(entry => entry.name)?.name;
  return name || `${room.name.slice(0, 8)}…`;
}
