// JSON in an editor that looks at it as it is typed, and says where it is at fault.

import { button, fill, h } from "./dom.js";
import { bytes } from "./format.js";
import { format, parse } from "./json.js";

const MAXIMUM_LINES = 5000;

export class Editor {
  /// - Parameter onchange: called with the editor, at first and after each change.
  constructor({ text, onchange = () => {}, onsave = () => {}, label }) {
    this.onchange = onchange;
    this.area = h("textarea", {
      spellcheck: "false", autocapitalize: "off", autocomplete: "off", dir: "ltr", wrap: "off", "aria-label": label,
      oninput: () => this.look(), onscroll: () => { this.gutter.scrollTop = this.area.scrollTop; },
      onkeydown: (event) => {
        if ((event.ctrlKey || event.metaKey) && (event.key === "s" || event.key === "Enter")) {
          event.preventDefault();
          onsave();
        }
      },
    });
    this.area.value = text;
    this.initial = this.area.value;
    this.gutter = h(".gutter", { "aria-hidden": "true" });
    this.status = h(".editor-status", { role: "status" });
    this.formatButton = button("Format", () => this.format(), "quiet", { title: "Lines and indents; nothing but white space changes" });
    this.element = h(
      ".editor", {}, h(".editor-frame", {}, this.gutter, this.area),
      h(".editor-foot", {}, this.status, this.formatButton));
    this.look();
  }

  get text() {
    return this.area.value;
  }

  get isChanged() {
    return this.text !== this.initial;
  }

  look() {
    const { text } = this;
    this.fault = null;
    try {
      parse(text);
    } catch (fault) {
      this.fault = fault;
    }
    this.number(text.split("\n").length);
    const size = bytes(new TextEncoder().encode(text).length);
    this.area.setAttribute("aria-invalid", String(this.fault !== null));
    this.status.classList.toggle("bad", this.fault !== null && text !== "");
    this.formatButton.disabled = this.fault !== null;
    if (!this.fault) fill(this.status, h("span", {}, `JSON, ${size}`));
    else if (text.trim() === "") fill(this.status, h("span", {}, "A document is any JSON value."));
    else {
      fill(
        this.status,
        button(`Line ${this.fault.line}, column ${this.fault.column}`, () => this.select(this.fault.offset), "link"),
        h("span", {}, this.fault.message));
    }
    this.onchange(this);
  }

  number(lines) {
    if (lines !== this.lines) {
      this.lines = lines;
      fill(this.gutter, Array.from({ length: Math.min(lines, MAXIMUM_LINES) }, (_, index) => h("span", {}, String(index + 1))));
    }
    this.gutter.querySelector(".at-fault")?.classList.remove("at-fault");
    if (this.fault && this.text !== "") this.gutter.children[this.fault.line - 1]?.classList.add("at-fault");
  }

  select(offset) {
    this.area.focus();
    this.area.setSelectionRange(offset, Math.min(offset + 1, this.text.length));
  }

  format() {
    this.set(format(this.text));
  }

  set(text) {
    this.area.value = text;
    this.look();
  }

  focus() {
    this.area.focus();
    this.area.setSelectionRange(0, 0);
  }
}
