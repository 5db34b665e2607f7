// What happens to documents, as it happens: server-sent events read by fetch, which can send a token, as EventSource cannot.

import { events, open, Refusal } from "./api.js";
import { member, parse } from "./json.js";

const FIRST_WAIT = 500;
/// History no longer reaches back so far, or is another one. Of all else, such as a server that closes, a stream goes on later.
const GONE = [409, 410];
/// What is never followed, such as a search for words, or may not be.
const REFUSED = [400, 401, 403, 404];
const LONGEST_WAIT = 15_000;
/// So long after the last sign of life a stream is taken for dead; the server breaks its silence every few seconds.
const PATIENCE = 45_000;

/// Follows a watch until the signal ends it, over every break, from where it was. A page that nobody sees follows nothing: a browser
/// has six connections to a server for all of its tabs, and a stream takes one.
/// - Parameter on: `change(change)`, told for each; `live()` whenever all that was there before is told; `lost(refusal)` where
///   what has happened meanwhile can no longer be told: what is shown must be read anew.
export async function follow(path, signal, on) {
  let last = null;
  let wait = FIRST_WAIT;
  while (!signal.aborted) {
    say("reconnecting");
    await seen(signal);
    if (signal.aborted) break;
    try {
      for await (const event of read(path, last, signal)) {
        wait = FIRST_WAIT;
        if (event.id) last = event.id;
        if (event.name === "problem") throw new Refusal(Number(member(event.node, "status")?.raw), {});
        if (event.name === "live") {
          say("live");
          on.live();
        } else if (event.name !== "heartbeat") on.change(change(event));
      }
    } catch (error) {
      if (signal.aborted) break;
      if (error instanceof Refusal) {
        // A token can end while a stream goes on.
        if (error.status === 401) events.dispatchEvent(new CustomEvent("unauthorized"));
        if (REFUSED.includes(error.status)) return say("off");
        if (GONE.includes(error.status)) {
          last = null;
          on.lost(error);
        }
      }
    }
    say("reconnecting");
    if (document.hidden) continue;
    await pause(wait * (0.8 + 0.4 * Math.random()), signal);
    wait = Math.min(2 * wait, LONGEST_WAIT);
  }
}

/// Until the page is seen, or the signal ends the wait.
function seen(signal) {
  return new Promise((resolve) => {
    const look = () => {
      if (document.hidden && !signal.aborted) return;
      document.removeEventListener("visibilitychange", look);
      signal.removeEventListener("abort", look);
      resolve();
    };
    document.addEventListener("visibilitychange", look);
    signal.addEventListener("abort", look);
    look();
  });
}

/// Tells all of the console how it stands: `live`, `reconnecting` or `off`.
export function say(state) {
  events.dispatchEvent(new CustomEvent("live", { detail: state }));
}

function change({ name, data, node }) {
  return {
    kind: name,
    path: member(node, "path")?.value,
    revision: Number(member(node, "revision")?.raw),
    at: member(node, "at")?.value,
    text: data,
    document: member(node, "document"),
  };
}

async function* read(path, last, signal) {
  const own = new AbortController();
  const end = () => own.abort();
  signal.addEventListener("abort", end);
  const hide = () => { if (document.hidden) end(); };
  document.addEventListener("visibilitychange", hide);
  let watchdog;
  const alive = () => {
    clearTimeout(watchdog);
    watchdog = setTimeout(end, PATIENCE);
  };
  try {
    alive();
    const answer = await open(path, { headers: last ? { "Last-Event-ID": last } : {}, signal: own.signal });
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      alive();
      const blocks = (rest + value).split("\n\n");
      rest = blocks.pop();
      for (const block of blocks) {
        const event = parseEvent(block);
        if (event) yield event;
      }
    }
  } finally {
    clearTimeout(watchdog);
    signal.removeEventListener("abort", end);
    document.removeEventListener("visibilitychange", hide);
    own.abort();
  }
}

/// An event's lines (https://html.spec.whatwg.org/#event-stream-interpretation); null for a comment.
function parseEvent(block) {
  const event = { id: null, name: "message", data: "" };
  const data = [];
  for (const line of block.split("\n")) {
    const [, name, value] = /^([^:]*):? ?(.*)$/s.exec(line);
    if (name === "id") event.id = value;
    else if (name === "event") event.name = value;
    else if (name === "data") data.push(value);
  }
  if (data.length === 0) return null;
  event.data = data.join("\n");
  event.node = parse(event.data);
  return event;
}

export function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    }, { once: true });
  });
}
