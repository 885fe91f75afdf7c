// How a connection did within the last hour, as small charts: lines over time, drawn anew with each sample.

import { el, svg } from "./dom.js";

/** @typedef {import("./session.js").Sample} Sample */
/** @typedef {{ name: string, lines: ((sample: Sample) => number)[], least: number, say: (value: number) => string, now: (sample: Sample) => string[] }} Measure */

/** Milliseconds between samples, beyond which there was no connection in between. */
const gap = 25_000;

/** What a chart spans, in minutes: the shortest of these that holds all samples. */
const spans = [2, 5, 15, 30, 60];

/** Of the drawing, in its own units; it is stretched to the place that there is. */
const [width, height] = [300, 60];

/** @type {Measure[]} */
const measures = [
  { name: "Round trip", lines: [sample => sample.rttMs], least: 1, say: value => `${short(value)} ms`, now: sample => [`${short(sample.rttMs)} ms`] },
  { name: "Loss", lines: [sample => sample.loss * 100], least: 1, say: value => `${short(value)} %`, now: sample => [`${short(sample.loss * 100)} %`] },
  { name: "Throughput", lines: [sample => sample.received, sample => sample.sent], least: 100, say: rate, now: sample => [`↓ ${rate(sample.received)}`, `↑ ${rate(sample.sent)}`] },
];

/**
 * @param {HTMLElement} place
 * @param {Sample[]} samples The oldest first.
 */
export function showCharts(place, samples) {
  const drawn = samples.at(-1)?.time ?? "";
  if (place.dataset.drawn === drawn) return;
  place.dataset.drawn = drawn;
  if (samples.length === 0) place.replaceChildren(el("p", { class: "hint" }, "Measured every 10 seconds; the first comes soon."));
  else place.replaceChildren(...measures.map(measure => chartOf(measure, samples)));
}

/**
 * @param {Measure} measure
 * @param {Sample[]} samples
 */
function chartOf({ name, lines, least, say, now }, samples) {
  const last = samples[samples.length - 1];
  const end = Date.parse(last.time);
  const minutes = spans.find(span => end - Date.parse(samples[0].time) <= span * 60_000) ?? 60;
  const values = samples.flatMap(sample => lines.map(line => line(sample)));
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const top = Math.max(high, least);
  const x = (/** @type {Sample} */ sample) => width * (1 - (end - Date.parse(sample.time)) / (minutes * 60_000));
  const y = (/** @type {number} */ value) => height - 2 - (height - 4) * (value / top);
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", role: "img",
    "aria-label": `${name} over the last ${minutes} minutes: now ${now(last).join(", ")}, between ${say(low)} and ${say(high)}` },
    ...lines.map((line, index) => svg("path", { class: `line line${index}`, d: pathOf(samples, sample => [x(sample), y(line(sample))]) })));
  return el("figure", { class: "chart" },
    el("figcaption", {}, el("span", {}, name), " ", el("span", { class: "values" }, ...now(last).map((words, index) => el("b", { class: `of${index}` }, words)))),
    picture,
    el("p", { class: "axis" }, el("span", {}, `−${minutes} min`), el("span", {}, `most ${say(high)}`), el("span", {}, "now")));
}

/**
 * @param {Sample[]} samples
 * @param {(sample: Sample) => [number, number]} place
 */
function pathOf(samples, place) {
  let path = "";
  let before = -Infinity;
  for (const sample of samples) {
    const time = Date.parse(sample.time);
    const [x, y] = place(sample).map(value => value.toFixed(1));
    // A point alone is a line of no length, whose round ends are seen.
    path += time - before > gap ? `M${x} ${y}h0` : `L${x} ${y}`;
    before = time;
  }
  return path;
}

/** @param {number} value */
const short = value => (value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(2))));

/** @param {number} bytes A second. */
function rate(bytes) {
  if (bytes < 1000) return `${bytes.toFixed(0)} B/s`;
  return bytes < 1_000_000 ? `${short(bytes / 1000)} kB/s` : `${short(bytes / 1_000_000)} MB/s`;
}
