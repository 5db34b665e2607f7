// The versions of a document: what each was, what lies between any two, and the way back.

import { mayWrite } from "./access.js";
import { ask } from "./api.js";
import { button, fill, h } from "./dom.js";
import { diffView } from "./diff.js";
import { bytes, time } from "./format.js";
import { format, member, parse, plain } from "./json.js";
import { failed, loading, note } from "./notices.js";
import { toURL } from "./paths.js";
import { source } from "./source.js";

const PAGE = 100;
const KINDS = { created: "created", updated: "changed", deleted: "deleted", expired: "expired" };

export class History {
  /// - Parameters:
  ///   - restored: called once one is the newest again.
  ///   - known: called once it is known which there are.
  constructor({ name, signal, restored, known }) {
    Object.assign(this, { name, signal, restored, known, versions: [], next: null, pair: [] });
    this.list = h(".versions-place", {}, loading(4));
    this.comparison = h(".comparison");
    this.element = h(".history", {}, this.list, this.comparison);
  }

  async read(after) {
    try {
      const query = new URLSearchParams({ history: "true", limit: PAGE, ...(after ? { after } : {}) });
      const { text } = await ask("GET", `${toURL(this.name)}?${query}`, { signal: this.signal });
      const page = parse(text);
      const versions = plain(member(page, "versions"));
      this.versions = after ? [...this.versions, ...versions] : versions;
      this.next = plain(member(page, "next"));
    } catch (error) {
      if (this.signal.aborted) return;
      if (error.status !== 404) return fill(this.list, failed(error, () => this.read()));
      this.versions = [];
    }
    const known = new Set(this.versions.map((version) => version.revision));
    this.pair = this.pair.filter((revision) => known.has(revision));
    if (this.pair.length < 2) this.pair = this.versions.slice(0, 2).map((version) => version.revision).reverse();
    this.show();
    this.known();
    this.compare();
  }

  show() {
    if (this.versions.length === 0) {
      return fill(this.list, h("p.hint", {}, "No versions are kept. Old ones go in time; how far history reaches is set where the server is started."));
    }
    fill(
      this.list,
      h("table.versions", {},
        h("caption", {}, "Choose two versions to compare them."),
        h("thead", {}, h("tr", {}, ["Compare", "Revision", "What", "When", "Size", ""].map((text) => h("th", { scope: "col" }, text)))),
        h("tbody", {}, this.versions.map((version, index) => this.row(version, index)))),
      this.next ? button("Older versions", () => this.read(this.next)) : null);
  }

  row(version, index) {
    const { revision, kind, size } = version;
    const choice = (side, label) => h("input", {
      type: "radio", name: `compare-${side}`, value: String(revision), checked: this.pair[side] === revision, "aria-label": `${label} revision ${revision}`,
      onchange: () => { this.pair[side] = revision; this.compare(); },
    });
    return h(
      "tr", { data: { revision } },
      h("td.choices", {}, choice(0, "From"), choice(1, "To")),
      h("th", { scope: "row" }, String(revision), index === 0 ? h("span.tag", {}, "newest") : null),
      h("td", {}, KINDS[kind] ?? "the oldest that is kept"), h("td.dim", {}, time(version.time)),
      h("td.dim", {}, size === null ? "–" : bytes(size)),
      h("td.right", {}, index > 0 && size !== null && mayWrite(this.name) ? button("Restore", () => this.restore(revision), "quiet", { "aria-label": `Restore revision ${revision}` }) : null));
  }

  async text(revision) {
    const version = this.versions.find((version) => version.revision === revision);
    if (!version || version.size === null) return "";
    const { text } = await ask("GET", `${toURL(this.name)}?asOf=${revision}`, { signal: this.signal });
    return format(text);
  }

  async compare() {
    const [from, to] = this.pair;
    if (from === undefined) return fill(this.comparison);
    try {
      if (to === undefined) {
        const text = await this.text(from);
        return fill(this.comparison, text ? h(".sheet", {}, source(text)) : null);
      }
      const [before, after] = await Promise.all([this.text(from), this.text(to)]);
      if (this.pair[0] !== from || this.pair[1] !== to) return;
      fill(this.comparison, h("h2", {}, `From revision ${from} to ${to}`), diffView(before, after, `revision ${from}`, `revision ${to}`));
    } catch (error) {
      if (!this.signal.aborted) fill(this.comparison, failed(error, () => this.compare()));
    }
  }

  async restore(revision) {
    const newest = this.versions[0];
    const headers = newest.size === null ? { "If-None-Match": "*" } : { "If-Match": `"${newest.revision}"` };
    try {
      await ask("POST", `${toURL(this.name)}?restore=${revision}`, { headers });
      note(`Revision ${revision} is the newest again.`);
      this.pair = [];
      this.restored();
    } catch (error) {
      note(error.status === 412 ? "It was changed a moment ago, so nothing was restored. Look at its newest version first." : error.message);
      this.read();
    }
  }
}
