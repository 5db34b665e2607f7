// The overview: which collections there are, and how much each holds.

import { isAdmin, mayWriteSomething } from "./access.js";
import { events } from "./api.js";
import { census, takeCensus } from "./census.js";
import { button, fill, h, icon, stored, svg } from "./dom.js";
import { bytes, count, counted, time } from "./format.js";
import { empty, failed, loading } from "./notices.js";
import { address, faultOf } from "./paths.js";

export function show({ signal }) {
  const summary = h("p.summary");
  const body = h(".body");
  const filter = h("input", {
    type: "search", placeholder: "Find a collection", "aria-label": "Find a collection", oninput: showAll, spellcheck: "false",
  });

  function showAll() {
    if (census.error && !census.items?.length) return fill(body, openForm(), failed(census.error, takeCensus));
    if (!census.items) return fill(body, loading());
    const { items } = census;
    const documents = items.reduce((sum, item) => sum + item.documents, 0);
    const size = items.reduce((sum, item) => sum + item.bytes, 0);
    fill(summary, `${counted(documents, "document")} in ${counted(items.length, "collection")}, ${bytes(size)}`,
      census.isWhole ? "" : "; there are more");
    if (items.length === 0) {
      return fill(body, nothing());
    }
    const wanted = items.filter((item) => item.collection.includes(filter.value.trim()));
    fill(
      body, h(".bar", {}, filter, openForm()),
      wanted.length ? table(wanted) : empty("No collection has this in its name", "Capital and small letters are told apart."));
  }

  events.addEventListener("census", showAll, { signal });
  showAll();
  return {
    title: "Collections",
    element: h("section", {}, h(".head", {}, h("h1", {}, "Collections"), summary), body),
    filter: () => filter.focus(),
  };
}

function nothing() {
  if (isAdmin()) return empty("No documents yet", "A collection is there as soon as a document is in it. Name one to put the first document into it.", openForm());
  return empty("No collections to be seen", mayWriteSomething()
    ? "There are none that you may read. Name one to write a document into it."
    : "There are none yet of those that you may read.", openForm());
}

function table(items) {
  const largest = Math.max(...items.map((item) => item.bytes), 1);
  return h(
    ".table-frame", {},
    h("table.documents.overview", {},
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Collection"), h("th.right", { scope: "col" }, "Documents"),
        h("th.right", { scope: "col" }, "Size"), h("th", { scope: "col" }, "Last written"))),
      h("tbody", {}, grouped(items).map((group) => rows(group, largest)))));
}

/// So many nested collections of a kind are shown one by one.
const MOST_UNFOLDED = 3;

/// Nested collections of a kind together, such as the orders of all users: `[{pattern, items}]`.
function grouped(items) {
  const groups = new Map();
  for (const item of items) {
    const pattern = item.collection.split("/").map((part, index) => (index % 2 === 0 && part ? "…" : part)).join("/");
    if (!groups.has(pattern)) groups.set(pattern, { pattern, items: [] });
    groups.get(pattern).items.push(item);
  }
  return [...groups.values()];
}

function rows({ pattern, items }, largest) {
  if (items.length <= MOST_UNFOLDED) return items.map((item) => row(item, largest));
  const members = items.map((item) => row(item, largest));
  for (const member of members) {
    member.classList.add("member");
    member.hidden = true;
  }
  const sum = {
    documents: items.reduce((sum, item) => sum + item.documents, 0), bytes: items.reduce((sum, item) => sum + item.bytes, 0),
    updated: items.map((item) => item.updated).sort().at(-1),
  };
  const fold = button(
    [icon("fold"), h("bdi", {}, stored(pattern)), h("span.tag", {}, counted(items.length, "collection"))],
    () => {
      const isOpen = fold.getAttribute("aria-expanded") === "true";
      fold.setAttribute("aria-expanded", String(!isOpen));
      for (const member of members) member.hidden = isOpen;
    }, "fold", { "aria-expanded": "false" });
  const head = row(sum, largest, fold);
  head.classList.add("group");
  return [head, ...members];
}

/// How much of the largest it is, as a bar.
function share(part) {
  return svg(
    "svg.share", { viewBox: "0 0 64 6", "aria-hidden": "true" },
    svg("rect.all", { width: 64, height: 6, rx: 3 }), svg("rect.part", { width: Math.max(3, 64 * Math.min(1, part)), height: 6, rx: 3 }));
}

function row(item, largest, name = h("a", { href: address("documents", item.collection) }, h("bdi", {}, stored(item.collection)))) {
  return h(
    "tr", {},
    h("th", { scope: "row", data: { label: "Collection" } }, name),
    h("td.right", { data: { label: "Documents" } }, count(item.documents)),
    h("td.right", { data: { label: "Size" } }, bytes(item.bytes), share(item.bytes / largest)),
    h("td", { data: { label: "Last written" } }, time(item.updated)));
}

/// Leads to a collection by its name, whether or not there is one.
function openForm() {
  const name = h("input", { placeholder: "/notes/", "aria-label": "Name of a collection", spellcheck: "false", autocapitalize: "off" });
  const status = h("p.status.bad", { role: "alert" });
  function go(event) {
    event.preventDefault();
    const text = "/" + name.value.trim().replace(/^\/+|\/+$/g, "") + "/";
    const fault = faultOf(text);
    if (fault) return fill(status, fault);
    location.hash = address("documents", text);
  }
  return h("form.open", { onsubmit: go }, h(".joined", {}, name, button("Open", null, "", { type: "submit" })), status);
}
