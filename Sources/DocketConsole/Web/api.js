// Requests to the server that this page came from. A token is kept for this tab alone, and sent with each request.

import { fault } from "./format.js";

const TOKEN = "docket-token";

/// What the rest of the console wants to know of all requests.
export const events = new EventTarget();

export function token() {
  return sessionStorage.getItem(TOKEN);
}

export function useToken(text) {
  if (text) sessionStorage.setItem(TOKEN, text);
  else sessionStorage.removeItem(TOKEN);
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
  constructor() {
    super("The server does not answer.");
  }
}

function headers(more) {
  const all = { ...more };
  if (token()) all.Authorization = `Bearer ${token()}`;
  return all;
}

/// Sends a request and returns `{text, headers, status}`.
/// - Parameter more: `body` is JSON text, sent as it is; `headers`; `signal`; `quiet`: a 401 asks for no token.
/// - Throws: `Refusal`, `Unreachable`, or an AbortError.
export async function ask(method, path, { body, headers: more = {}, signal, quiet = false } = {}) {
  const type = body === undefined ? {} : { "Content-Type": "application/json" };
  let answer;
  let text;
  try {
    answer = await fetch(path, {
      method, body, signal, headers: headers({ ...type, ...more }), cache: "no-store", credentials: "omit",
    });
    text = await answer.text();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    tell("unreachable");
    throw new Unreachable();
  }
  tell("reached");
  if (answer.ok) return { text, headers: answer.headers, status: answer.status };
  throw refuse(answer.status, text, quiet);
}

function refuse(status, text, quiet) {
  const refusal = new Refusal(status, fault(text));
  if (status === 401 && !quiet) tell("unauthorized", refusal);
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
