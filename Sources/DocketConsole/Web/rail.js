// The rail at the side: the collections, and the screens that are about the server. On a narrow window it is a drawer.

import { events, token, useToken } from "./api.js";
import { census } from "./census.js";
import { button, fill, h, icon, stored } from "./dom.js";
import { count } from "./format.js";
import { address } from "./paths.js";
import { themeSwitch } from "./theme.js";

export function rail() {
  const list = h("ul.collections");
  const pages = h("ul.pages");
  const out = button([icon("out"), "Sign out"], signOut, "quiet");
  const element = h(
    "nav.rail", { id: "rail", "aria-label": "Main" },
    h("a.brand", { href: address("collections") }, h("img", { src: "icon.svg", alt: "", width: 24, height: 24 }), "Docket"),
    h("h2", {}, "Collections"), list,
    h(".foot", {}, pages, h(".tools", {}, liveSign(), out, themeSwitch())));
  let current = {};

  function showList() {
    // Nested ones can be as many as documents; they are reached from theirs, and from the overview.
    const shown = census.items?.filter(({ collection }) => collection.split("/").length === 3 || collection === current.collection);
    if (!shown) return fill(list, census.error ? h("li.hint", {}, "not known") : h("li.bone"));
    fill(
      list,
      shown.map((item) => entry(address("documents", item.collection), stored(item.collection), {
        figure: count(item.documents), isHere: item.collection === current.collection,
      })),
      shown.length === 0 ? h("li.hint", {}, "none to be seen") : null);
  }

  function showPages() {
    fill(
      pages,
      entry(address("collections"), [icon("collections"), "Overview"], { isHere: current.screen === "collections" }),
      entry(address("server"), [icon("server"), "Server"], { isHere: current.screen === "server" }),
      entry(address("tokens"), [icon("tokens"), "Tokens"], { isHere: current.screen === "tokens" }));
  }

  function show(place) {
    current = place;
    out.hidden = !token();
    showList();
    showPages();
  }

  events.addEventListener("census", showList);
  return { element, show };
}

const LIVE = {
  live: ["Live", "What is shown changes as it changes on the server."],
  reconnecting: ["Reconnecting", "The connection is gone; it is being made anew."],
  off: ["Not live", "This screen follows nothing."],
};

/// Whether what is shown is followed.
export function liveSign() {
  const sign = h("span.live", { role: "status" });
  const show = (state) => {
    const [text, title] = LIVE[state];
    sign.dataset.state = state;
    sign.title = title;
    fill(sign, h("i"), text);
  };
  events.addEventListener("live", (event) => show(event.detail));
  show("off");
  return sign;
}

function entry(href, label, { figure, isHere }) {
  return h("li", {}, h("a", { href, "aria-current": isHere ? "page" : null }, h("bdi.name", {}, label), figure && h("span.figure", {}, figure)));
}

function signOut() {
  useToken(null);
  location.hash = "";
  location.reload();
}
