// A new document.

import { ask } from "./api.js";
import { countChange } from "./census.js";
import { button, field, fill, h } from "./dom.js";
import { Editor } from "./editor.js";
import { member, parse } from "./json.js";
import { address, collectionOf, faultOf, fromPath, idOf, toURL } from "./paths.js";
import { trail } from "./trail.js";

export function show({ name, signal }) {
  const collection = collectionOf(name);
  const id = h("input", { value: idOf(name), placeholder: "made by the server", spellcheck: "false", autocapitalize: "off" });
  const status = h("p.status.bad", { role: "alert" });
  const save = button("Create", create, "primary");
  const editor = new Editor({ text: "{\n  \n}", label: "The new document", onsave: create, onchange: (editor) => { save.disabled = editor.fault !== null; } });
  let isDone = false;

  async function create() {
    if (editor.fault) return editor.select(editor.fault.offset);
    const given = id.value.trim();
    const fault = given.includes("/") ? "An id has no slash." : given && faultOf(collection + given);
    if (fault) return fill(status, fault);
    save.disabled = true;
    try {
      const answer = given
        ? await ask("PUT", toURL(collection + given), { body: editor.text, headers: { "If-None-Match": "*" } })
        : await ask("POST", toURL(collection), { body: editor.text });
      isDone = true;
      countChange(collection, 1);
      if (!signal.aborted) location.hash = address("document", fromPath(member(parse(answer.text), "path").value));
    } catch (error) {
      save.disabled = false;
      fill(status, error.status === 412 ? "There is a document with this id already; take another one." : error.message);
    }
  }

  return {
    title: `New in ${collection}`,
    element: h(
      "section", {}, h(".head", {}, trail(collection), h("p.summary", {}, "A new document")),
      h(".narrow", {}, field("Id", id, "Leave it empty and the server makes one; those it makes are in the order of time.")),
      editor.element, status,
      h(".actions", {}, save, h("a.button", { href: address("documents", collection) }, "Cancel"))),
    focus: () => { editor.area.focus(); editor.area.setSelectionRange(4, 4); },
    isDirty: () => !isDone && editor.isChanged,
  };
}
