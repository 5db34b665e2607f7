// JSON text with colours, and with line numbers where it has lines.

import { h, stored } from "./dom.js";
import { tokens } from "./json.js";

/// Beyond so many characters colours cost more than they help.
const COLOURED = 200_000;

export function source(text) {
  const code = h("code");
  if (text.length > COLOURED) code.append(...stored(text, true));
  else {
    for (const { token, kind } of tokens(text)) {
      if (kind === "space" || kind === "mark") code.append(...stored(token, true));
      else code.append(h(`span.${kind}`, {}, stored(token, true)));
    }
  }
  return h("pre.source", { tabindex: "0", dir: "ltr", "aria-label": "JSON" }, code);
}
