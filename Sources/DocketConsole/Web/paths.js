// Names of collections and documents, as they are stored; how a URL writes them; and the console's own addresses.

/// A name as a URL has it: `/notes/a?b` is `/notes/a%3Fb`.
export function toURL(name) {
  return name.split("/").map(encodeURIComponent).join("/");
}

/// The name that a `path` in an answer stands for.
export function fromPath(path) {
  return path.split("/").map(decodeURIComponent).join("/");
}

export function collectionOf(name) {
  return name.slice(0, name.lastIndexOf("/") + 1);
}

export function idOf(name) {
  return name.slice(name.lastIndexOf("/") + 1);
}

/// Why a name cannot be one; null: it can.
export function faultOf(name) {
  if (!name.startsWith("/")) return "A name begins with a slash.";
  if (name.startsWith("/_")) return "Names that begin with /_ are the server's own.";
  const segments = name.slice(1).replace(/\/$/, "").split("/");
  if (segments.some((segment) => segment === "")) return "Between two slashes there must be a name.";
  if (segments.some((segment) => segment === "." || segment === "..")) return "No part of a name is . or ..";
  if (/[\u0000-\u001f\u007f]/.test(name)) return "Names hold no control characters.";
  return null;
}

/// An address of the console: `#/documents/notes/?sort=-a`.
export function address(screen, name = "/", parameters) {
  const query = parameters?.toString();
  return "#/" + screen + toURL(name) + (query ? "?" + query : "");
}

/// What an address asks for: `{screen, name, parameters}`.
export function place(hash) {
  const [path, query = ""] = split(hash.replace(/^#\/?/, ""), "?");
  const [screen, rest = ""] = split(path, "/");
  let name;
  try {
    name = fromPath("/" + rest);
  } catch {
    name = "/";
  }
  return { screen, name, parameters: new URLSearchParams(query) };
}

function split(text, mark) {
  const at = text.indexOf(mark);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
