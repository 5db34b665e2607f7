// What is set for a collection: indexes, what is unique, words, lifetimes, and whether writes must name a revision.

import { ask } from "./api.js";
import { settingsOf } from "./census.js";
import { conflictPanel } from "./conflict.js";
import { button, field, fill, h, icon } from "./dom.js";
import { duration } from "./format.js";
import { member, parse, plain } from "./json.js";
import { pause } from "./live.js";
import { confirm, note } from "./notices.js";
import { address, toURL } from "./paths.js";
import { trail } from "./trail.js";

export async function show({ name, parameters, signal }) {
  const settings = await settingsOf(name, signal);
  return new SettingsScreen(name, `/_collections${toURL(name)}`, settings, parameters.get("index"), signal);
}

class SettingsScreen {
  constructor(name, path, settings, wanted, signal) {
    Object.assign(this, { name, path, signal, title: `Settings of ${name}` });
    this.build(settings, wanted);
  }

  /// Makes the form, of what is set.
  /// - Parameter wanted: an index that is to be added; null: none.
  build(settings, wanted) {
    const { name } = this;
    Object.assign(this, { settings, isChanged: wanted !== null });
    const changed = () => { this.isChanged = true; };
    this.indexes = list("Indexes", "state, -priority", settings.indexes, changed,
      "An index finds documents by its first fields and has them sorted by the next. With a - before its name, a field is sorted from high to low.");
    if (wanted) this.indexes.add(wanted);
    this.unique = list("Unique", "mail", settings.unique, changed, "No two documents may have the same values in these fields, taken together.");
    this.text = h("input", { value: (settings.text ?? []).join(", "), placeholder: "title, about", spellcheck: "false", oninput: changed });
    this.expire = h("input", { type: "number", min: 1, value: settings.expire ?? "", placeholder: "never", oninput: () => { changed(); this.tellEnd(); } });
    this.end = h("span.hint");
    this.requireIfMatch = h("input", { type: "checkbox", checked: settings.requireIfMatch === true, onchange: changed });
    this.status = h("p.status", { role: "alert" });
    this.progress = h(".progress", { hidden: true });
    this.news = h(".news");
    this.save = button("Save", null, "primary", { type: "submit" });
    this.tellEnd();
    const hasSettings = Object.keys(settings).some((key) => key !== "indexes" || settings.indexes.length);
    this.element = h(
      "section", {},
      h(".head", {}, trail(name), h("p.summary", {}, "Settings"), h(".actions", {}, h("a.button", { href: address("documents", name) }, "Documents"))),
      h("form.settings", { onsubmit: (event) => { event.preventDefault(); this.send(); } },
        this.indexes.element, this.unique.element,
        h("fieldset", {}, h("legend", {}, "Words"),
          field("Fields whose words can be searched", this.text, "Separate them with commas. The index takes about twice the room of the texts.")),
        h("fieldset", {}, h("legend", {}, "Lifetime"),
          field("Seconds after which a document ends by itself", this.expire, "This is for documents written from now on."), this.end),
        h("fieldset", {}, h("legend", {}, "Writes"),
          h("label.check", {}, this.requireIfMatch, "PUT, PATCH and DELETE must name the revision they replace")),
        this.progress, this.status, this.news,
        h(".actions", {}, this.save, hasSettings ? button("Remove all settings", () => this.clear(), "quiet-danger.apart") : null)));
  }

  isDirty() {
    return this.isChanged;
  }

  tellEnd() {
    const seconds = Number(this.expire.value);
    fill(this.end, seconds > 0 ? `That is ${duration(seconds)}.` : "Without it, documents stay.");
  }

  /// What the form says; what this console does not know stays as it is.
  read() {
    const said = { ...this.settings, indexes: this.indexes.read(), unique: this.unique.read() };
    const text = names(this.text.value);
    const put = (key, value, isThere) => { if (isThere) said[key] = value; else delete said[key]; };
    put("unique", said.unique, said.unique.length > 0);
    put("text", text, text.length > 0);
    put("expire", Number(this.expire.value), this.expire.value !== "");
    put("requireIfMatch", true, this.requireIfMatch.checked);
    return said;
  }

  async send() {
    const said = this.read();
    await this.change(said, (more) => ask("PUT", this.path, { body: JSON.stringify(said), ...more }), "Saved.");
  }

