// Elements, made by hand: whatever is stored is put on the page as text, never as HTML.

const SVG = "http://www.w3.org/2000/svg";

/// `h("button.primary", {type: "button", onclick}, "Save")`. Properties that begin with `on` are listeners, `data` is an
/// object of data attributes, true and false set and leave out an attribute. Children are nodes or texts; null is nothing.
export function h(name, properties = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  return dress(document.createElement(tag || "div"), classes, properties, children);
}

export function svg(name, properties = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  return dress(document.createElementNS(SVG, tag), classes, properties, children);
}

function dress(element, classes, properties, children) {
  if (classes.length) element.classList.add(...classes);
  for (const [key, value] of Object.entries(properties ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "data") Object.assign(element.dataset, value);
    else if (key === "value") element.value = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
  append(element, children);
  return element;
}

export function append(element, children) {
  for (const child of [children].flat(Infinity)) {
    if (child !== null && child !== undefined && child !== false) element.append(child);
  }
  return element;
}

/// Puts children in the place of what an element has.
export function fill(element, ...children) {
  element.replaceChildren();
  return append(element, children);
}

/// Characters that cannot be seen, halves of such as take two units, and those that turn the text around them: left as they are, they would make it look like another.
const UNSEEN =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]/gu;

/// What is stored, as nodes: in a direction of its own, with unseen characters shown by their numbers.
/// - Parameter lines: line breaks and tabs stay what they are.
export function stored(text, lines = false) {
  const nodes = [];
  let from = 0;
  for (const match of text.matchAll(UNSEEN)) {
    if (lines && (match[0] === "\n" || match[0] === "\t")) continue;
    if (match.index > from) nodes.push(text.slice(from, match.index));
    nodes.push(h("span.unseen", { title: "a character that cannot be seen" }, codePoint(match[0])));
    from = match.index + match[0].length;
  }
  if (from < text.length) nodes.push(text.slice(from));
  return nodes;
}

function codePoint(character) {
  return "U+" + character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
}

let lastID = 0;

/// A label with its control.
export function field(label, control, hint) {
  control.id ||= `field-${++lastID}`;
  const help = hint && h("p.hint", { id: `${control.id}-hint` }, hint);
  if (help) control.setAttribute("aria-describedby", help.id);
  return h(".field", {}, h("label", { for: control.id }, label), control, help);
}

export function button(text, onclick, kind = "", properties = {}) {
  return h("button" + (kind && "." + kind), { type: "button", onclick, ...properties }, text);
}

const ICONS = {
  menu: "M3 5h14M3 10h14M3 15h14",
  close: "M5 5l10 10M15 5L5 15",
  fold: "M8 5l5 5-5 5",
  plus: "M10 4v12M4 10h12",
  collections: "M3 6l7-3 7 3-7 3zM3 10l7 3 7-3M3 14l7 3 7-3",
  server: "M3 4h14v5H3zM3 11h14v5H3zM6 6.5h.01M6 13.5h.01",
  tokens: "M12.5 3a4.5 4.5 0 1 1-3.6 7.2L3 16v1h3v-2h2v-2l1.6-1.6M13.5 6.5h.01",
  backups: "M3 4h14v4H3zM4.5 8v8h11V8M8 11.5h4",
  sun: "M10 6.5a3.5 3.5 0 1 1 0 7 3.5 3.5 0 0 1 0-7M10 1.5v2M10 16.5v2M1.5 10h2M16.5 10h2M4 4l1.4 1.4M14.6 14.6L16 16M4 16l1.4-1.4M14.6 5.4L16 4",
  moon: "M16 12.2A6.8 6.8 0 0 1 7.8 4a6.8 6.8 0 1 0 8.2 8.2z",
  auto: "M10 3a7 7 0 1 1 0 14 7 7 0 0 1 0-14M10 3v14",
  out: "M8 4H4v12h4M8 10h9M13.5 6.5L17 10l-3.5 3.5",
};

export function icon(name) {
  return svg(
    "svg.icon", { viewBox: "0 0 20 20", "aria-hidden": "true" },
    svg("path", { d: ICONS[name] }));
}
