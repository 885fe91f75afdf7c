// The page: opens itself by the link's token, follows the stream of events, and shows what it has.

import { events, open, Refusal } from "./api.js";
import { showCalls } from "./calls.js";
import { DoctorView } from "./doctor.js";
import { el, say } from "./dom.js";
import { showMembers } from "./members.js";
import { doctor, Reading } from "./reading.js";
import { RoomView } from "./room.js";
import { showRooms } from "./rooms.js";
import { Session } from "./session.js";
import { StartView } from "./start.js";

/** @typedef {import("./session.js").Room} Room */

/** Milliseconds before a broken stream is tried again. */
const pause = 1000;

const find = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
const [app, nav, main, aside, status, calls] = ["app", "rooms", "main", "members", "status", "calls"].map(find);

const session = new Session();
const reading = new Reading(session);
/** @type {Map<number, RoomView>} */
const views = new Map();
/** @type {StartView | null} */
let start = null;
/** @type {DoctorView | null} */
let examination = null;
let isFramePlanned = false;
/** To be shown as soon as the stream tells of it: the answer to a command may be faster. */
let awaited = 0;

run();

async function run() {
  try {
    await open();
  } catch (refusal) {
    say(status, /** @type {Error} */ (refusal).message);
  }
  for (;;) {
    try {
      for await (const line of events(session.run, session.last)) show(line);
    } catch (problem) {
      if (!(problem instanceof Refusal || problem instanceof TypeError)) throw problem;
      if (problem instanceof Refusal && problem.status === 401) {
        close(status.textContent || problem.message);
        return;
      }
    }
    say(status, "punchline does not answer. Its rooms are left when it ends; this page looks for it again and again.");
    await new Promise(resolve => setTimeout(resolve, pause));
  }
}

/** @param {any} line */
function show(line) {
  say(status, "");
  const { room, entry, isRetold } = session.apply(line);
  if (line.snapshot) begin();
  if (session.rooms.has(awaited)) choose(awaited);
  if (room && isRetold && views.delete(room.number) && room.number === reading.shown) put();
  if (room && entry) views.get(room.number)?.log.show(entry);
  plan();
}

function begin() {
  reading.follow();
  views.clear();
  start = examination = null;
  app.hidden = false;
  put();
}

/** Several events at once are drawn once. */
function plan() {
  if (isFramePlanned) return;
  isFramePlanned = true;
  // In a hidden tab there are no frames, but a title.
  if (document.hidden) setTimeout(draw, 0);
  else requestAnimationFrame(draw);
}

function draw() {
  isFramePlanned = false;
  for (const number of views.keys()) if (!session.rooms.has(number)) views.delete(number);
  if (reading.shown > 0 && !session.rooms.has(reading.shown)) choose(0);
  const room = session.rooms.get(reading.shown);
  if (room && !document.hidden && views.get(room.number)?.log.isAtEnd) reading.markRead(room);
  showRooms(nav, session, reading, choose);
  showCalls(calls, session, choose);
  if (room) {
    views.get(room.number)?.update();
    showMembers(aside, room, toggleMembers);
  }
  start?.update();
  const unread = reading.unread;
  const ringing = session.inbox?.calls.length ? "☎ " : "";
  document.title = `${ringing}${unread > 0 ? `(${unread}) ` : ""}punchline`;
}

/** @param {number} room 0: the page on which to begin; or the doctor. */
function choose(room) {
  awaited = room <= 0 || session.rooms.has(room) ? 0 : room;
  if (awaited) return;
  reading.shown = room;
  put();
  draw();
  if (room === 0) start?.element.querySelector("input")?.focus();
  else if (room === doctor) examination?.element.querySelector("input")?.focus();
  else views.get(room)?.composer.focus();
}

function put() {
  const room = session.rooms.get(reading.shown);
  app.dataset.view = room ? "room" : "page";
  delete app.dataset.members;
  aside.hidden = !room;
  if (reading.shown === doctor) {
    examination ??= new DoctorView(session);
    main.replaceChildren(examination.element);
    return;
  }
  if (!room) {
    start ??= new StartView(session, choose);
    main.replaceChildren(start.element);
    return;
  }
  let view = views.get(room.number);
  if (!view) {
    view = new RoomView(room, reading, { onBack: () => choose(0), onMembers: toggleMembers, onRead: plan });
    views.set(room.number, view);
  }
  main.replaceChildren(view.element);
  view.log.settle();
}

/** On a narrow screen, where there is not room for both. */
function toggleMembers() {
  if (app.dataset.members) delete app.dataset.members;
  else app.dataset.members = "shown";
}

/** @param {string} reason */
function close(reason) {
  app.hidden = true;
  calls.replaceChildren();
  say(status, "");
  find("main").replaceChildren();
  document.body.append(el("section", { class: "closed", role: "alert" }, el("h1", {}, "punchline"), el("p", {}, reason)));
}

document.addEventListener("visibilitychange", plan);
document.addEventListener("keydown", event => {
  if (event.key === "Escape") delete app.dataset.members;
});
