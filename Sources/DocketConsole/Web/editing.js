// An edit of a document: saved only over the revision that it began with, unless somebody says otherwise who has seen both.

import { ask } from "./api.js";
import { documentConflict } from "./conflict.js";
import { button, fill, h } from "./dom.js";
import { Editor } from "./editor.js";
import { duration } from "./format.js";
import { format, member, parse } from "./json.js";
import { banner } from "./notices.js";
import { toURL } from "./paths.js";
import { read } from "./reading.js";

export class Editing {
  /// - Parameters:
  ///   - stored: the document as it was read.
  ///   - done: takes it as it is once it is saved.
  ///   - stop: called where the edit is given up.
  constructor({ name, stored, done, stop }) {
    // `compared` is the revision that a conflict is shown with; null: the document is gone; undefined: none is shown.
    Object.assign(this, { name, stored, done, stop, latest: undefined, compared: undefined });
    this.save = button("Save", () => this.send(), "primary");
    this.status = h("p.status.bad", { role: "alert" });
    this.news = h(".news");
    // One line is hard to edit; white space is no part of what a document says.
    const text = stored.text.includes("\n") ? stored.text : format(stored.text);
    this.editor = new Editor({
      text, label: `The document ${name}`, onsave: () => this.send(), onchange: (editor) => this.look(editor),
    });
    this.keep = h("input", { type: "checkbox", checked: true });
    const end = stored.expires && h(
      "label.check", {}, this.keep, `It still ends by itself, in ${duration(this.secondsLeft())}`);
    this.element = h(
      ".editing", {}, this.news, this.editor.element, end, this.status,
      h(".actions", {}, this.save, button("Cancel", stop), h("span.hint", {}, "Ctrl+S saves, Esc cancels")));
  }

  get isDirty() {
    return this.editor.isChanged;
  }

  focus() {
    this.editor.focus();
  }

  look(editor) {
    this.save.disabled = editor.fault !== null || !editor.isChanged;
  }

  secondsLeft() {
    return Math.max(1, Math.round((new Date(this.stored.expires) - Date.now()) / 1000));
  }

  /// Somebody else has written it, or it is gone, while it is edited here.
  changedMeanwhile(now) {
    this.latest = now;
    if (this.compared !== undefined) {
      if (this.compared !== (now?.revision ?? null)) this.showConflict(now);
      return;
    }
    if (!this.isDirty && now) {
      fill(this.news, banner("hint", `It was changed meanwhile: it has revision ${now.revision} now. `, button("Show it", () => this.take(now), "link")));
      return;
    }
    fill(this.news, banner(
      "bad", now ? `Somebody saved revision ${now.revision} while you were editing. ` : "Somebody deleted this document while you were editing. ",
      button("Compare", () => this.showConflict(now), "link")));
  }

  take(now) {
    this.stored = now;
    this.latest = undefined;
    this.endConflict();
    this.editor.initial = now.text.includes("\n") ? now.text : format(now.text);
    this.editor.set(this.editor.initial);
    this.editor.focus();
  }

  /// - Parameter over: the revision that is to be replaced; null: there is no document.
  async send(over = this.stored.revision) {
    const { editor } = this;
    if (editor.fault) return editor.select(editor.fault.offset);
    this.save.disabled = true;
    const headers = over === null ? { "If-None-Match": "*" } : { "If-Match": `"${over}"` };
    if (this.stored.expires && this.keep.checked) headers["Expires-In"] = String(this.secondsLeft());
    const text = editor.text;
    try {
      const answer = await ask("PUT", toURL(this.name), { body: text, headers });
      const revision = member(parse(answer.text), "revision").raw;
      // What was sent is what is stored; times are the server's.
      const now = await read(this.name).catch(() => null);
      this.done(now ?? { text, revision, updated: new Date().toISOString(), expires: null });
    } catch (error) {
      this.save.disabled = false;
      if (error.status !== 412) return fill(this.status, error.message);
      fill(this.status);
      this.showConflict(await read(this.name));
    }
  }

  endConflict() {
    this.compared = undefined;
    fill(this.news);
  }

  showConflict(now) {
    this.compared = now?.revision ?? null;
    fill(this.news, documentConflict({
      mine: this.editor.text, theirs: now,
      takeTheirs: () => (now ? this.take(now) : (this.latest = null, this.editor.set(this.editor.initial), this.stop())),
      overwrite: () => this.send(now ? now.revision : null),
      goOn: () => { this.endConflict(); this.focus(); },
    }));
    this.news.querySelector(".conflict")?.focus();
  }
}
