// Which collections there are, and how much they hold: asked for once, and kept in step with what the console sees happen.

import { ask, events, patience } from "./api.js";
import { member, parse, plain } from "./json.js";

const PAGE = 1000;
/// So long lies between two that are taken since a collection was not in the last one.
const REST_MILLISECONDS = 2000;
let taking = null;
let taken = -Infinity;
let next = null;

/// `items` is null until they are known; `error` says why they are not.
export const census = { items: null, isWhole: true, error: null };

/// What is set for a collection, `{}` where nothing is. Of all at once: to ask for what is not there would be an error.
export async function settingsOf(collection, signal) {
  const { text } = await ask("GET", "/_collections/", { signal });
  const all = plain(member(parse(text), "items"));
  return all.find((item) => item.collection === collection)?.settings ?? {};
}

/// The collections that are nested in a document.
export function beneath(name) {
  return (census.items ?? []).filter(({ collection }) => collection.startsWith(name + "/") && !collection.slice(name.length + 1, -1).includes("/"));
}

/// One at a time, since it looks at every document.
export function takeCensus() {
  taking ??= take().finally(() => {
    taking = null;
    taken = performance.now();
  });
  return taking;
}

async function take() {
  try {
    const { text } = await ask("GET", `/_collections/?count=true&limit=${PAGE}`, { wait: patience.milliseconds * patience.longTimes });
    const page = parse(text);
    census.items = plain(member(page, "items"));
    census.isWhole = member(page, "next").kind === "null";
    census.error = null;
  } catch (error) {
    census.error = error;
    if (error.status === 403) census.items = [];
  }
  tell();
}

function takeSoon() {
  next ??= setTimeout(() => {
    next = null;
    takeCensus();
  }, Math.max(0, taken + REST_MILLISECONDS - performance.now()));
}

/// A document was made or is gone.
export function countChange(collection, difference) {
  const known = census.items?.find((item) => item.collection === collection);
  if (!known) return takeSoon();
  known.documents = Math.max(0, known.documents + difference);
  tell();
}

export function forgetCensus() {
  Object.assign(census, { items: null, isWhole: true, error: null });
}

let isTelling = false;

/// However much happens, it is told once for each picture that the browser draws.
function tell() {
  if (isTelling) return;
  isTelling = true;
  requestAnimationFrame(() => {
    isTelling = false;
    events.dispatchEvent(new CustomEvent("census"));
  });
}
