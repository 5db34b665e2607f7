// How figures, times and stored values are shown.

import { h, stored } from "./dom.js";
import { member, parse, plain } from "./json.js";

const COUNT = new Intl.NumberFormat("en");

export function count(number) {
  return COUNT.format(number);
}

/// `1 document`, `2 documents`
export function counted(number, noun) {
  return `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
}

/// `999 B`, `1.2 kB`, `34 MB`: units are of 1000, everywhere in the console.
export function bytes(number) {
  if (number < 999.5) return `${Math.round(number)} B`;
  let value = number;
  let unit = -1;
  while (value >= 999.5 && unit < 3) {
    value /= 1000;
    unit += 1;
  }
  return `${value < 9.95 ? value.toFixed(1) : Math.round(value)} ${["kB", "MB", "GB", "TB"][unit]}`;
}

const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

/// A time as an element: short, with the whole of it as its title.
export function time(text) {
  const moment = new Date(text);
  if (Number.isNaN(moment.getTime())) return h("span", {}, "–");
  return h("time", { datetime: text, title: text }, shortTime(moment));
}

function shortTime(moment) {
  const seconds = (Date.now() - moment.getTime()) / 1000;
  if (seconds >= 0 && seconds < 5) return "just now";
  if (seconds >= 0 && seconds < 60) return `${Math.floor(seconds)} s ago`;
  if (seconds >= 0 && seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  const isToday = moment.toDateString() === new Date().toDateString();
  return isToday ? CLOCK.format(moment) : `${DAY.format(moment)}, ${CLOCK.format(moment).slice(0, 5)}`;
}

/// `0.4 ms`, `12 ms`, `1.5 s`
export function milliseconds(number) {
  if (number >= 1000) return `${(number / 1000).toFixed(number < 10_000 ? 1 : 0)} s`;
  return `${number >= 9.95 ? Math.round(number) : number >= 0.1 || number === 0 ? number.toFixed(1) : number.toFixed(2)} ms`;
}

/// `90 s`, `5 min`, `3 h`, `12 days`
export function duration(seconds) {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}

const CELL = 80;

/// A value as a table shows it: short, on one line.
export function cell(text, node) {
  if (!node) return h("span.absent", { title: "not in this document" }, "–");
  switch (node.kind) {
    case "string": return node.value === "" ? h("span.absent", {}, "empty") : h("bdi.string", {}, short(node.value));
    case "number": return h("span.number", {}, clip(node.raw));
    case "object":
    case "array": return h("bdi.nested", {}, short(preview(text, node)));
    default: return h("span.word", {}, node.raw);
  }
}

function short(text) {
  return stored(clip(text));
}

function clip(text) {
  return text.length > CELL ? text.slice(0, CELL).replace(/[\ud800-\udbff]$/, "") + "…" : text;
}

const SHOWN_PARTS = 4;

/// The beginning of a nested value, for people: `name: Ada, team: core`, or `ui, new`.
function preview(text, node) {
  const isArray = node.kind === "array";
  const parts = isArray ? node.items : node.members;
  if (parts.length === 0) return isArray ? "[]" : "{}";
  const shown = parts.slice(0, SHOWN_PARTS).map((part) => (isArray ? hint(text, part) : `${part.key}: ${hint(text, part.value)}`));
  if (parts.length > SHOWN_PARTS) shown.push(`… ${parts.length} in all`);
  return shown.join(", ");
}

function hint(text, node) {
  switch (node.kind) {
    case "string": return clip(node.value);
    case "array": return node.items.length ? "[…]" : "[]";
    case "object": return node.members.length ? "{…}" : "{}";
    default: return clip(text.slice(node.start, node.end));
  }
}

/// What an error of the server says of itself; `{}` for what is none.
export function fault(text) {
  try {
    const node = parse(text);
    const told = {};
    for (const key of ["title", "detail", "error", "revision", "path", "oldestRevision", "index"]) {
      const value = member(node, key);
      if (value) told[key] = plain(value);
    }
    return told;
  } catch {
    return {};
  }
}
