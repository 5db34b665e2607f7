// What is set for a collection: indexes, what is unique, words, lifetimes, and whether writes must name a revision.

import { ask } from "./api.js";
import { settingsOf } from "./census.js";
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
    Object.assign(this, { name, path, settings, signal, title: `Settings of ${name}`, isChanged: wanted !== null });
    const changed = () => { this.isChanged = true; };
    this.indexes = list("Indexes", "state, -priority", settings.indexes, changed,
      "Each finds documents by its first fields, and has them in the order of the others; - makes a field fall.");
    if (wanted) this.indexes.add(wanted);
    this.unique = list("Unique", "mail", settings.unique, changed, "No two documents have the same in these fields together.");
    this.text = h("input", { value: (settings.text ?? []).join(", "), placeholder: "title, about", spellcheck: "false", oninput: changed });
    this.expire = h("input", { type: "number", min: 1, value: settings.expire ?? "", placeholder: "never", oninput: () => { changed(); this.tellEnd(); } });
    this.end = h("span.hint");
    this.requireIfMatch = h("input", { type: "checkbox", checked: settings.requireIfMatch === true, onchange: changed });
    this.status = h("p.status", { role: "alert" });
    this.progress = h(".progress", { hidden: true });
    this.save = button("Save", null, "primary", { type: "submit" });
    this.tellEnd();
    const hasSettings = Object.keys(settings).some((key) => key !== "indexes" || settings.indexes.length);
    this.element = h(
      "section", {},
      h(".head", {}, trail(name), h("p.summary", {}, "Settings"), h(".actions", {}, h("a.button", { href: address("documents", name) }, "Documents"))),
      h("form.settings", { onsubmit: (event) => { event.preventDefault(); this.send(); } },
        this.indexes.element, this.unique.element,
        h("fieldset", {}, h("legend", {}, "Words"),
          field("Fields whose words can be searched", this.text, "With commas between them. The index takes about twice the room of the texts.")),
        h("fieldset", {}, h("legend", {}, "Lifetime"),
          field("Documents end by themselves after seconds", this.expire, "Of documents that are written from now on."), this.end),
        h("fieldset", {}, h("legend", {}, "Writes"),
          h("label.check", {}, this.requireIfMatch, "PUT, PATCH and DELETE must say which revision they replace")),
        this.progress, this.status,
        h(".actions", {}, this.save, hasSettings ? button("Set nothing", () => this.clear(), "quiet-danger") : null)));
  }

  isDirty() {
    return this.isChanged;
  }

  tellEnd() {
    const seconds = Number(this.expire.value);
    fill(this.end, seconds > 0 ? `That is ${duration(seconds)}.` : "Without it they stay.");
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
    await this.change(() => ask("PUT", this.path, { body: JSON.stringify(this.read()) }), "Saved.");
  }

  async clear() {
    const isMeant = await confirm({
      title: "Set nothing for this collection?", text: "Its indexes are removed, and whatever else is set. Documents stay as they are.",
      action: "Set nothing", danger: true,
    });
    if (isMeant) await this.change(() => ask("DELETE", this.path), "Nothing is set any more.");
  }

  async change(request, done) {
    const making = new AbortController();
    this.save.disabled = true;
    this.say("", "Saving…");
    this.follow(making.signal);
    try {
      await request();
      this.isChanged = false;
      note(done);
      if (this.signal.aborted) return;
      const next = await show({ name: this.name, parameters: new URLSearchParams(), signal: this.signal });
      this.element.replaceWith(next.element);
      Object.assign(this, next);
    } catch (error) {
      this.save.disabled = false;
      this.say("bad", error.message);
    } finally {
      making.abort();
      this.progress.hidden = true;
    }
  }

  say(kind, text) {
    this.status.className = "status" + (kind ? ` ${kind}` : "");
    fill(this.status, text);
  }

  /// Shows how far an index is that takes long to make.
  async follow(signal) {
    for (;;) {
      await pause(400, signal);
      if (signal.aborted) return;
      const answer = await ask("GET", "/_stats", { signal, quiet: true }).catch(() => null);
      const making = answer && plain(member(parse(answer.text), "making"));
      if (!making) continue;
      this.progress.hidden = false;
      fill(this.progress, h("span", {}, `Making ${making.name}: ${making.percent} %`), h("progress", { max: 100, value: making.percent }));
    }
  }
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
