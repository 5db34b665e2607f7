// Conditions on documents, as rows of field, operator and value; they become `where[field][$operator]=value`.

import { button, fill, h, icon } from "./dom.js";
import { parse } from "./json.js";

/// What people call the operators, and how the parameter has them.
const OPERATORS = [
  ["is", ""], ["is not", "$ne"], ["is above", "$gt"], ["is at least", "$gte"], ["is below", "$lt"], ["is at most", "$lte"],
  ["contains", "$contains"], ["begins with", "$prefix"], ["is one of", "$in"], ["is there", "exists"],
  ["is missing", "missing"],
];
const WORDS = ["has the words", "$text"];

/// The conditions that an address has: `[{field, operator, value}]`.
export function conditionsIn(parameters) {
  const conditions = [];
  for (const [name, value] of parameters) {
    const found = /^where\[(.*?)\](?:\[(\$\w+)\])?$/s.exec(name);
    if (!found) continue;
    const [, field, operator = ""] = found;
    if (field === "$text") conditions.push({ field: "", operator: "$text", value });
    else if (operator === "$exists") conditions.push({ field, operator: value === "false" ? "missing" : "exists", value: "" });
    else conditions.push({ field, operator, value });
  }
  return conditions;
}

/// The parameters that say so.
export function parametersOf(conditions) {
  return conditions.map(({ field, operator, value }) => {
    switch (operator) {
      case "": return [`where[${field}]`, value];
      case "$text": return ["where[$text]", value];
      case "exists": return [`where[${field}][$exists]`, "true"];
      case "missing": return [`where[${field}][$exists]`, "false"];
      case "$in": return [`where[${field}][$in]`, list(value)];
      default: return [`where[${field}][${operator}]`, value];
    }
  });
}

/// `a, 1` as the array that it stands for.
function list(text) {
  if (text.trim().startsWith("[")) return text;
  return "[" + text.split(",").map((part) => element(part.trim())).join(", ") + "]";
}

function element(text) {
  try {
    parse(text);
    return text;
  } catch {
    return JSON.stringify(text);
  }
}

/// - Parameter apply: takes the conditions once they are meant.
export function filterForm({ conditions, fields, hasWords, apply }) {
  const names = h("datalist", { id: "field-names" });
  const rows = h(".conditions");
  const operators = hasWords ? [...OPERATORS, WORDS] : OPERATORS;

  function row({ field = "", operator = hasWords && !field ? "$text" : "", value = "" } = {}) {
    const name = h("input.name", { value: field, list: "field-names", placeholder: "Field", "aria-label": "Field", spellcheck: "false", autocapitalize: "off" });
    const what = h(
      "select", { "aria-label": "Condition", onchange: suit },
      operators.map(([text, key]) => h("option", { value: key, selected: key === operator }, text)));
    const input = h("input.value", {
      value, placeholder: "Value", "aria-label": "Value", spellcheck: "false", autocapitalize: "off",
      title: "42 is a number, \"42\" in double quotes a string. Other text needs no quotes.",
    });
    const element = h(
      ".condition", {}, name, what, input,
      button(icon("close"), () => remove(element), "quiet.icon-only", { "aria-label": "Remove the condition" }));
    function suit() {
      name.hidden = what.value === "$text";
      input.hidden = what.value === "exists" || what.value === "missing";
      input.placeholder = { "$text": "Words", "$in": "a, b, 3" }[what.value] ?? "Value";
    }
    element.read = () => ({ field: name.value.trim(), operator: what.value, value: input.value });
    suit();
    return element;
  }

  function remove(element) {
    const wasMeant = element.read().field || element.read().value;
    element.remove();
    if (rows.childElementCount === 0) rows.append(row());
    if (wasMeant) send();
  }

  function send(event) {
    event?.preventDefault();
    const read = [...rows.children].map((element) => element.read());
    apply(read.filter(({ field, operator, value }) => (operator === "$text" ? value.trim() : field)));
  }

  function name(found) {
    const all = new Set([...found, "@id", "@created", "@updated", "@revision"]);
    fill(names, [...all].map((field) => h("option", { value: field })));
  }

  fill(rows, (conditions.length ? conditions : [{}]).map(row));
  name(fields);
  const element = h(
    "form.filter", { onsubmit: send, role: "search" }, names, rows,
    h(".filter-actions", {},
      button([icon("plus"), "Condition"], () => { rows.append(row()); rows.lastChild.querySelector("input:not([hidden])").focus(); }, "quiet"),
      button("Filter", null, "", { type: "submit" }),
      conditions.length ? button("Clear", () => apply([]), "quiet") : null));
  return { element, name, focus: () => rows.querySelector("input:not([hidden])").focus() };
}
