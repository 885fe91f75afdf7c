// One conversation on the screen: its head, its log, its composer. It is made once, and keeps its place while others are shown.

import { post } from "./api.js";
import { composerOf } from "./composer.js";
import { el, say } from "./dom.js";
import { Log } from "./log.js";
import { titleOf } from "./session.js";

/** @typedef {import("./session.js").Room} Room */
/** @typedef {import("./reading.js").Reading} Reading */

export class RoomView {
  /**
   * @param {Room} room
   * @param {Reading} reading
   * @param {{ onBack: () => void, onMembers: () => void, onRead: () => void }} listeners
   */
  constructor(room, reading, { onBack, onMembers, onRead }) {
    this.room = room;
    this.log = new Log(room, onRead);
    this.composer = composerOf(room, reading);
    this.title = el("h1", {});
    this.server = el("p", { class: "hint", role: "status" });
    this.members = el("button", { type: "button", class: "quiet narrow", onclick: onMembers });
    this.leave = el("button", { type: "button", class: "quiet", onclick: () => post(`/api/rooms/${room.number}/leave`) });
    const head = el("header", {},
      el("button", { type: "button", class: "quiet narrow", "aria-label": "All conversations", onclick: onBack }, "‹"),
      el("div", { class: "heading" }, this.title, this.server), this.members, this.leave);
    this.element = el("section", { class: "room" }, head, this.log.element, this.composer.element);
    this.update();
  }

  update() {
    const { room } = this;
    say(this.title, titleOf(room));
    say(this.members, `Members (${room.members.size})`);
    say(this.leave, room.isOver ? "Close" : room.isCall ? "Hang up" : "Leave");
    say(this.server, hintOf(room));
    this.composer.update();
  }
}

/** @param {Room} room */
function hintOf(room) {
  if (room.isOver) return room.isCall ? "The call is over" : "Not in this room any more";
  if (room.isCall && room.members.size === 0) return "Ringing…";
  if (room.hasServer && !room.server && room.members.size === 0) return "Reaching the server…";
  if (room.server === "lost") return "The server is away; connections go on";
  const names = [...room.members.values()].filter(member => member.state === "connected").length;
  return `${names} of ${room.members.size} connected, you are ${room.selfName}`;
}
