// Two have changed one thing: what the other saved, beside what is about to be saved here, and the ways out.

import { button, h } from "./dom.js";
import { diffView } from "./diff.js";
import { format } from "./json.js";

/// - Parameters:
///   - title: what they have done.
///   - mine: what is about to be saved, as JSON.
///   - theirs: what is there now; null: nothing is.
///   - way: what each button says, `{theirs, mine}`.
export function conflictPanel({ title, mine, theirs, way = { theirs: "Take theirs", mine: "Overwrite with mine" }, takeTheirs, overwrite, goOn }) {
  return h(
    "section.conflict", { tabindex: "-1", role: "alertdialog", "aria-label": title },
    h("h2", {}, title),
    h("p", {}, "Nothing of yours is saved yet. ",
      theirs === null ? "You can write it again with what you have here." : "Red lines are only in theirs, green ones only in yours."),
    theirs === null ? null : diffView(format(theirs), tidy(mine), "theirs", "yours"),
    h(".actions", {}, button(way.theirs, takeTheirs), button(way.mine, overwrite, "danger"), button("Go on editing", goOn, "quiet")));
}

/// Of a document.
/// - Parameter theirs: as it is now, `{text, revision}`; null: it is gone.
export function documentConflict({ theirs, ...more }) {
  return conflictPanel({
    ...more, theirs: theirs?.text ?? null,
    title: theirs ? `Somebody else saved revision ${theirs.revision}` : "Somebody else deleted this document",
    ...(theirs ? {} : { way: { theirs: "Leave it deleted", mine: "Write it again" } }),
  });
}

/// Formatted, so that white space makes no difference; as it stands where it is no JSON.
function tidy(text) {
  try {
    return format(text);
  } catch {
    return text;
  }
}
