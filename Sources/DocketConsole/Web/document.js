// One document: what it holds, as it changes; its edits, its end, and its past.

import { mayWrite } from "./access.js";
import { ask, events } from "./api.js";
import { beneath, countChange, takeCensus } from "./census.js";
import { button, fill, h, stored } from "./dom.js";
import { Editing } from "./editing.js";
import { bytes, counted, duration, time } from "./format.js";
import { History } from "./history.js";
import { format } from "./json.js";
import { follow } from "./live.js";
import { confirm, empty, note } from "./notices.js";
import { address, collectionOf, toURL } from "./paths.js";
import { read } from "./reading.js";
import { source } from "./source.js";
import { trail } from "./trail.js";

export async function show({ name, parameters, signal }) {
  const screen = new DocumentScreen(name, signal);
  await screen.begin(parameters.get("tab"));
  return screen;
}

class DocumentScreen {
  constructor(name, signal) {
    Object.assign(this, { name, signal, title: name, editing: null, isRaw: false });
    this.facts = h("p.summary");
    this.actions = h(".actions");
    this.nested = h(".beneath");
    this.absence = h(".absence");
    this.news = h(".news");
    this.body = h(".body");
    this.history = new History({ name, signal, restored: () => this.reload(), known: () => this.showAbsence() });
    this.tabs = tabs([["document", "Document"], ["history", "History"]], (tab) => this.showTab(tab));
    this.element = h(
      "section", {}, h(".head", {}, trail(name), this.facts, this.actions), this.nested, this.tabs.element, this.news, this.body);
  }

  async begin(tab = "document") {
    this.stored = await read(this.name, this.signal);
    this.showFacts();
    this.showNested();
    events.addEventListener("census", () => this.showNested(), { signal: this.signal });
    this.tabs.choose(tab === "history" || !this.stored ? "history" : "document");
    this.watch();
  }

  isDirty() {
    return this.editing?.isDirty ?? false;
  }

  escape() {
    if (!this.editing) return false;
    this.stopEditing();
    return true;
  }

  showTab(tab) {
    if (this.editing) return;
    this.tab = tab;
    if (tab === "history") {
      fill(this.absence);
      fill(this.body, this.absence, this.history.element);
      this.history.read();
    } else this.showText();
  }

  /// Why there is nothing to see, and what can be done about it.
  showAbsence() {
    if (this.stored) return fill(this.absence);
    const versions = this.history.versions.length;
    const isYours = mayWrite(this.name);
    const collection = collectionOf(this.name);
    fill(this.absence, empty(
      "There is no such document",
      versions
        ? `It was deleted, or has ended by itself. ${isYours ? "Restore one of its versions below, or write it again." : "Its versions are below."}`
        : `History has none of this name. ${isYours ? "Look for it in its collection, or create it." : "Look for it in its collection."}`,
      h("a.button", { href: address("documents", collection) }, h("span", {}, "Look in ", h("bdi", {}, stored(collection)))),
      isYours ? h("a.button", { href: address("create", this.name) }, "Create it") : null));
  }

  showNested() {
    const nested = beneath(this.name);
    this.nested.hidden = nested.length === 0;
    fill(this.nested, "Beneath it:", nested.map(({ collection, documents }) => h("a", { href: address("documents", collection) },
      h("bdi", {}, stored(collection.slice(this.name.length + 1))), ` ${counted(documents, "document")}`)));
  }

  showFacts() {
    const { stored } = this;
    fill(
      this.facts,
      stored
        ? ["Revision ", h("b.revision", {}, stored.revision), ", written ", time(stored.updated), ", ", bytes(new TextEncoder().encode(stored.text).length),
          stored.expires ? [", ends in ", h("span", { title: stored.expires }, duration((new Date(stored.expires) - Date.now()) / 1000))] : null]
        : "not there");
    fill(
      this.actions,
      stored && !this.editing && mayWrite(this.name)
        ? [button("Delete", () => this.remove(), "quiet-danger.apart"), button("Edit", () => this.edit(), "primary")] : null);
  }

  showText() {
    const { stored } = this;
    if (!stored) return this.tabs.choose("history");
    const formatted = format(stored.text);
    const view = source(this.isRaw ? stored.text : formatted);
    fill(
      this.body,
      h(".sheet", {},
        h(".sheet-bar", {},
          formatted === stored.text ? h("span.hint", {}, "As it is stored") : button(this.isRaw ? "Show it formatted" : "Show it as it is stored", () => {
            this.isRaw = !this.isRaw;
            this.showText();
          }, "quiet"),
          button("Copy", () => copy(stored.text), "quiet")),
        view));
  }

