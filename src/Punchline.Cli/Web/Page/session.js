// What there is to show: a snapshot, kept current by events, each of which carries what it changed whole.

/**
 * @typedef {{ kind: string, transport: string, local: string, remote: string }} Path
 * @typedef {{ time: string, kind: string, path?: Path, rttMs?: number, elapsedMs?: number, text?: string, advice?: string, transport?: string, addresses?: { address: string, origin: string }[] }} Step
 * @typedef {{ time: string, rttMs: number, loss: number, sent: number, received: number }} Sample
 * @typedef {{ peer: string, name: string, trust: string, isBlocked: boolean, state: string, path?: Path, rttMs?: number, safetyNumber: string, story: Step[] }} Member
 * @typedef {{ number: number, time: string, kind: string, text: string, peer?: string, name?: string, recipients?: number, delivered?: number }} Entry
 * @typedef {{ number: number, name: string, selfName: string, hasServer: boolean, server?: string, isOver: boolean, isCall: boolean, members: Map<string, Member>, log: Map<number, Entry>, quality: Map<string, Sample[]> }} Room
 * @typedef {{ number: number, time: string, peer: string, name: string, acquaintance: string }} Call
 * @typedef {{ name: string, line: string, server?: string, calls: Call[], problem?: string }} Inbox
 * @typedef {{ id: string, name: string, place: string, server: string, notices: string[] }} Self
 */

/** As many as punchline keeps. */
const maxEntries = 10_000;

/** An hour of a member's. */
const maxSamples = 360;

export class Session {
  run = "";
  last = 0;
  /** @type {Self} */
  self = { id: "", name: "", place: "server", server: "", notices: [] };
  /** @type {Map<number, Room>} */
  rooms = new Map();
  /** @type {Inbox | null} */
  inbox = null;

  /**
   * @param {any} line Of the stream.
   * @returns {{ room?: Room, entry?: Entry, isRetold?: boolean }} What is different: a room's entry, or its whole log, or anything.
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
    if (event.kind === "gone") {
      room.members.delete(event.peer);
      room.quality.delete(event.peer);
    }
    for (const { peer, samples } of event.quality ?? []) room.quality.set(peer, [...(room.quality.get(peer) ?? []), ...samples].slice(-maxSamples));
    if (event.kind === "earlier") {
      room.log = new Map([...event.earlier.map(numbered), ...room.log]);
      return { room, isRetold: true };
    }
    if (event.kind !== "entry") return { room };
    room.log.set(event.entry.number, event.entry);
    if (room.log.size > maxEntries) room.log.delete(/** @type {number} */ (room.log.keys().next().value));
    return { room, entry: event.entry };
  }
}

/**
 * @param {any} room
 * @returns {Room}
 */
const roomOf = room => ({
  ...room,
  members: new Map(room.members.map((/** @type {Member} */ member) => [member.peer, member])),
  // What was said in earlier sessions has numbers up to 0.
  log: new Map([...room.earlier, ...room.log].map(numbered)),
  quality: new Map(room.quality.map((/** @type {{ peer: string, samples: Sample[] }} */ { peer, samples }) => [peer, samples])),
});

/**
 * @param {Entry} entry
 * @returns {[number, Entry]}
 */
const numbered = entry => [entry.number, entry];

/**
 * What a person calls a room: a call's by who is there.
 * @param {Room} room
 */
export function titleOf(room) {
  if (!room.isCall) return room.name;
  const name = room.members.get(room.name)?.name ?? [...room.log.values()].findLast(entry => entry.name)?.name;
  return name || `${room.name.slice(0, 8)}…`;
}
