// The page on which to begin: who one is, and three ways to meet somebody.

import { post } from "./api.js";
import { copyButton, el, say } from "./dom.js";
import { read } from "./invitation.js";

/** @typedef {import("./session.js").Session} Session */

export class StartView {
  /**
   * @param {Session} session
   * @param {(room: number) => void} onShow
   */
  constructor(session, onShow) {
    this.session = session;
    const { self } = session;
    this.name = field("name", "Your name", { value: self.name, autocomplete: "nickname", required: true });
    this.server = field("server", "Server", { value: self.server, placeholder: "HOST:PORT#PIN", spellcheck: "false", required: true }, "Where you meet: what punchline serve printed.");
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
        el("p", { class: "id" }, el("code", {}, self.id), copyButton("your id", () => self.id)),
        this.server.element),
      this.form("Join a room", [room, secret], el("button", { type: "submit" }, "Join"), async () => {
        const joined = await post("/api/rooms", { ...this.common(), room: room.input.value, secret: secret.input.value });
        room.input.value = secret.input.value = "";
        onShow(joined.room);
      }),
      this.form("Call somebody", [peer], el("button", { type: "submit" }, "Call"), async () => {
        onShow((await post("/api/calls", { ...this.common(), peer: peer.input.value })).room);
      }),
      this.form("Wait for calls", [], this.wait, () => session.inbox && !session.inbox.problem ? post("/api/inbox/close") : post("/api/inbox", this.common()), this.waiting, this.line));
    this.update();
  }

  update() {
    const { inbox } = this.session;
    const isWaiting = inbox !== null && !inbox.problem;
    say(this.wait, isWaiting ? "Wait no more" : "Wait");
    say(this.waiting, inbox?.problem ?? (!inbox ? "You are asked before a call is taken." : !inbox.server ? "Reaching the server…" : inbox.server === "lost" ? "The server is away: nobody can call until it is back." : "Waiting. Others call with this line:"));
    const line = isWaiting && inbox.server ? inbox.line : "";
    if (line !== this.line.textContent?.replace(/Cop(y|ied)$/, "")) this.line.replaceChildren(...(line ? [el("code", {}, line), copyButton("the line", () => line)] : []));
    this.line.hidden = !line;
  }

  common() {
    return { name: this.name.input.value, server: this.server.input.value };
  }

  /** @param {ClipboardEvent} event */
  paste(event) {
    const invitation = read(event.clipboardData?.getData("text") ?? "");
    if (!invitation) return;
    event.preventDefault();
    this.room.input.value = invitation.room;
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