  // MARK: Changes from elsewhere

  async watch() {
    let wasLive = false;
    await follow(toURL(this.name) + "?heartbeat=15", this.signal, {
      // What happened between the reading and the watch.
      live: () => { if (!wasLive) { wasLive = true; this.compare(); } },
      change: (change) => this.take(change),
      lost: () => { wasLive = false; },
    });
  }

  async compare() {
    const { stored } = this;
    const now = await read(this.name, this.signal).catch(() => undefined);
    if (now !== undefined && now?.revision !== stored?.revision && this.stored === stored) this.changed(now);
  }

  async take(change) {
    if (String(change.revision) === this.stored?.revision) return;
    if (this.stored && Number(this.stored.revision) > change.revision) return;
    const isGone = change.kind === "deleted" || change.kind === "expired";
    const now = isGone ? null : await read(this.name, this.signal).catch(() => undefined);
    if (now !== undefined && now?.revision !== this.stored?.revision) this.changed(now);
  }

  changed(now) {
    if (this.editing) return this.editing.changedMeanwhile(now);
    this.stored = now;
    this.showFacts();
    this.showTab(now ? this.tab : "history");
    light(this.tab === "history" ? this.facts : this.body);
  }

  async reload() {
    this.stored = await read(this.name, this.signal);
    this.showFacts();
    if (this.stored && this.tab === "history") this.history.read();
    else this.showTab(this.tab);
  }

  // MARK: Edits

  edit() {
    this.editing = new Editing({
      name: this.name, stored: this.stored,
      done: (stored) => { this.stored = stored; this.stopEditing(true); },
      stop: () => this.stopEditing(),
    });
    this.tabs.element.hidden = true;
    this.showFacts();
    fill(this.body, this.editing.element);
    this.editing.focus();
  }

  async stopEditing(isSaved = false) {
    if (!isSaved && this.editing.isDirty) {
      const isMeant = await confirm({
        title: "Discard your changes?", text: "What you have changed is not saved.", action: "Discard", danger: true, cancel: "Go on editing",
      });
      if (!isMeant) return;
    }
    const { latest } = this.editing;
    this.editing = null;
    this.tabs.element.hidden = false;
    if (!isSaved && latest !== undefined) this.stored = latest;
    this.showFacts();
    this.tabs.choose(this.stored ? "document" : "history");
    if (isSaved) light(this.body);
    this.actions.querySelector(".primary")?.focus();
  }

  async remove() {
    const { revision } = this.stored;
    try {
      await ask("DELETE", toURL(this.name), { headers: { "If-Match": `"${revision}"` } });
    } catch (error) {
      if (error.status !== 412) return note(error.message);
      note("Somebody changed it a moment ago, so it was not deleted. Look at it again.");
      return this.reload();
    }
    const { name } = this;
    countChange(collectionOf(name), -1);
    note(`${name} is deleted.`, { text: "Undo", run: () => undo(name, revision) });
    location.hash = address("documents", collectionOf(name));
  }
}

/// Writes what was deleted anew, unless there is something again.
async function undo(name, revision) {
  try {
    await ask("POST", `${toURL(name)}?restore=${revision}`, { headers: { "If-None-Match": "*" } });
    note(`${name} is back.`);
    takeCensus();
  } catch (error) {
    note(error.status === 412 ? `${name} was made anew meanwhile, and stays as it is.` : error.message);
  }
}

function light(element) {
  element.classList.remove("lit");
  void element.offsetWidth;
  element.classList.add("lit");
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    note("Copied.");
  } catch {
    note("The browser does not let this page copy; mark the text and copy it by hand.");
  }
}

/// Two or more views of one thing, of which one is shown.
function tabs(names, chosen) {
  const all = names.map(([key, text]) => button(text, () => choose(key), "tab", { role: "tab", data: { key } }));
  const element = h(".tabs", {
    role: "tablist",
    onkeydown: (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!step) return;
      const next = all[(all.indexOf(document.activeElement) + step + all.length) % all.length];
      choose(next.dataset.key);
      next.focus();
    },
  }, all);
  function choose(key) {
    for (const tab of all) {
      tab.setAttribute("aria-selected", String(tab.dataset.key === key));
      tab.tabIndex = tab.dataset.key === key ? 0 : -1;
    }
    chosen(key);
  }
  return { element, choose };
}
