// What the console says beside its screens: notes that pass, questions, and how a screen looks while it waits or has failed.

import { button, h } from "./dom.js";

const shelf = h(".notes", { role: "status", "aria-live": "polite" });

export function noteShelf() {
  return shelf;
}

/// Says something for a while. An action, `{text, run}`, stands beside it.
export function note(text, action) {
  const close = () => element.remove();
  const element = h(
    ".note", {}, h("span", {}, text),
    action && button(action.text, () => { close(); action.run(); }, "link"),
    button("×", close, "quiet", { "aria-label": "Dismiss" }));
  shelf.append(element);
  setTimeout(close, action ? 15_000 : 6000);
}

/// Asks, and returns whether it was agreed to.
export function confirm({ title, text, action, danger = false, cancel = "Cancel" }) {
  return new Promise((resolve) => {
    const dialog = h(
      "dialog", { "aria-label": title },
      h("h2", {}, title), h("p", {}, text),
      h(".actions", {},
        button(cancel, () => dialog.close(), "", { autofocus: danger }),
        button(action, () => dialog.close("yes"), danger ? "danger" : "primary", { autofocus: !danger })));
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/// Says something at length, until it is closed.
export function explain(title, ...children) {
  const dialog = h(
    "dialog", { "aria-label": title, onclose: () => dialog.remove() },
    h("h2", {}, title), children, h(".actions", {}, button("Close", () => dialog.close(), "primary", { autofocus: true })));
  document.body.append(dialog);
  dialog.showModal();
}

export function loading(rows = 6) {
  return h(
    ".loading", { role: "status", "aria-label": "Loading" },
    Array.from({ length: rows }, () => h(".bone")));
}

/// - Parameter actions: ways on; other elements stand above them.
export function empty(title, text, ...more) {
  const isAction = (element) => element?.matches("button, a");
  const actions = more.filter(isAction);
  return h(".empty", {}, h("h2", {}, title), h("p", {}, text), more.filter((element) => !isAction(element)), actions.length ? h(".actions", {}, actions) : null);
}

/// What went wrong, with a way on.
export function failed(error, retry) {
  return h(
    ".failed", { role: "alert" },
    h("h2", {}, error.status === 403 ? "This is not yours to see" : "That did not work"),
    h("p", {}, error.message),
    error.error ? h("p.hint", {}, h("code", {}, error.error)) : null,
    retry ? h(".actions", {}, button("Try again", retry)) : null);
}

/// A line that stays until what it is about has passed.
export function banner(kind, ...children) {
  return h(`.banner.${kind}`, { role: kind === "bad" ? "alert" : "status" }, children);
}
