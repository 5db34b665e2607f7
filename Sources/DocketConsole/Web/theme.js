// Light or dark: as the system has it, unless it was chosen here.

import { button, fill, icon } from "./dom.js";

const KEY = "docket-theme";
const NAMES = { auto: "As the system", light: "Light", dark: "Dark" };
const ICONS = { auto: "auto", light: "sun", dark: "moon" };
const ORDER = ["auto", "light", "dark"];

function chosen() {
  const theme = localStorage.getItem(KEY);
  return ORDER.includes(theme) ? theme : "auto";
}

export function applyTheme() {
  const theme = chosen();
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

export function themeSwitch() {
  const control = button("", next, "quiet.icon-only");
  function show() {
    fill(control, icon(ICONS[chosen()]));
    const label = `Colours: ${NAMES[chosen()]}`;
    control.setAttribute("aria-label", label);
    control.title = label;
  }
  function next() {
    localStorage.setItem(KEY, ORDER[(ORDER.indexOf(chosen()) + 1) % ORDER.length]);
    applyTheme();
    show();
  }
  show();
  return control;
}
