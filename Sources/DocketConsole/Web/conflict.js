// Two have changed one document: what the other saved, beside what is about to be saved here, and the ways out.

import { button, h } from "./dom.js";
import { diffView } from "./diff.js";
import { format } from "./json.js";

/// - Parameter theirs: the document as it is now, `{text, revision}`; null: it is gone.
export function conflictPanel({ mine, theirs, takeTheirs, overwrite, goOn }) {
  return h(
    "section.conflict", { tabindex: "-1", role: "alertdialog", "aria-label": "Somebody else has changed this document" },
    h("h2", {}, theirs ? `Somebody else saved revision ${theirs.revision}` : "Somebody else deleted this document"),
    h("p", {}, "Nothing of yours is saved yet. ",
      theirs ? "Red lines are theirs alone, green ones yours." : "You can write it anew with what you have here."),
    theirs ? diffView(format(theirs.text), tidy(mine), "theirs", "yours") : null,
    h(".actions", {},
      button(theirs ? "Take theirs" : "Let it be gone", takeTheirs),
      button(theirs ? "Overwrite with mine" : "Write it anew", overwrite, "danger"),
      button("Go on editing", goOn, "quiet")));
}

/// Formatted, so that white space makes no difference; as it stands where it is no JSON.
function tidy(text) {
  try {
    return format(text);
  } catch {
    return text;
  }
}
