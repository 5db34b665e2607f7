// Requests to the server that this page came from. A token is kept for this tab alone, and sent with each request.

import { fault } from "./format.js";

const TOKEN = "docket-token";

/// So long an answer is waited for; of what takes long by its nature so many times as long.
export const patience = { milliseconds: 30_000, longTimes: 4 };

/// What the rest of the console wants to know of all requests.
export const events = new EventTarget();

export function token() {
  return sessionStorage.getItem(TOKEN);
}

export function useToken(text) {
  if (text) sessionStorage.setItem(TOKEN, text);
  else sessionStorage.removeItem(TOKEN);
  tell("token");
}

/// A refusal: the server's own `error` and `detail`, and what else it tells.
export class Refusal extends Error {
  constructor(status, problem) {
    super(problem.detail ?? problem.title ?? `The server answered ${status}.`);
    this.status = status;
    this.error = problem.error ?? "";
    this.problem = problem;
  }
}

/// The server did not answer at all.
export class Unreachable extends Error {
  constructor(text = "The server does not answer.") {
    super(text);
  }
}

/// It did not answer in time. Whether it does yet what was asked of it, nobody can tell.
export class Late extends Unreachable {
  constructor(method, milliseconds) {
    const isRead = method === "GET";
    super(`The server did not answer within ${Math.round(milliseconds / 100) / 10} s.${isRead ? "" : " Look whether it did what was asked before you ask again."}`);
  }
}

function headers(more) {
  const all = { ...more };
  if (token()) all.Authorization = `Bearer ${token()}`;
  return all;
}

/// Sends a request and returns `{text, headers, status}`.
/// - Parameter more: `body` is JSON text, sent as it is; `headers`; `signal`; `quiet`: a 401 asks for no token; `wait`: for so many
///   milliseconds, Infinity where somebody else looks whether the server is there.
/// - Throws: `Refusal`, `Unreachable`, or an AbortError.
export async function ask(method, path, { body, headers: more = {}, signal, quiet = false, wait = patience.milliseconds } = {}) {
  const type = body === undefined ? {} : { "Content-Type": "application/json" };
  const own = new AbortController();
  const end = () => own.abort();
  if (signal?.aborted) end();
  signal?.addEventListener("abort", end);
  let isLate = false;
  const timer = Number.isFinite(wait) ? setTimeout(() => { isLate = true; end(); }, wait) : null;
  let answer;
  let text;
  try {
    answer = await fetch(path, {
      method, body, signal: own.signal, headers: headers({ ...type, ...more }), cache: "no-store", credentials: "omit",
    });
    text = await answer.text();
  } catch (error) {
    if (isLate && !signal?.aborted) {
      tell("late", path);
      throw new Late(method, wait);
    }
    if (error.name === "AbortError") throw error;
    tell("unreachable");
    throw new Unreachable();
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", end);
  }
  tell("reached");
  if (answer.ok) return { text, headers: answer.headers, status: answer.status };
  throw refuse(answer.status, text, quiet);
}

function refuse(status, text, quiet) {
  const refusal = new Refusal(status, fault(text));
  if (status === 401 && !quiet) tell("unauthorized", refusal);
  if (status === 403) tell("forbidden", refusal);
  return refusal;
}

/// Opens a stream of events, and returns the response.
export async function open(path, { headers: more = {}, signal }) {
  const answer = await fetch(path, {
    signal, headers: headers({ Accept: "text/event-stream", ...more }), cache: "no-store", credentials: "omit",
  });
  if (answer.ok) return answer;
  throw refuse(answer.status, await answer.text(), false);
}

function tell(name, detail) {
  events.dispatchEvent(new CustomEvent(name, { detail }));
}
