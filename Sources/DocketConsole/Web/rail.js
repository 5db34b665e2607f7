// The rail at the side: the collections, the screens that are about the server, and who one is. On a narrow window it is a drawer.

import { access, isAdmin, maySeeFigures } from "./access.js";
import { events, token, useToken } from "./api.js";
import { census } from "./census.js";
import { button, fill, h, icon, stored } from "./dom.js";
import { count, duration } from "./format.js";
import { address } from "./paths.js";
import { themeSwitch } from "./theme.js";

/// A token that ends within so long is told to.
const SOON_SECONDS = 7 * 86_400;

/// - Parameter signIn: called where one wants to.
export function rail({ signIn }) {
  const list = h("ul.collections");
  const pages = h("ul.pages");
  const who = h(".who");
  const element = h(
    "nav.rail", { id: "rail", "aria-label": "Main" },
    h("a.brand", { href: address("collections") }, h("img", { src: "icon.svg", alt: "", width: 24, height: 24 }), "Docket"),
    h("h2", {}, "Collections"), list,
    h(".foot", {}, pages, who, h(".tools", {}, liveSign(), themeSwitch())));
  let current = {};

  function showList() {
    // Nested ones can be as many as documents; they are reached from theirs, and from the overview.
    const shown = census.items?.filter(({ collection }) => collection.split("/").length === 3 || collection === current.collection);
    if (!shown) return fill(list, census.error ? h("li.hint", {}, "Not known") : h("li.bone"));
    fill(
      list,
      shown.map((item) => entry(address("documents", item.collection), stored(item.collection), {
        figure: count(item.documents), isHere: item.collection === current.collection,
      })),
      shown.length === 0 ? h("li.hint", {}, "None") : null);
  }

  function showPages() {
    const page = (screen, sign, text) => entry(address(screen), [icon(sign), text], { isHere: current.screen === screen });
    fill(
      pages,
      page("collections", "collections", "Overview"),
      access.isKnown && maySeeFigures() ? page("server", "server", "Server") : null,
      access.isKnown && isAdmin() ? [page("backups", "backups", "Backups"), page("tokens", "tokens", "Tokens")] : null);
  }

  function showWho() {
    who.hidden = !access.isKnown && !token();
    fill(
      who, h(".me", {}, me()),
      token() ? button([icon("out"), "Sign out"], signOut, "quiet") : null,
      access.isKnown && !token() && !access.open ? button("Sign in", signIn, "quiet") : null);
  }

  function show(place) {
    current = place;
    showList();
    showPages();
    showWho();
  }

  events.addEventListener("census", showList);
  events.addEventListener("access", () => {
    showPages();
    showWho();
  });
  return { element, show };
}

/// Who one is to the server, in two lines at most.
function me() {
  if (access.token && token()) {
    return [h("bdi.name", { title: `Signed in with the token ${access.token.name}` }, stored(access.token.name)), ending(access.token.expiresAt)];
  }
  if (token()) return h("span.name", {}, "Signed in");
  if (access.open) return [h("span.name", {}, "Not signed in"), h("span.hint", {}, "Open: there are no tokens")];
  return h("span.name", {}, "Not signed in");
}

function ending(expiresAt) {
  const seconds = expiresAt ? (new Date(expiresAt) - Date.now()) / 1000 : Infinity;
  if (seconds > SOON_SECONDS) return null;
  return h("span.soon", { title: expiresAt }, seconds > 0 ? `ends in ${duration(seconds)}` : "has ended");
}

const LIVE = {
  live: ["Live", "What is shown changes as it changes on the server."],
  reconnecting: ["Reconnecting", "The connection is gone; it is being made anew."],
  off: ["Not live", "The server does not follow what is shown here. Load it again to see what has changed."],
};

/// Whether what is shown is followed; nothing where there is nothing to follow.
export function liveSign() {
  const sign = h("span.live", { role: "status" });
  const show = (state) => {
    const [text, title] = LIVE[state] ?? [];
    sign.hidden = !text;
    sign.dataset.state = state;
    sign.title = title ?? "";
    fill(sign, text ? [h("i"), text] : null);
  };
  events.addEventListener("live", (event) => show(event.detail));
  show("none");
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
