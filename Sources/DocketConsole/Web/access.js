// What whoever uses the console may do here: what may not be done is not offered. The server decides all the same.

import { ask, events } from "./api.js";

const EVERYTHING = { token: null, open: false, allow: ["admin"] };

/// `token` is `{name, id, expiresAt}` or null; `open`: there are no tokens yet, so that everybody may do everything.
export const access = { ...EVERYTHING, isKnown: false };

/// Asks the server.
/// - Returns: whether something else may be done than was known before.
export async function learnAccess() {
  const before = JSON.stringify([access.token, access.open, access.allow]);
  const { token, open, allow } = await told();
  Object.assign(access, { token, open, allow, isKnown: true });
  events.dispatchEvent(new CustomEvent("access"));
  return JSON.stringify([token, open, allow]) !== before;
}

async function told() {
  try {
    return JSON.parse((await ask("GET", "/_access")).text);
  } catch (error) {
    // A server from before there was such a path.
    if (error.status === 404) return EVERYTHING;
    throw error;
  }
}

// Another token, or none, may do other things.
events.addEventListener("token", forgetAccess);

/// It is asked for again before anything else is shown.
export function forgetAccess() {
  access.isKnown = false;
}

export function isAdmin() {
  return access.allow.includes("admin");
}

export function maySeeFigures() {
  return isAdmin() || access.allow.includes("stats");
}

export function mayWrite(name) {
  return isAdmin() || prefixes().some((prefix) => covers(prefix, name));
}

/// Whether a document can be made in a collection, be it one of a certain id.
export function mayCreateIn(collection) {
  return mayWrite(collection)
    || prefixes().some((prefix) => prefix.startsWith(collection) && !prefix.slice(collection.length).includes("/"));
}

export function mayWriteSomething() {
  return isAdmin() || prefixes().length > 0;
}

/// What may be written.
function prefixes() {
  return access.allow.filter((rule) => rule.startsWith("write:")).map((rule) => rule.slice("write:".length));
}

/// A prefix ends at a segment: `/users/7` is that document and what is beneath it, and nothing of `/users/70`.
function covers(prefix, name) {
  return name.startsWith(prefix) && (prefix.endsWith("/") || name.length === prefix.length || name[prefix.length] === "/");
}
