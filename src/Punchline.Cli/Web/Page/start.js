// The page on which to begin: who one is, and three ways to meet somebody.

import { post } from "./api.js";
import { codeButton } from "./code.js";
import { copyButton, el, say } from "./dom.js";
import { read } from "./invitation.js";

/** @typedef {import("./session.js").Session} Session */

/** @type {[string, string, string][]} */
const places = [
  ["server", "At a server", ""],
  ["dht", "In the BitTorrent DHT", "Without any server; it takes some seconds. Whoever watches the room's topic there sees its members' addresses, so a room wants a strong secret."],
  ["lan", "On this network", "Without anything: rooms with a strong secret, whose members are found by multicast DNS."],
];

export class StartView {
  /**
   * @param {Session} session
   * @param {(room: number) => void} onShow
   */
  constructor(session, onShow) {
    this.session = session;
    const { self } = session;
    this.name = field("name", "Your name", { value: self.name, autocomplete: "nickname", required: true });
    this.server = field("server", "Server", { value: self.server, placeholder: "HOST:PORT#PIN", spellcheck: "false" }, "What punchline serve printed.");
    this.places = places.map(([value, label]) => choice("radio", "place", value, label, () => this.choosePlace()));
    this.placeHint = el("p", { class: "hint" });
    this.reachable = choice("checkbox", "reachable", "reachable", "Whoever knows my id may find this machine's public address while I wait", () => {});
    const room = field("room", "Room", { spellcheck: "false", onpaste: (/** @type {ClipboardEvent} */ event) => this.paste(event) },
      "Empty: a name and a strong secret are made up. You can paste a whole line “punchline join …” here.");
    const secret = field("secret", "Secret", { type: "password", autocomplete: "off" }, "Only who knows it is in the room. Empty: an open room.");
    const peer = field("peer", "Who", { spellcheck: "false", required: true }, "Its id, an alias of yours, or the first 8 characters of an id that you know.");
    this.room = room;
    this.secret = secret;
    this.waiting = el("p", { class: "hint", role: "status" });
    this.line = el("p", { class: "id", hidden: true });
    this.wait = el("button", { type: "submit" });

    this.element = el("section", { class: "start" },
      el("h1", {}, "Begin a conversation"),
      ...self.notices.map(notice => el("p", { class: "warning" }, notice)),
      el("section", { class: "card", "aria-label": "You" }, el("h2", {}, "You"), this.name.element,
        el("p", { class: "label" }, "Your id, for others to call"),
        el("p", { class: "id" }, el("code", {}, self.id), copyButton("your id", () => self.id), codeButton("your id", "Your id", () => self.id, "Whoever reads it can call you, while you wait for calls.")),
        el("fieldset", {}, el("legend", {}, "Where you meet"), ...this.places.map(({ element }) => element)), this.server.element, this.placeHint),
      this.form("Join a room", [room, secret], el("button", { type: "submit" }, "Join"), async () => {
        const joined = await post("/api/rooms", { ...this.common(), room: room.input.value, secret: secret.input.value });
        room.input.value = secret.input.value = "";
        onShow(joined.room);
      }),
      this.form("Call somebody", [peer], el("button", { type: "submit" }, "Call"), async () => {
        onShow((await post("/api/calls", { ...this.common(), peer: peer.input.value })).room);
      }),
      this.form("Wait for calls", [this.reachable], this.wait, () => session.inbox && !session.inbox.problem ? post("/api/inbox/close") : post("/api/inbox", { ...this.common(), reachable: this.reachable.input.checked }), this.waiting, this.line));
    this.choosePlace(self.place);
    this.update();
  }

  get place() {
    return this.places.find(({ input }) => input.checked)?.input.value ?? "server";
  }

  /** @param {string} [place] The one to choose; else one was. */
  choosePlace(place) {
    for (const { input } of this.places) if (place) input.checked = input.value === place;
    this.server.element.hidden = this.place !== "server";
    this.server.input.required = this.place === "server";
    this.reachable.element.hidden = this.place !== "dht";
    say(this.placeHint, places.find(([value]) => value === this.place)?.[2] ?? "");
  }

  update() {
    const { inbox } = this.session;
    const isWaiting = inbox !== null && !inbox.problem;
    say(this.wait, isWaiting ? "Wait no more" : "Wait");
    this.reachable.element.hidden = isWaiting || this.place !== "dht";
    say(this.waiting, inbox?.problem ?? (!inbox ? "You are asked before a call is taken." : !inbox.server ? "Not reachable yet…" : inbox.server === "lost" ? "The server is away: nobody can call until it is back." : "Waiting. Others call with this line:"));
    const line = isWaiting && inbox.server ? inbox.line : "";
    if (line !== this.line.textContent?.replace(/Cop(y|ied)$/, "")) this.line.replaceChildren(...(line ? [el("code", {}, line), copyButton("the line", () => line)] : []));
    this.line.hidden = !line;
  }

  common() {
    return { place: this.place, name: this.name.input.value, server: this.place === "server" ? this.server.input.value : "" };
  }

  /** @param {ClipboardEvent} event */
  paste(event) {
    const invitation = read(event.clipboardData?.getData("text") ?? "");
    if (!invitation) return;
    event.preventDefault();
    this.room.input.value = invitation.room;
    this.choosePlace(invitation.place);
    if (invitation.server) this.server.input.value = invitation.server;
    if (invitation.secret) this.secret.input.value = invitation.secret;
  }

  /**
   * @param {string} title
   * @param {{ element: HTMLElement }[]} fields
   * @param {HTMLElement} button
   * @param {() => Promise<unknown>} act
   * @param {...HTMLElement} more
   */
  form(title, fields, button, act, ...more) {
    const error = el("p", { class: "error", role: "alert" });
    const submit = async (/** @type {Event} */ event) => {
      event.preventDefault();
      if (![this.name, this.server].every(({ input }) => input.reportValidity())) return;
      button.toggleAttribute("disabled", true);
      try {
        await act();
        say(error, "");
      } catch (refusal) {
        say(error, /** @type {Error} */ (refusal).message);
      } finally {
        button.toggleAttribute("disabled", false);
      }
    };
    return el("form", { class: "card", "aria-label": title, onsubmit: submit }, el("h2", {}, title), ...fields.map(({ element }) => element), ...more, button, error);
  }
}

/**
 * @param {string} id
 * @param {string} label
 * @param {Record<string, unknown>} attributes
 * @param {string} [hint]
 */
function field(id, label, attributes, hint) {
  const input = /** @type {HTMLInputElement} */ (el("input", { id, type: "text", "aria-describedby": hint ? `${id}-hint` : undefined, ...attributes }));
  const element = el("div", { class: "field" }, el("label", { for: id }, label), input, ...(hint ? [el("p", { class: "hint", id: `${id}-hint` }, hint)] : []));
  return { element, input };
}

/**
 * @param {string} type
 * @param {string} name
 * @param {string} value
 * @param {string} label
 * @param {() => void} onChange
 */
function choice(type, name, value, label, onChange) {
  const input = /** @type {HTMLInputElement} */ (el("input", { type, name, value, onchange: onChange }));
  return { element: el("label", { class: "choice" }, input, label), input };
}