  async clear() {
    const isMeant = await confirm({
      title: "Remove all settings of this collection?", text: "Its indexes go, and whatever else is set. Documents stay as they are.",
      action: "Remove", danger: true,
    });
    if (isMeant) await this.change({}, (more) => ask("DELETE", this.path, more), "The settings are removed.");
  }

  /// - Parameters:
  ///   - said: what is to be set.
  ///   - request: takes what more goes with it.
  async change(said, request, done) {
    const making = new AbortController();
    this.save.disabled = true;
    this.say("", "Saving…");
    fill(this.news);
    try {
      const now = await settingsOf(this.name, this.signal);
      if (!areSame(now, this.settings)) return this.showConflict(now, said, () => this.change(said, request, done));
      // An index takes its time; it is the figures that show whether the server is still there.
      const lost = this.follow(making.signal);
      await Promise.race([request({ wait: Infinity, signal: making.signal }), lost]);
      this.isChanged = false;
      note(done);
      if (!this.signal.aborted) await this.begin();
    } catch (error) {
      if (this.signal.aborted) return;
      this.save.disabled = false;
      this.say("bad", error.message);
    } finally {
      making.abort();
      this.progress.hidden = true;
    }
  }

  /// Puts what is set now in the place of what is shown.
  async begin() {
    const settings = await settingsOf(this.name, this.signal);
    const former = this.element;
    this.build(settings, null);
    former.replaceWith(this.element);
  }

  /// Somebody else has set something since this was opened. The server takes no condition here, so it is looked for beforehand.
  showConflict(now, said, send) {
    this.say("");
    this.save.disabled = false;
    fill(this.news, conflictPanel({
      title: "Somebody else has changed these settings", mine: JSON.stringify(said), theirs: JSON.stringify(now),
      takeTheirs: async () => {
        this.isChanged = false;
        await this.begin().catch((error) => this.say("bad", error.message));
      },
      overwrite: () => {
        this.settings = now;
        send();
      },
      goOn: () => {
        fill(this.news);
        this.save.focus();
      },
    }));
    this.news.querySelector(".conflict").focus();
  }

  say(kind, text) {
    this.status.className = "status" + (kind ? ` ${kind}` : "");
    fill(this.status, text);
  }

  /// Shows how far an index is that takes long to make.
  /// - Throws: where the server does not answer any more.
  async follow(signal) {
    for (;;) {
      await pause(400, signal);
      // Whoever waits for this has got an answer by then.
      if (signal.aborted) return;
      const answer = await ask("GET", "/_stats", { signal, quiet: true }).catch((error) => {
        if (error.status === undefined) throw error;
        return null;
      });
      const making = answer && plain(member(parse(answer.text), "making"));
      if (!making) continue;
      this.progress.hidden = false;
      fill(this.progress, h("span", {}, `Making ${making.name}: ${making.percent} %`), h("progress", { max: 100, value: making.percent }));
    }
  }
}

/// Members of settings may come in any order.
function areSame(one, other) {
  const told = (settings) => JSON.stringify(Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1)));
  return told(one) === told(other);
}

function names(text) {
  return text.split(",").map((name) => name.trim()).filter((name) => name);
}

/// A list of lists of fields.
function list(title, placeholder, values, changed, hint) {
  const rows = h(".rows");
  const none = h("p.hint", {}, "None.");
  function tell() {
    none.hidden = rows.childElementCount > 0;
  }
  function add(text = "") {
    const input = h("input", { value: text, placeholder, "aria-label": `${title}: fields with commas between them`, spellcheck: "false", autocapitalize: "off", oninput: changed });
    const row = h(".row", {}, input, button(icon("close"), () => { row.remove(); changed(); tell(); }, "quiet.icon-only", { "aria-label": `Remove ${text || "it"}` }));
    rows.append(row);
    tell();
    return input;
  }
  for (const value of values ?? []) add([value].flat().join(", "));
  tell();
  return {
    element: h("fieldset", {}, h("legend", {}, title), h("p.hint", {}, hint), rows, none, button([icon("plus"), "Add"], () => { add().focus(); changed(); }, "quiet")),
    add,
    read: () => [...rows.querySelectorAll("input")].map((input) => names(input.value)).filter((fields) => fields.length),
  };
}
