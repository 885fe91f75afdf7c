// Where a message is written: Enter sends, Shift+Enter begins a line.

import { post } from "./api.js";
import { el, say } from "./dom.js";
import { titleOf } from "./session.js";

/** @typedef {import("./session.js").Room} Room */
/** @typedef {import("./reading.js").Reading} Reading */

/**
 * @param {Room} room
 * @param {Reading} reading
 */
export function composerOf(room, reading) {
  const id = `message-${room.number}`;
  const text = /** @type {HTMLTextAreaElement} */ (el("textarea", {
    id, rows: 1, placeholder: "Message", "aria-describedby": `${id}-error`,
    oninput: () => reading.keepDraft(room, text.value), onkeydown: onKey,
  }));
  text.value = reading.draftOf(room);
  const error = el("p", { id: `${id}-error`, class: "error", role: "alert" });
  const label = el("label", { class: "unseen", for: id });
  const form = el("form", { class: "composer", onsubmit: send }, label, text, el("button", { type: "submit" }, "Send"), error);

  /** @param {KeyboardEvent} event */
  function onKey(event) {
    // While a word is composed (IME), Enter belongs to that.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    /** @type {HTMLFormElement} */ (form).requestSubmit();
  }

  /** @param {Event} event */
  async function send(event) {
    event.preventDefault();
    const message = text.value;
    if (message.trim() === "") return;
    text.value = "";
    reading.keepDraft(room, "");
    try {
      await post(`/api/rooms/${room.number}/messages`, { text: message });
      say(error, "");
    } catch (refusal) {
      // Nothing typed is lost, nor what was typed since.
      text.value = text.value ? `${message}\n${text.value}` : message;
      reading.keepDraft(room, text.value);
      say(error, /** @type {Error} */ (refusal).message);
    }
  }

  /** Call when the room is different. */
  function update() {
    say(label, `Message to ${titleOf(room)}`);
    form.hidden = room.isOver;
  }

  update();
  return { element: form, update, focus: () => text.focus() };
}
