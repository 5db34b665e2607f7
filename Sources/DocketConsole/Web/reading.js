// A document as it is stored.

import { ask } from "./api.js";
import { toURL } from "./paths.js";

/// Reads a document: `{text, revision, updated, expires}`; null where there is none.
export async function read(name, signal) {
  try {
    const { text, headers } = await ask("GET", toURL(name), { signal });
    return {
      text, revision: headers.get("ETag").replaceAll('"', ""), updated: headers.get("Last-Modified"),
      expires: headers.get("Expires-At"),
    };
  } catch (error) {
    if (error.status === 404) return null;
    throw error;
  }
}
