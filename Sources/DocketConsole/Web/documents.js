// The documents of a collection: filtered, sorted, page by page, and as they change.

import { isAdmin, mayCreateIn } from "./access.js";
import { ask } from "./api.js";
import { census, countChange, settingsOf } from "./census.js";
import { button, fill, h, icon, stored } from "./dom.js";
import { conditionsIn, filterForm, parametersOf } from "./filter.js";
import { count, counted } from "./format.js";
import { member, parse, plain } from "./json.js";
import { follow, pause } from "./live.js";
import { banner, empty, failed, loading } from "./notices.js";
import { address, toURL } from "./paths.js";
import { DocumentTable } from "./table.js";
import { trail } from "./trail.js";

const LIMIT = 50;
/// Where pages that were seen began, by what they are pages of.
const beginnings = new Map();

export async function show({ name, parameters, signal }) {
  if (!name.endsWith("/")) name += "/";
  const screen = new DocumentsScreen(name, parameters, signal);
  screen.begin();
  return screen;
}

class DocumentsScreen {
  constructor(name, parameters, signal) {
    Object.assign(this, { name, signal, title: name, table: null, created: 0 });
    this.conditions = conditionsIn(parameters);
    this.sort = sortIn(parameters.get("sort"));
    this.page = Number(parameters.get("page") ?? 1);
    this.after = parameters.get("after");
    this.summary = h("p.summary");
    this.news = h(".news");
    this.body = h(".body", {}, loading(10));
    this.foot = h("nav.pager", { "aria-label": "Pages" });
    this.form = filterForm({ conditions: this.conditions, fields: [], hasWords: false, apply: (all) => this.go({ conditions: all }) });
    this.formPlace = h(".form-place", {}, this.form.element);
    this.element = h(
      "section", {},
      h(".head", {}, trail(name), this.summary,
        h(".actions", {},
          isAdmin() ? h("a.button", { href: address("settings", name) }, "Settings") : null,
          mayCreateIn(name) ? h("a.button.primary", { href: address("create", name) }, icon("plus"), "New document") : null)),
      this.formPlace, this.news, this.body, this.foot);
    this.filter = () => this.form.focus();
  }

  /// What the conditions say, as parameters of a request and of an address.
  where() {
    return parametersOf(this.conditions);
  }

  request(more) {
    return toURL(this.name) + "?" + new URLSearchParams([...this.where(), ...more]);
  }

  go({ conditions = this.conditions, sort = this.sort, page = 1, after = null }) {
    const parameters = new URLSearchParams(parametersOf(conditions));
    if (sort) parameters.set("sort", (sort.falls ? "-" : "") + sort.field);
    if (page > 1) parameters.set("page", page);
    if (after) parameters.set("after", after);
    location.hash = address("documents", this.name, parameters);
  }

  async begin() {
    let hasBegun = false;
    const live = new Promise((resolve) => {
      this.watch(() => {
        // What was read before the watch began may be old by now.
        if (hasBegun) this.read();
        resolve();
      });
    });
    this.learnWords();
    await Promise.race([live, pause(600, this.signal)]);
    await this.read();
    hasBegun = true;
  }

  /// Where the collection's settings name texts, words can be searched.
  async learnWords() {
    if (!isAdmin()) return;
    const settings = await settingsOf(this.name, this.signal).catch(() => ({}));
    if (!settings.text?.length || this.form.element.contains(document.activeElement)) return;
    this.form = filterForm({
      conditions: this.conditions, fields: this.table?.columns ?? [], hasWords: true, apply: (all) => this.go({ conditions: all }),
    });
    fill(this.formPlace, this.form.element);
  }

  async read() {
    const more = [["limit", LIMIT]];
    if (this.sort) more.push(["sort", (this.sort.falls ? "-" : "") + this.sort.field]);
    if (this.after) more.push(["after", this.after]);
    try {
      const { text } = await ask("GET", this.request(more), { signal: this.signal });
      if (!this.signal.aborted) this.showPage(text);
    } catch (error) {
      if (this.signal.aborted || error.status === 401) return;
      fill(this.body, failed(error, () => this.read()));
      fill(this.foot);
      return;
    }
    this.count();
  }

