// The difference between two texts, line by line.

import { fill, h, stored, button } from "./dom.js";
import { counted } from "./format.js";

/// Beyond so many differing lines the search is given up, and all is shown as replaced.
const MOST_DIFFERENCES = 2000;
const CONTEXT = 3;
/// Fewer lines that are the same are not worth hiding.
const LEAST_HIDDEN = 6;

/// The lines of both: `[{kind: "same" | "gone" | "new", line}]`, as few as possible other than `same`.
/// E. Myers, An O(ND) Difference Algorithm and Its Variations, Algorithmica 1 (1986).
export function difference(before, after) {
  const a = linesOf(before);
  const b = linesOf(after);
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a.at(-1 - end) === b.at(-1 - end)) end += 1;
  const same = (line) => ({ kind: "same", line });
  return [
    ...a.slice(0, start).map(same),
    ...middle(a.slice(start, a.length - end), b.slice(start, b.length - end)),
    ...a.slice(a.length - end).map(same),
  ];
}

/// What is not there has none.
function linesOf(text) {
  return text === "" ? [] : text.split("\n");
}

function middle(a, b) {
  const trace = [];
  const furthest = new Map([[1, 0]]);
  const most = Math.min(a.length + b.length, MOST_DIFFERENCES);
  for (let d = 0; d <= most; d += 1) {
    trace.push(new Map(furthest));
    for (let k = -d; k <= d; k += 2) {
      let x = goesDown(furthest, k, d) ? furthest.get(k + 1) : furthest.get(k - 1) + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x += 1;
      furthest.set(k, x);
      if (x >= a.length && x - k >= b.length) return walkBack(trace, a, b);
    }
  }
  return [...a.map((line) => ({ kind: "gone", line })), ...b.map((line) => ({ kind: "new", line }))];
}

function goesDown(furthest, k, d) {
  return k === -d || (k !== d && furthest.get(k - 1) < furthest.get(k + 1));
}

function walkBack(trace, a, b) {
  const lines = [];
  let x = a.length;
  let y = b.length;
  for (let d = trace.length - 1; d >= 0; d -= 1) {
    const furthest = trace[d];
    const k = x - y;
    const from = goesDown(furthest, k, d) ? k + 1 : k - 1;
    const fromX = d === 0 ? 0 : furthest.get(from);
    const fromY = d === 0 ? 0 : fromX - from;
    while (x > fromX && y > fromY) {
      x -= 1;
      y -= 1;
      lines.push({ kind: "same", line: a[x] });
    }
    if (d === 0) break;
    if (x > fromX) lines.push({ kind: "gone", line: a[--x] });
    else lines.push({ kind: "new", line: b[--y] });
  }
  return lines.reverse();
}

const SIGNS = { same: " ", gone: "−", new: "+" };

/// Both texts in one view, with what is the same shortened.
export function diffView(before, after, beforeName, afterName) {
  const lines = difference(before, after);
  const gone = lines.filter(({ kind }) => kind === "gone").length;
  const made = lines.filter(({ kind }) => kind === "new").length;
  const list = h("ol.diff", { dir: "ltr", tabindex: "0", "aria-label": "Differences" });
  for (const run of runs(lines)) list.append(...(run.isHidden && run.lines.length >= LEAST_HIDDEN ? [hidden(run.lines)] : run.lines.map(row)));
  return h(
    ".difference", {},
    h("p.legend", {},
      h("span.gone", {}, `− ${counted(gone, "line")} only in ${beforeName}`), h("span.new", {}, `+ ${counted(made, "line")} only in ${afterName}`)),
    gone + made === 0 ? h("p.hint", {}, "There is no difference.") : list);
}

function row({ kind, line }) {
  return h(`li.${kind}`, {}, h("span.sign", { "aria-label": { gone: "removed", new: "added" }[kind] ?? "" }, SIGNS[kind]), h("code", {}, stored(line)));
}

function hidden(lines) {
  const place = h("li.hidden");
  fill(place, button(`${counted(lines.length, "equal line")}`, () => place.replaceWith(...lines.map(row)), "link"));
  return place;
}

/// Runs of lines, of which those far from any difference are hidden.
function runs(lines) {
  const isNear = lines.map(() => false);
  lines.forEach(({ kind }, index) => {
    if (kind === "same") return;
    for (let near = index - CONTEXT; near <= index + CONTEXT; near += 1) if (near in isNear) isNear[near] = true;
  });
  const all = [];
  lines.forEach((line, index) => {
    if (all.at(-1)?.isHidden !== !isNear[index]) all.push({ isHidden: !isNear[index], lines: [] });
    all.at(-1).lines.push(line);
  });
  return all;
}
