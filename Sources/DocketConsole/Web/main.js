// The frame around the screens: which is shown, what happens when the server asks for a token or does not answer, and keys.

import { access, forgetAccess, learnAccess, mayCreateIn } from "./access.js";
import { ask, events, patience } from "./api.js";
import { census, forgetCensus, takeCensus } from "./census.js";
import { button, fill, h, icon } from "./dom.js";
import { pause, say } from "./live.js";
import { banner, confirm, empty, failed, loading, note, noteShelf } from "./notices.js";
import { address, collectionOf, place } from "./paths.js";
import { liveSign, rail } from "./rail.js";
import { signInScreen } from "./signin.js";
import { applyTheme } from "./theme.js";
import * as collections from "./collections.js";
import * as documents from "./documents.js";
import * as document_ from "./document.js";
import * as create from "./create.js";
import * as settings from "./settings.js";
import * as tokens from "./tokens.js";
import * as server from "./server.js";
import * as backups from "./backups.js";

const SCREENS = { collections, documents, document: document_, create, settings, tokens, server, backups };
/// So long the server may take to say that it is there, once it was late.
const PROBE_MILLISECONDS = 5000;

const side = rail({ signIn: () => askForToken(() => show()) });
const outage = h(".outage");
const main = h("main", { id: "main", tabindex: "-1" });
const menu = button(icon("menu"), () => openDrawer(!isDrawerOpen()), "quiet.icon-only", {
  "aria-label": "Menu", "aria-controls": "rail", "aria-expanded": "false",
});
const heading = h("span.heading");
const veil = h(".veil", { onclick: () => openDrawer(false) });

let current = { hash: null, screen: null, ending: new AbortController() };

function isDrawerOpen() {
  return document.body.classList.contains("drawer-open");
}

function openDrawer(isOpen) {
  document.body.classList.toggle("drawer-open", isOpen);
  menu.setAttribute("aria-expanded", String(isOpen));
  if (isOpen) side.element.querySelector("a")?.focus();
}

// MARK: Screens

async function go() {
  if (location.hash === current.hash) return;
  if (current.screen?.isDirty?.() && !(await mayLeave())) return history.pushState(null, "", current.hash || "#/");
  await show();
}

function mayLeave() {
  return confirm({
    title: "Leave without saving?", text: "What you have changed here is not saved.", action: "Leave", danger: true,
    cancel: "Stay",
  });
}

async function show() {
  current.ending.abort();
  const ending = new AbortController();
  const { screen: name, name: target, parameters } = place(location.hash);
  const isOther = place(current.hash ?? "").screen !== name || place(current.hash ?? "").name !== target;
  current = { hash: location.hash, screen: null, ending };
  openDrawer(false);
  say("none");
  const module = SCREENS[name] ?? collections;
  side.show({
    screen: SCREENS[name] ? name : "collections",
    collection: ["documents", "document", "create", "settings"].includes(name) ? collectionOf(target) : null,
  });
  if (isOther) fill(main, loading());
  try {
    // Before all else, so that nothing is offered and taken away again.
    if (!access.isKnown) await learnAccess();
    if (ending.signal.aborted) return;
    if (access.allow.length === 0) return askForToken();
    document.body.classList.remove("signing-in");
    if (!census.items) takeCensus();
    if (name === "create" && !mayCreateIn(collectionOf(target))) return put(notToWrite(collectionOf(target)), isOther);
    const screen = await module.show({ name: target, parameters, signal: ending.signal, reload: show });
    if (ending.signal.aborted) return;
    put(screen, isOther);
  } catch (error) {
    if (ending.signal.aborted || error.status === 401) return;
    if (error.status === undefined) console.error(error);
    fill(main, failed(error, show));
  }
}

function notToWrite(collection) {
  return {
    title: `New in ${collection}`,
    element: empty("This is not yours to write", `To make documents in ${collection} takes a token with the rule write:${collection}`,
      h("a.button", { href: address("documents", collection) }, "Documents")),
  };
}

/// Whether a screen has something that would be lost if it was shown anew.
function isHeld() {
  return current.screen?.isDirty?.() || current.screen?.holdsSecret?.();
}

function put(screen, isOther) {
  current.screen = screen;
  document.title = `${screen.title} – Docket`;
  fill(heading, screen.title);
  fill(main, screen.element);
  if (screen.focus) screen.focus();
  else if (isOther) main.focus({ preventScroll: true });
}

// MARK: Tokens

events.addEventListener("unauthorized", () => {
  // A secret that is told once must be seen.
  if (current.screen?.isSignIn || current.screen?.holdsSecret?.()) return;
  askForToken();
});

/// - Parameter cancel: called where one does without; null: nothing can be done without.
function askForToken(cancel = null) {
  current.ending.abort();
  say("none");
  openDrawer(false);
  forgetAccess();
  document.body.classList.add("signing-in");
  const done = () => {
    forgetCensus();
    current.hash = null;
    show();
  };
  put({ ...signInScreen(done, cancel && (() => { current.hash = null; cancel(); })), isSignIn: true }, true);
}

// Somebody may do less than the console believed.
events.addEventListener("forbidden", async () => {
  if (current.screen?.isSignIn) return;
  const isOther = await learnAccess().catch(() => false);
  if (isOther && !isHeld()) show();
});

// MARK: Outages

let isOut = false;

// One request may have been too much for it, and others not.
events.addEventListener("late", ({ detail: path }) => {
  if (path === "/_health") tellOutage();
  else if (!isOut) ask("GET", "/_health", { wait: Math.min(PROBE_MILLISECONDS, patience.milliseconds) }).catch(() => {});
});

events.addEventListener("unreachable", tellOutage);

async function tellOutage() {
  if (isOut) return;
  isOut = true;
  fill(outage, banner("bad", "The server does not answer. Trying again…"));
  for (let wait = 500; isOut; wait = Math.min(2 * wait, 5000)) {
    await pause(wait);
    // It tells of it by itself where the server answers.
    await ask("GET", "/_health").catch(() => {});
  }
}

events.addEventListener("reached", () => {
  if (!isOut) return;
  isOut = false;
  // It may have been started anew, and allow something else.
  forgetAccess();
  fill(outage);
  note("The server answers again.");
  // What is being edited stays as it is.
  if (!isHeld() && !current.screen?.isSignIn) show();
});

// MARK: Keys

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  const isTyping = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
  if (event.key === "Escape") {
    if (document.querySelector("dialog[open]")) return;
    if (isDrawerOpen()) openDrawer(false);
    // A question that opens now would be closed by this very key.
    else if (current.screen?.escape?.()) event.preventDefault();
    else if (isTyping) event.target.blur();
  } else if (event.key === "/" && !isTyping && current.screen?.filter) {
    event.preventDefault();
    current.screen.filter();
  }
});

addEventListener("hashchange", go);
addEventListener("beforeunload", (event) => {
  if (current.screen?.isDirty?.()) event.preventDefault();
});

// A page that a browser keeps for later would keep its stream, of which a browser has few for a server.
addEventListener("pagehide", () => current.ending.abort());
addEventListener("pageshow", (event) => {
  if (event.persisted) show();
});

applyTheme();
fill(
  document.body,
  h("a.skip", { href: "#main", onclick: (event) => { event.preventDefault(); main.focus(); } }, "Skip to the content"),
  side.element, veil, h(".page", {}, h("header.top", {}, menu, heading, liveSign()), outage, main), noteShelf());
show();
