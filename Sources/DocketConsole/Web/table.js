// Documents in a table: fields are columns, a document is a row, and a row lights up when its document changes.

import { fill, h, stored } from "./dom.js";
import { cell, time } from "./format.js";
import { member } from "./json.js";
import { address, fromPath, idOf } from "./paths.js";

const MOST_COLUMNS = 12;
/// A key that a query can name, and so sort by.
const NAMEABLE = /^[^@$."\\][^."\\]*$/su;

/// The keys that the documents of a page have, those that most have first; of equal ones in the order of the documents.
export function columnsOf(items) {
  const known = new Map();
  for (const { document } of items) {
    if (document?.kind !== "object") continue;
    for (const key of new Set(document.members.map((member) => member.key))) known.set(key, (known.get(key) ?? 0) + 1);
  }
  return [...known].sort((a, b) => b[1] - a[1]).slice(0, MOST_COLUMNS).map(([key]) => key);
}

/// - Parameters:
///   - items: `{path, revision, updated, text, document}`, `document` a node of `text`.
///   - sort: `{field, falls}`, or null.
///   - onsort: takes the next one.
export class DocumentTable {
  constructor({ items, sort, onsort }) {
    this.columns = columnsOf(items);
    this.hasValues = items.some(({ document }) => document?.kind !== "object");
    this.rows = new Map();
    this.body = h("tbody", { onkeydown: (event) => this.move(event) });
    for (const item of items) this.body.append(this.row(item));
    this.body.firstElementChild?.setAttribute("tabindex", "0");
    const heads = [
      ["@id", "Id"], ...(this.hasValues ? [[null, "Value"]] : []),
      ...this.columns.map((key) => [NAMEABLE.test(key) ? key : null, key, areNumbers(items, key)]),
      ["@revision", "Revision", true], ["@updated", "Updated"],
    ];
    this.element = h(
      ".table-frame", {},
      h("table.documents", {},
        h("thead", {}, h("tr", {}, heads.map(([field, text, isNumber]) => head(field, text, isNumber, sort, onsort)))), this.body));
  }

  row(item) {
    const name = fromPath(item.path);
    const href = address("document", name);
    const element = h("tr", {
      tabindex: "-1", data: { path: item.path, revision: item.revision },
      onclick: (event) => { if (!event.target.closest("a") && !String(getSelection())) location.hash = href; },
    });
    this.rows.set(item.path, element);
    return this.write(element, item, href, name);
  }

  write(element, item, href, name) {
    const { text, document } = item;
    const label = (key) => ({ data: { label: key } });
    return fill(
      element,
      h("th", { scope: "row", ...label("Id") }, h("a", { href, tabindex: "-1" }, h("bdi", {}, stored(idOf(name))))),
      this.hasValues ? h("td", label("Value"), document?.kind === "object" ? "" : cell(text, document)) : null,
      this.columns.map((key) => {
        const node = member(document, key);
        return h(`td${node?.kind === "number" ? ".right" : ""}${node ? "" : ".without"}`, label(key), cell(text, node));
      }),
      h("td.right.dim", label("Revision"), String(item.revision)), h("td.dim", label("Updated"), time(item.updated)));
  }

  /// Shows a change where its document has a row.
  /// - Returns: whether it has one.
  apply(change) {
    const element = this.rows.get(change.path);
    if (!element) return false;
    if (change.revision <= Number(element.dataset.revision)) return true;
    element.dataset.revision = change.revision;
    if (change.document && change.document.kind !== "null" || change.kind === "updated" || change.kind === "created") {
      const name = fromPath(change.path);
      this.write(element, { ...change, updated: change.at }, address("document", name), name);
    }
    const isGone = change.kind === "deleted" || change.kind === "expired" || change.kind === "left";
    element.classList.toggle("gone", isGone);
    element.title = { deleted: "deleted", expired: "expired", left: "no longer matches the filter" }[change.kind] ?? "";
    light(element);
    return true;
  }

  /// Adds a row where its path belongs.
  add(item) {
    const element = this.row(item);
    const later = [...this.body.children].find((other) => precedes(item.path, other.dataset.path));
    this.body.insertBefore(element, later ?? null);
    if (this.body.childElementCount === 1) element.setAttribute("tabindex", "0");
    light(element);
  }

  /// Arrows go from row to row, Enter opens one.
  move(event) {
    const row = event.target.closest("tr");
    const target = {
      ArrowDown: row.nextElementSibling, ArrowUp: row.previousElementSibling, Home: this.body.firstElementChild,
      End: this.body.lastElementChild,
    }[event.key];
    if (event.key === "Enter" && event.target === row) {
      location.hash = row.querySelector("a").getAttribute("href");
    } else if (target) {
      this.focus(target);
    } else return;
    event.preventDefault();
  }

  focus(row = this.body.firstElementChild) {
    if (!row) return;
    for (const other of this.body.querySelectorAll("[tabindex='0']")) other.setAttribute("tabindex", "-1");
    row.setAttribute("tabindex", "0");
    row.focus();
  }
}

function areNumbers(items, key) {
  const values = items.map(({ document }) => member(document, key)).filter((value) => value);
  return values.length > 0 && values.every((value) => value.kind === "number");
}

function light(element) {
  element.classList.remove("lit");
  // A look at the layout, so that the animation begins anew.
  void element.offsetWidth;
  element.classList.add("lit");
}

/// The order of bytes in UTF-8, which is that of code points.
function precedes(a, b) {
  const x = Array.from(a, (character) => character.codePointAt(0));
  const y = Array.from(b, (character) => character.codePointAt(0));
  const at = x.findIndex((point, index) => point !== y[index]);
  return at < 0 ? x.length < y.length : y[at] !== undefined && x[at] < y[at];
}

function head(field, text, isNumber, sort, onsort) {
  const isHere = field !== null && sort?.field === field;
  const order = isHere ? (sort.falls ? "descending" : "ascending") : null;
  const content = h("bdi", {}, stored(text));
  const cell = isNumber ? "th.right" : "th";
  if (field === null) return h(cell, { scope: "col", title: "cannot be sorted by" }, h("span.plain", {}, content));
  const next = !isHere ? { field, falls: false } : sort.falls ? null : { field, falls: true };
  return h(
    cell, { scope: "col", "aria-sort": order },
    h("button.sort", { type: "button", onclick: () => onsort(next) }, content, h("span.arrow", { "aria-hidden": "true" }, isHere ? (sort.falls ? "↓" : "↑") : "")));
}