  showPage(text) {
    const page = parse(text);
    this.created = 0;
    this.next = member(page, "next")?.value ?? null;
    const items = member(page, "items").items.map((item) => ({
      path: member(item, "path").value, revision: Number(member(item, "revision").raw),
      updated: member(item, "updated").value, document: member(item, "document"), text,
    }));
    const hadFocus = this.body.contains(document.activeElement);
    this.table = new DocumentTable({ items, sort: this.sort, onsort: (sort) => this.go({ sort }) });
    this.form.name(this.table.columns);
    fill(this.body, items.length ? this.table.element : this.nothing());
    if (hadFocus) this.table.focus();
    this.showNews(plain(member(page, "warning")));
    this.showPager(items.length);
  }

  nothing() {
    if (this.page > 1) return empty("Nothing on this page", "What was here is gone.", button("First page", () => this.go({})));
    if (this.conditions.length) {
      return empty("No document matches", "Numbers and strings are told apart: 42 does not find \"42\".",
        button("Clear the filter", () => this.go({ conditions: [] })));
    }
    if (!mayCreateIn(this.name)) return empty("No documents here", "Nobody has put one into this collection, or all are gone.");
    return empty("No documents here yet", "The first one makes the collection.",
      h("a.button.primary", { href: address("create", this.name) }, "New document"));
  }

  showPager(length) {
    const first = (this.page - 1) * LIMIT;
    const key = JSON.stringify([this.name, this.where(), this.sort]);
    const known = beginnings.get(key) ?? beginnings.set(key, []).get(key);
    known[this.page] = this.after;
    const before = this.page === 2 ? null : known[this.page - 1];
    const isKnown = this.page === 2 || before !== undefined;
    fill(
      this.foot,
      length ? h("span.range", {}, `${count(first + 1)}–${count(first + length)}`) : null,
      button("First", () => this.go({}), "", { disabled: this.page === 1 }),
      button("Previous", () => this.go({ page: this.page - 1, after: before }), "", { disabled: this.page === 1 || !isKnown }),
      button("Next", () => this.go({ page: this.page + 1, after: this.next }), "", { disabled: !this.next }));
    this.foot.hidden = this.page === 1 && !this.next;
  }

  /// How many match is counted beside the page, since it can take longer.
  async count() {
    const known = census.items?.find((item) => item.collection === this.name);
    if (this.conditions.length === 0 && known) fill(this.summary, counted(known.documents, "document"));
    try {
      const { text } = await ask("GET", this.request([["limit", 0], ["count", "true"]]), { signal: this.signal });
      this.total = Number(member(parse(text), "count").raw);
      this.showTotal();
    } catch {
      fill(this.summary);
    }
  }

  showTotal() {
    fill(this.summary, counted(this.total, "document"), this.conditions.length ? " match" : "");
  }

  // MARK: What changes

  async watch(live) {
    let isLive = false;
    await follow(this.request([["heartbeat", 15]]), this.signal, {
      live: () => {
        if (!isLive) live();
        isLive = true;
      },
      change: (change) => this.apply(change),
      lost: () => {
        isLive = false;
      },
    });
  }

  apply(change) {
    const difference = { created: 1, deleted: -1, expired: -1, left: -1 }[change.kind] ?? 0;
    if (difference && change.kind !== "left" && !this.conditions.length) countChange(this.name, difference);
    if (difference && this.total !== undefined) {
      this.total = Math.max(0, this.total + difference);
      this.showTotal();
    }
    if (!this.table || this.table.apply(change) || change.kind === "deleted" || change.kind === "expired" || change.kind === "left") return;
    // Its place is known where all of a collection is on this page, in the order of the paths.
    if (this.page === 1 && !this.next && !this.sort && this.table.rows.size < 2 * LIMIT) {
      if (!this.table.rows.size) return void this.read();
      return this.table.add({ ...change, updated: change.at });
    }
    if (change.kind !== "created") return;
    this.created += 1;
    this.showNews();
  }

  showNews(warning = this.warning) {
    this.warning = warning;
    fill(
      this.news,
      this.created ? banner("good", `${counted(this.created, "new document")}. `, button("Show", () => this.read(), "link")) : null,
      warning ? banner("hint", `${count(warning.scanned)} documents were looked at for this, as no index fits it. `, this.advice(warning.index)) : null);
  }

  advice(index) {
    if (!index || !isAdmin()) return null;
    const names = index.map((key) => String(key));
    return h("a", { href: address("settings", this.name, new URLSearchParams({ index: names.join(", ") })) },
      "Make one on ", stored(names.join(", ")));
  }
}

function sortIn(text) {
  return text ? { field: text.replace(/^-/, ""), falls: text.startsWith("-") } : null;
}
